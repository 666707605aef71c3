import { defineJob, defineLog, defineView, int32, int64, timestamp } from 'refold'

const ledger = defineLog({
  name: 'ledger',
  files: 'data/small-ledger/**/*.parquet',
  columns: { id: 'event_id', key: 'account_id', type: 'type', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  fields: { amount: int64() },
})

export const accounts = defineView({
  name: 'accounts',
  log: ledger,
  state: { balance: int64(), entries: int32(), rejected: int32(), lastAt: timestamp() },
  on: {
    Deposited: (account, e) => {
      account.balance += e.amount
      account.entries++
      account.lastAt = e.occurredAt
    },
    Withdrawn: (account, e) => {
      if (e.amount > account.balance) {
        account.rejected++
        return
      }
      account.balance -= e.amount
      account.entries++
      account.lastAt = e.occurredAt
    },
  },
})

export default defineJob({ views: [accounts] })
