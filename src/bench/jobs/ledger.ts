import { defineLog, int64, string } from '../../index.ts'

/** The log that all jobs of the benchmark fold; its files are given when it is run. */
const log = {
  name: 'ledger',
  files: 'ledger/**/*.parquet',
  columns: {
    id: 'event_id',
    key: 'account_id',
    type: 'type',
    occurredAt: 'occurred_at',
    recordedAt: 'recorded_at',
    sequence: 'seq',
  },
  types: ['Opened', 'Deposited', 'Withdrawn', 'TransferredIn', 'TransferredOut', 'InterestPaid', 'FeeCharged'],
} as const

/** Duplicates aren't looked for, since no query of the other contenders looks for them either. */
export const ledger = defineLog({ ...log, fields: { amount: int64(), branch: string() }, uniqueIds: true })

export const ledgerWithDuplicates = defineLog({ ...log, fields: { amount: int64() } })

export const ledgerWithPayload = defineLog({ ...log, fields: { amount: int64('payload.amount') }, uniqueIds: true })
