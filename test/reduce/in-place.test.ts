import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, int32, int64, string } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { InputError, ViewError } from '../../src/model/errors.ts'
import type { Strategy } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import { readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow, ledgerRows, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('in-place')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

const partitioned = 'partitionedByKey: true,'

test.each([0, 1])(
  'a key in two partitions is refused with an event of it in each, with %i workers',
  async (workers) => {
    writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, ledgerRows(0, 3, 6), { rowGroupRows: 1 })
    writeRows(join(home, 'log/p=2/0.parquet'), ledgerColumns, ledgerRows(1, 4))
    writeRows(join(home, 'log/p=2/1.parquet'), ledgerColumns, [...ledgerRows(7), ledgerRow(9)])
    const error = await refusal(writeJob(home, { log: partitioned }), home, { workers })
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toBe(
      'Cannot fold log ledger in place: expected all events of a key in one partition, as the log says partitionedByKey, ' +
        'found key "a0" at log/p=1/0.parquet, row group 0, row 0, event e0 and at log/p=2/1.parquet, row group 0, row 1, event e9. ' +
        'Leave partitionedByKey out, or write all events of a key into the files of one name=value folder, or into one file where there are no such folders.',
    )
    expect(error.place).toMatchObject({ file: join(home, 'log/p=2/1.parquet'), row: 1, eventId: 'e9' })
  },
)

test('a log that is not what it says to be is rebuilt by a shuffle all the same', async () => {
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(0, 1, 2))
  writeRows(join(home, 'log/1.parquet'), ledgerColumns, ledgerRows(3, 4, 5))
  const report = await run(writeJob(home, { log: partitioned }), home, { strategy: 'shuffle' })
  expect(readPublished(report.views[0]!.path).rows.map((row) => row['balance'])).toEqual([3, 5, 7])
})

test.each<[string, string]>([
  ['in the order of its key', '{ n: int64() }'],
  ['out of order', '{ n: int64(), sum: float64() }'],
])('a handler that throws names the event, as a shuffle would: %s', async (_, state) => {
  const rows = ledgerRows(0, 1, 2, 12, 9, 6, 3)
  writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, rows, { rowGroupRows: 2 })
  const on = `{ Deposited: (s, e, key) => { s.n++; if (e.amount === 9 && s.n === 4) throw new Error('no ' + key.key) } }`
  const messages: string[] = []
  for (const strategy of ['shuffle', 'in-place'] satisfies Strategy[]) {
    const view = `state: ${state}, on: ${on}`
    const error = await refusal(writeJob(home, { log: partitioned, view }), home, { strategy })
    expect(error).toBeInstanceOf(ViewError)
    messages.push(error.message)
  }
  // Folded in order, e9 is the fourth event of its key.
  expect(messages[1]).toBe(
    'View balances, handler Deposited, key "a0", at log/p=1/0.parquet, row group 2, row 0, event e9: threw Error: no a0',
  )
  expect(messages[1]).toBe(messages[0])
})

test('an event that fails is named by its id though other files of its partition were read since', async () => {
  writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, ledgerRows(0, 1, 2, 3), { rowGroupRows: 2 })
  writeRows(join(home, 'log/p=1/1.parquet'), ledgerColumns, ledgerRows(4), { rowGroupRows: 1 })
  const view = `state: { n: int64() }, on: { Deposited: (s, e) => { s.n++; if (e.amount === 2) throw new Error('no') } }`
  const messages: string[] = []
  for (const strategy of ['shuffle', 'in-place'] satisfies Strategy[]) {
    messages.push((await refusal(writeJob(home, { log: partitioned, view }), home, { strategy })).message)
  }
  expect(messages[1]).toContain('log/p=1/0.parquet, row group 1, row 0, event e2: threw Error: no')
  expect(messages[1]).toBe(messages[0])
})

test('zero has no sign in a state of integers, whatever the strategy', async () => {
  writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, ledgerRows(0, 3))
  const view =
    `state: { n: int64(undefined, { initial: -0 }), at: timestamp() }, columns: { signs: string() }, ` +
    `on: { Deposited: (s, e) => { s.n = e.amount === 0 ? -e.amount : s.n; s.at = -0 } }, ` +
    `row: (s) => ({ signs: String(1 / s.n) + ' ' + String(1 / s.at) })`
  for (const strategy of ['shuffle', 'in-place'] satisfies Strategy[]) {
    const report = await run(writeJob(home, { log: partitioned, view }), home, { strategy, allowMissingInputs: true })
    expect(readPublished(report.views[0]!.path).rows).toMatchObject([{ signs: 'Infinity Infinity' }])
  }
})

test('a handler that does not mind order throws at the event it is at', async () => {
  writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, ledgerRows(0, 1, 2, 3), { rowGroupRows: 2 })
  const view = `orderFree: true, state: { n: int64() }, on: { Deposited: (s, e) => { if (e.amount === 3) throw new Error('no') } }`
  const error = await refusal(writeJob(home, { log: partitioned, view }), home)
  expect(error.message).toBe(
    'View balances, handler Deposited, key "a0", at log/p=1/0.parquet, row group 1, row 1, event e3: threw Error: no',
  )
})

test('a failed event of another view is found without folding a part of a partition in place', async () => {
  const files = join(home, 'log/**/*.parquet')
  const amounts = [-2e9, 2e9, 1e9].map((amount, number) => ledgerRow(number * 3, { amount }))
  writeRows(join(home, 'log/p=1/0.parquet'), ledgerColumns, amounts.slice(0, 1))
  writeRows(join(home, 'log/p=1/1.parquet'), ledgerColumns, amounts.slice(1))
  const log = defineLog({
    ...{ name: 'ledger', files, partitionedByKey: true, fields: { amount: int64() } },
    columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at' },
  })
  // The second file alone is more than 32 bits hold.
  const sums = defineView({
    ...{ name: 'sums', log, orderFree: true, state: { sum: int32() } },
    on: {
      Deposited: (s, e) => {
        s.sum += e.amount
      },
    },
  })
  const types = defineView({
    ...{ name: 'types', log, key: { type: string() }, state: { n: int64() } },
    keyBy: (e) => ({ type: e.type }),
    on: {
      Deposited: (_, e) => {
        if (e.amount === 1e9) throw new Error('no')
      },
    },
  })
  const job = loadedFromDefinition(defineJob({ views: [sums, types] }))
  await expect(rebuild(job, { out: join(home, 'views'), workers: 0 })).rejects.toThrow(
    /^View types, handler Deposited, .*p=1\/1\.parquet, row group 0, row 1, event e6: threw Error: no$/,
  )
})

test('a log that is partitioned by a key must have one', async () => {
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(0))
  const error = await refusal(
    writeJob(home, {
      log: partitioned,
      columns: `id: 'event_id', type: 'type', recordedAt: 'recorded_at'`,
      view: `key: { type: string() }, keyBy: (e) => ({ type: e.type }), state: { n: int64() }, on: {}`,
    }),
    home,
  )
  expect(error.message).toContain('partitionedByKey: the log has no key')
})
