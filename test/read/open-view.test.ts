import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Key, listViews, openView, type Row, type RowsOptions, type View } from '../../src/index.ts'
import { int64, nullable, string, timestamp } from '../../src/model/types.ts'
import { disk } from '../../src/storage/disk.ts'
import { manifestPath } from '../../src/storage/generations.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { run } from '../support/refusal.ts'

const folder = scratch('open-view')
const out = join(folder.path, 'views')
afterAll(() => folder.remove())

const columns = { id: string(), account: string(), at: timestamp(), amount: int64(), note: nullable(string()) }
const start = 1_621_641_600_000_000
const events = Array.from({ length: 600 }, (_, i) => ({
  id: `e${i}`,
  account: `A${String(i % 100).padStart(3, '0')}`,
  at: start + i * 60_000_000,
  amount: i,
  note: i % 3 === 0 ? null : `note ${i % 3}`,
}))

const job = (factor: number) => `
import { bigint, bool, date, dayOf, decimal, defineJob, defineLog, defineView, float64, int64, json, nullable, string, timestamp } from 'refold'
const log = defineLog({ name: 'log', files: ${JSON.stringify(join(folder.path, 'log.parquet'))},
  columns: { id: 'id', key: 'account', occurredAt: 'at', recordedAt: 'at' }, fields: { amount: int64(), note: nullable(string()) } })
const on = { Event: (sum, e) => { sum.total += e.amount * ${factor}; sum.lastAt = e.occurredAt } }
const accounts = defineView({ name: 'accounts', log, on, state: { total: int64(), lastAt: timestamp() },
  columns: { total: int64(), lastAt: timestamp(), large: bigint(), price: decimal(18, 2), ratio: float64(), even: bool(),
    day: date(), tags: json() },
  row: (sum) => ({ total: sum.total, lastAt: sum.lastAt, large: 2n ** 60n + BigInt(sum.total), price: sum.total,
    ratio: sum.total / 8, even: sum.total % 2 === 0, day: dayOf(sum.lastAt), tags: { total: sum.total } }) })
const keyed = defineView({ name: 'keyed', log, on: { Event: (sum, e) => { sum.events++ } }, state: { events: int64() },
  keyBy: (e) => ({ day: dayOf(e.occurredAt), note: e.note, price: e.amount, odd: e.amount % 2 !== 0, large: BigInt(e.amount) }),
  key: { day: date(), note: nullable(string()), price: decimal(18, 2), odd: bool(), large: bigint() } })
export default defineJob({ views: [accounts, keyed] })
`

beforeAll(async () => {
  writeRows(join(folder.path, 'log.parquet'), columns, events)
  for (const factor of [1, 2]) {
    const path = join(folder.path, 'job.ts')
    writeFileSync(path, job(factor))
    await run(path, folder.path, {})
  }
})

