import { defineJob, defineView, int64 } from '../../index.ts'
import { ledger } from './ledger.ts'

interface Account {
  balance: number
  lowest: number
  highest: number
}

function book(account: Account, cents: number): void {
  account.balance += cents
  account.lowest = Math.min(account.lowest, account.balance)
  account.highest = Math.max(account.highest, account.balance)
}

/** Every account is opened with nothing, so that zero is among its balances. */
export const lowest = defineView({
  name: 'lowest',
  log: ledger,
  state: { balance: int64(), lowest: int64(), highest: int64() },
  on: {
    '*': (account, e) => book(account, e.amount),
    Withdrawn: (account, e) => book(account, -e.amount),
    TransferredOut: (account, e) => book(account, -e.amount),
    FeeCharged: (account, e) => book(account, -e.amount),
  },
})

export default defineJob({ views: [lowest] })
