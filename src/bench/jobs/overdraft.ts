import { defineJob, defineView, int32, int64 } from '../../index.ts'
import { ledger } from './ledger.ts'

interface Account {
  balance: number
  rejected: number
}

function take(account: Account, cents: number): void {
  if (cents > account.balance) account.rejected++
  else account.balance -= cents
}

/** Money that isn't there can't be taken: another order of the same events would give another result. */
export const overdraft = defineView({
  name: 'overdraft',
  log: ledger,
  state: { balance: int64(), rejected: int32() },
  on: {
    '*': (account, e) => {
      account.balance += e.amount
    },
    Withdrawn: (account, e) => take(account, e.amount),
    TransferredOut: (account, e) => take(account, e.amount),
    FeeCharged: (account, e) => take(account, e.amount),
  },
})

export default defineJob({ views: [overdraft] })
