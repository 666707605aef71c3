import { expect, test } from 'vitest'
import { describePlan } from '../../src/cli/print-plan.ts'
import type { LogPlan } from '../../src/model/plan.ts'
import type { RebuildPlan } from '../../src/plan/plan-rebuild.ts'

const slot = (name: string) =>
  ({ name, type: { kind: 'string', nullable: false }, storage: 'str', mayBeNull: false }) as const

const log: LogPlan = {
  name: 'ledger',
  view: null,
  rows: 10_000_000,
  bytes: 240e6,
  files: [{ path: 'a.parquet', rows: 10_000_000, bytes: 240e6, footerSha256: '', partition: 0, sources: [] }],
  splits: [
    { file: 0, rows: 6e6, bytes: 1, rowGroups: [{ index: 0, rows: 6e6, skipped: false, recorded: 'unread' }] },
    { file: 0, rows: 4e6, bytes: 1, rowGroups: [{ index: 1, rows: 4e6, skipped: true, recorded: null }] },
  ],
  mapTasks: [[0], [1]],
  slots: ['id', 'key', 'type', 'recordedAt', 'amount'].map(slot),
  roles: { id: [0], key: 1, type: 2, occurredAt: -1, recordedAt: 3, sequence: -1 },
  identify: { by: 'hashes' },
  duplicates: null,
  timeUnit: 'us',
  groups: [
    {
      views: ['balances', 'counts'],
      strategy: 'shuffle',
      order: [
        { by: 'slot', slot: 3, isDeclared: true },
        { by: 'type', types: ['Opened'], isDeclared: true },
        { by: 'slot', slot: 0, isDeclared: false },
      ],
      reason: 'handlers see events in order',
      partsAtLeast: 4,
      slots: [1, 2, 4],
      mapSlots: [],
      copiesEvents: false,
      returns: {},
      share: null,
    },
    {
      views: ['daily'],
      strategy: 'combine',
      order: [],
      reason: 'the view merges',
      partsAtLeast: 1,
      slots: [4],
      mapSlots: [2],
      copiesEvents: false,
      returns: {},
      share: null,
    },
  ],
  bucketBits: 7,
  reduceBits: 4,
  zone: 'UTC',
  idleTimeout: 86_400_000_000n,
  maxClockSkew: 0n,
  recordsDays: false,
  recordsWholeDays: false,
  knownAt: null,
  asOf: null,
  recorded: null,
  partitions: ['.'],
  vintages: null,
  momentSlots: [],
  moments: { knownAt: null, asOf: null },
}

test('describePlan() says in how many partitions views are folded in place', () => {
  const group = { ...log.groups[0]!, strategy: 'in-place', reason: 'all events of a key lie in one partition' } as const
  const plan: RebuildPlan = {
    ...{ changedInputs: [], later: [], merged: [], job: 'bank' },
    logs: [{ ...log, mapTasks: [[0, 1]], groups: [group] }],
  }
  const text = describePlan(plan)
  expect(text).toContain('split       into 1 task of 2 row groups\n')
  expect(text).toContain('in place    1 partition, each with all events of its keys\n')
  expect(text).toMatch(/balances +in-place +by recordedAt, type, id +.* all events of a key lie in one partition\n/)
  expect(text).not.toContain('buckets')
})

test('describePlan() counts one bucket as one', () => {
  const plan: RebuildPlan = {
    ...{ changedInputs: [], later: [], merged: [], job: 'bank' },
    logs: [{ ...log, bucketBits: 0, reduceBits: 0 }],
  }
  expect(describePlan(plan)).toContain('shuffle     over 1 bucket, reduced in 1 task\n')
})

test('describePlan() says what is read, what is skipped, and how each view is made and why', () => {
  const later = [{ view: 'tiers', of: 'balances' }]
  const plan: RebuildPlan = { changedInputs: [], merged: [], job: 'bank', logs: [log], later }
  expect(describePlan(plan)).toBe(`log ledger
  read        1 file, 10,000,000 rows, 240 MB
  split       into 2 tasks of 2 row groups
  skip        1 row group of 4,000,000 rows, by their statistics
  duplicates  found by id (hashes)
  shuffle     over 128 buckets, reduced in 16 tasks

view      strategy  fold                     reads              because
balances  shuffle   by recordedAt, type, id  key, type, amount  handlers see events in order
counts    shuffle   by recordedAt, type, id  key, type, amount  handlers see events in order
daily     combine   any order                type, amount       the view merges

view tiers is made of the rows of view balances, once these are built
`)
})
