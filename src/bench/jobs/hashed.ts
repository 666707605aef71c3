import { defineJob, defineLog, defineView, int64 } from '../../index.ts'
import { accounts } from './accounts.ts'

/** Ids of two columns are no integers close to each other: duplicates are found by hashes. */
const log = defineLog({
  name: 'ledger',
  files: 'ledger/**/*.parquet',
  columns: {
    id: ['event_id', 'account_id'],
    key: 'account_id',
    type: 'type',
    occurredAt: 'occurred_at',
    recordedAt: 'recorded_at',
  },
  fields: { amount: int64() },
})

export const balances = defineView({ name: 'balances', log, ...accounts })

export default defineJob({ views: [balances] })
