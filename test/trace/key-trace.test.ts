import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  bigint,
  decimal,
  defineJob,
  defineLog,
  defineView,
  int64,
  loadDefinition,
  string,
  timestamp,
  traceKey,
} from '../../src/index.ts'
import { scratch, writeRows } from '../support/logs.ts'

const folder = scratch('key-trace')
afterAll(() => folder.remove())

const columns = { id: string(), account: string(), at: timestamp(), amount: int64(), price: decimal(9, 2) }
const rows = [0, 1, 2].map((i) => ({
  id: `e${i}`,
  account: i === 1 ? 'B' : 'A',
  at: 1_621_663_200_000_000 + i,
  amount: i + 1,
  price: 100 * i + 50,
}))
writeRows(join(folder.path, 'log.parquet'), columns, rows)

const log = defineLog({
  name: 'log',
  files: join(folder.path, 'log.parquet'),
  columns: { id: 'id', key: 'account', recordedAt: 'at' },
  fields: { amount: int64(), price: decimal(9, 2) },
})
const sums = defineView({
  name: 'sums',
  log,
  state: { total: int64(), large: bigint() },
  on: {
    Event: (sum, e) => {
      sum.total += e.amount + e.price - e.price
      sum.large = 2n ** 60n + BigInt(sum.total)
    },
  },
})

test('traceKey() tells what became of each event of a key, in the values that rows have', async () => {
  const job = await loadDefinition(defineJob({ views: [sums] }))
  const progress: number[] = []
  const trace = await traceKey(job, {
    ...{ view: 'sums', key: { account: 'A' }, statesMax: 1 },
    onProgress: ({ done }) => progress.push(done),
  })
  expect(trace).toMatchObject({ view: 'sums', log: 'log', zone: 'UTC', outside: 0, rowGroups: { read: 1, skipped: 0 } })
  expect(trace.rows).toEqual([{ account: 'A', total: 4, large: 2n ** 60n + 4n }])
  expect(trace.columns.map(({ name, type }) => [name, type])).toEqual([
    ['account', 'string'],
    ['total', 'int64'],
    ['large', 'bigint'],
  ])
  expect(trace.events).toEqual([
    expect.objectContaining({ event: 'e0', outcome: 'applied', before: null, after: null }),
    {
      ...{ event: 'e2', type: 'Event', recordedAt: '2021-05-22T06:00:00.000002Z' },
      fields: { amount: 3, price: '2.50' },
      ...{ outcome: 'applied', reason: null, changed: ['total', 'large'] },
      ...{ omitted: [], changes: [], moreChanges: 0 },
      before: { total: 1, large: 2n ** 60n + 1n },
      after: { total: 4, large: 2n ** 60n + 4n },
      place: { file: join(folder.path, 'log.parquet'), rowGroup: 0, row: 2 },
    },
  ])
  expect(progress).toEqual([3])
})

test('traceKey() takes a key in order, and refuses one that is not whole', async () => {
  const job = await loadDefinition(defineJob({ views: [sums] }))
  expect((await traceKey(job, { view: 'sums', key: ['B'] })).rows).toEqual([
    { account: 'B', total: 2, large: 2n ** 60n + 2n },
  ])
  await expect(traceKey(job, { view: 'sums', key: {} })).rejects.toThrow('expected 1 values, found 0.')
  await expect(traceKey(job, { view: 'none', key: ['B'] })).rejects.toThrow('has no view "none": it has sums.')
})