async function rowsOf(view: View, options?: RowsOptions): Promise<Row[]> {
  return allOf(view.rows(options))
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('rows() gives every row once, its values exact', async () => {
  const view = await openView(out, 'accounts')
  const rows = await rowsOf(view)
  expect(rows.map(({ account }) => account).sort()).toEqual(
    Array.from({ length: 100 }, (_, i) => `A${String(i).padStart(3, '0')}`),
  )
  expect(rows.find(({ account }) => account === 'A007')).toEqual({
    account: 'A007',
    total: 3084,
    lastAt: '2021-05-22T08:27:00.000000Z',
    large: 2n ** 60n + 3084n,
    price: '30.84',
    ratio: 385.5,
    even: true,
    day: '2021-05-22',
    tags: { total: 3084 },
  })
  expect(view.columns.map(({ name }) => name)).toEqual(Object.keys(rows[0]!))
  expect(view.manifest.rows).toBe(rows.length)
})

test('rows() reads some columns, in the order asked for, and stops at a limit', async () => {
  const view = await openView(out, 'accounts')
  const rows = await rowsOf(view, { columns: ['total', 'account'], limit: 3 })
  expect(rows.map((row) => Object.keys(row))).toEqual([
    ['total', 'account'],
    ['total', 'account'],
    ['total', 'account'],
  ])
  expect(await rowsOf(view, { limit: 0 })).toEqual([])
  await expect(rowsOf(view, { columns: ['sum'] })).rejects.toThrow('View accounts has no column "sum": it has account,')
  await expect(rowsOf(view, { columns: [] })).rejects.toThrow('View accounts: expected at least one column, found none')
  await expect(rowsOf(view, { limit: -1 })).rejects.toThrow('expected a limit of 0 or more rows, found -1')
  await expect(rowsOf(view, { tier: 'final' })).rejects.toThrow('tier final: expected a view with windows')
})

describe('get()', () => {
  const key = { day: '2021-05-22', note: 'note 1', price: '0.07', odd: true, large: 7n }

  test('finds a key by names or in order, and every row by its own values', async () => {
    const view = await openView(out, 'keyed')
    expect(await view.get(key)).toEqual([{ ...key, events: 1 }])
    expect(await view.get(['2021-05-22', null, '0.00', false, 0])).toHaveLength(1)
    for await (const { events: _, ...own } of view.rows({ limit: 50 })) {
      expect(await view.get(own as Key)).toEqual([{ ...own, events: 1 }])
    }
    view.close()
  })

  test('finds all keys that begin so', async () => {
    const view = await openView(out, 'keyed')
    expect(await view.get({ day: '2021-05-22' })).toHaveLength(600)
    expect(await view.get({ day: '2021-05-22', note: null })).toHaveLength(200)
    expect(await view.get({ day: '2021-05-23' })).toEqual([])
    view.close()
    expect(await view.get(['2021-05-22', 'note 2'])).toHaveLength(200)
    view.close()
  })

  test.each<[string, Key, string]>([
    [
      'a day that is none',
      { day: '2021-02-30' },
      'Key column day: expected a day such as 2021-05-22, found 2021-02-30.',
    ],
    ['a number for a day', { day: 18_769 }, 'Key column day: expected a day such as 2021-05-22, found 18769.'],
    ['a number for a decimal', ['2021-05-22', 'n', 7], 'Key column price: expected a decimal such as 12.50'],
    [
      'a fraction for an integer',
      [...Object.values(key).slice(0, 4), 1.5],
      'Key column large: expected a whole number',
    ],
    ['another name', { date: '2021-05-22' }, 'expected values of all of them or of the first, found date.'],
    ['a gap', { day: '2021-05-22', price: '0.07' }, 'View keyed has the key day, note, price, odd, large: expected'],
    ['too many values', [...Object.values(key), 1], 'expected at most 5 values, found 6.'],
    ['no value', [], 'View keyed: expected values of a key, found none.'],
  ])('refuses %s', async (_, wrong, message) => {
    const view = await openView(out, 'keyed')
    await expect(view.get(wrong)).rejects.toThrow(message)
  })
})

describe('diff()', () => {
  test('compares with the generation before, exactly', async () => {
    const view = await openView(out, 'accounts')
    const diff = await view.diff()
    const changes = await allOf(diff.changes())
    expect(changes).toHaveLength(100)
    expect(changes.find(({ key }) => key.account === 'A007')).toMatchObject({
      change: 'changed',
      row: 0,
      old: { total: 1542, large: 2n ** 60n + 1542n, price: '15.42', tags: { total: 1542 } },
      new: { total: 3084, large: 2n ** 60n + 3084n, price: '30.84', tags: { total: 3084 } },
    })
    // Each pass counts for itself.
    for (const _ of [1, 2])
      expect((await diff.count()).rows).toEqual({ added: 0, removed: 0, changed: 100, unchanged: 0 })
    expect((await diff.count()).columns).toContainEqual({ name: 'lastAt', rows: 0 })
  })

  test('of the first generation asks for another', async () => {
    const first = await openView(out, 'accounts', { generation: 1 })
    await expect(first.diff()).rejects.toThrow('is the first. Name another as before.')
    const reversed = await first.diff({ before: 2 })
    expect((await reversed.count()).keys.changed).toBe(100)
    expect(await first.diff({ after: 2, before: 1 })).toMatchObject({ before: first.generation })
  })
})

test('a view without windows has no corrections and no triangle', async () => {
  const view = await openView(out, 'accounts')
  await expect(allOf(view.corrections())).rejects.toThrow('corrections: expected a view with windows')
  await expect(view.triangle()).rejects.toThrow('triangle: expected a view with windows')
})

test('what is not there is said so', async () => {
  expect(await listViews(out)).toEqual(['accounts', 'keyed'])
  expect(await listViews(join(folder.path, 'nowhere'))).toEqual([])
  await expect(openView(out, 'balances')).rejects.toThrow('holds accounts, keyed')
  await expect(openView(out, 'accounts', { generation: 7 })).rejects.toThrow(
    'Cannot read generation 7 of view accounts',
  )
})

test('history() lists a damaged generation and says why', async () => {
  const view = await openView(out, 'keyed')
  const before = await view.history()
  expect(before.map(({ damaged, rows }) => [damaged, rows])).toEqual([
    [false, 600],
    [false, 600],
  ])
  const path = manifestPath(before[0]!.path)
  const text = disk.readText(path)
  writeFileSync(path, '{')
  const reasons: string[] = []
  const after = await view.history({ onDamage: (reason) => reasons.push(reason) })
  writeFileSync(path, text)
  expect(after.map(({ damaged }) => damaged)).toEqual([true, false])
  expect(reasons).toEqual([expect.stringContaining(path)])
})
