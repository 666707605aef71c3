import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  bool,
  defineJob,
  defineLog,
  defineView,
  int64,
  json,
  loadDefinition,
  nullable,
  type RebuildOptions,
  rebuild,
  string,
  type ViewDefinition,
} from '../../src/index.ts'
import { readExceptions, readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('failing')
})
afterEach(() => folder.remove())

const EVENTS = 3_000

function log() {
  return defineLog({
    name: 'ledger',
    files: join(folder.path, 'log.parquet'),
    columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at' },
    fields: { amount: int64() },
  })
}

async function build(view: ViewDefinition, options: Partial<RebuildOptions> = {}, events = EVENTS) {
  const rows = Array.from({ length: events }, (_, number) => ledgerRow(number, { amount: number }))
  writeRows(join(folder.path, 'log.parquet'), ledgerColumns, rows)
  const job = await loadDefinition(defineJob({ views: [view] }))
  const report = await rebuild(job, { out: join(folder.path, 'views'), workers: 0, ...options })
  return report.views[0]!
}

/** What each of three accounts holds when every event whose number is a multiple of seven fails. */
const expected = [0, 1, 2].map((account) => {
  const applied = Array.from({ length: EVENTS }, (_, number) => number).filter((n) => n % 3 === account && n % 7 !== 0)
  return { key: `a${account}`, n: applied.length, sum: applied.reduce((sum, n) => sum + n, 0) }
})
const failures = Math.ceil(EVENTS / 7)

test.each([
  ['flat', 1e9],
  ['json', 1e9],
  ['free-form', 1e9],
  // Room for some hundred of the thousand events that a key has, and for one.
  ['flat', 200_000],
  ['json', 200_000],
  ['free-form', 1],
])('many events that fail leave no trace in a %s state, in %s bytes', async (kind, memoryBytes) => {
  const fail = (amount: number) => {
    if (amount % 7 === 0) throw new Error('a multiple of seven')
  }
  const ledger = log()
  const common = { name: 'sums', log: ledger, onError: 'quarantine' } as const
  const views: Readonly<Record<string, ViewDefinition>> = {
    flat: defineView({
      ...common,
      state: { n: int64(), sum: int64(), last: nullable(string()), odd: bool() },
      on: {
        '*': (s, e) => {
          s.n++
          s.sum += e.amount
          s.last = `e${e.amount}`
          s.odd = !s.odd
          fail(e.amount)
        },
      },
    }),
    json: defineView({
      ...common,
      state: { n: int64(), sum: int64(), seen: json<number[]>(undefined, { initial: [] }) },
      on: {
        '*': (s, e) => {
          s.seen.push(e.amount)
          s.n = s.seen.length
          s.sum += e.amount
          fail(e.amount)
        },
      },
    }),
    'free-form': defineView({
      ...common,
      state: () => ({ seen: [] as number[] }),
      on: {
        '*': (s, e) => {
          s.seen.push(e.amount)
          fail(e.amount)
        },
      },
      columns: { n: int64(), sum: int64() },
      row: (s) => ({ n: s.seen.length, sum: s.seen.reduce((a, b) => a + b, 0) }),
    }),
  }
  const report = await build(views[kind]!, { memoryBytes })
  const { rows } = readPublished(report.path)
  expect(rows.map((row) => ({ key: row['account_id'], n: Number(row['n']), sum: Number(row['sum']) }))).toEqual(
    expected,
  )
  expect(report.counters).toMatchObject({ applied: EVENTS - failures, quarantined: failures })
  expect(readExceptions(report.path)).toHaveLength(failures)
})

test('more events may fail than a call has arguments', async () => {
  const view = defineView({
    name: 'all',
    log: log(),
    state: { n: int64() },
    on: {
      '*': () => {
        throw new Error('no')
      },
    },
    onError: 'quarantine',
  })
  const report = await build(view, {}, 140_000)
  expect(report).toMatchObject({ rows: 0, exceptions: 140_000, counters: { applied: 0, quarantined: 140_000 } })
})

test.each([
  [true, 1],
  [true, 100_000],
  [false, 5_000],
  [false, 100_000],
])(
  'an event whose handler throws is found where events were spilled: orderFree %s, %i bytes',
  async (orderFree, memoryBytes) => {
    const view = defineView({
      name: 'sums',
      log: log(),
      state: { n: int64() },
      on: {
        '*': (_, e) => {
          if (e.amount === 2_222) throw new Error('no')
        },
      },
      orderFree,
    })
    await expect(build(view, { memoryBytes })).rejects.toThrow('row group 0, row 2222, event e2222: threw Error: no')
  },
)

test.each<[string, (state: { n: number }) => unknown]>([
  ['an async helper', async (state) => void state.n++],
  ['a promise that fails', () => Promise.reject(new Error('stray'))],
])('a handler that returns %s is refused', async (_, work) => {
  const view = defineView({ name: 'v', log: log(), state: { n: int64() }, on: { '*': (s) => work(s) as undefined } })
  await expect(build(view)).rejects.toThrow('it returned a promise; a fold can')
})

test('a handler may return what it likes otherwise, and its third parameter may have a default value', async () => {
  const seen = new Set<unknown>()
  const view = defineView({
    name: 'v',
    log: log(),
    state: { n: int64() },
    on: {
      '*': (s, _e, key = { key: 'none' }) => {
        seen.add(key.key)
        return Object.assign(s, { n: s.n + 1 }) as never
      },
    },
  })
  const report = await build(view)
  expect(report.rows).toBe(3)
  expect([...seen].sort()).toEqual(['a0', 'a1', 'a2'])
})

test('a state can be copied into a row', async () => {
  const view = defineView({
    name: 'v',
    log: log(),
    state: { n: int64(), sum: int64() },
    on: {
      '*': (s, e) => {
        s.n++
        s.sum += e.amount
      },
    },
    columns: { n: int64(), sum: int64(), mean: int64() },
    row: (s) => ({ ...s, mean: Math.round(s.sum / s.n) }),
  })
  const { rows } = readPublished((await build(view)).path)
  expect(rows[0]).toMatchObject({ n: 1000, mean: 1499 })
})

test('an event can be copied whole in a handler', async () => {
  const view = defineView({
    name: 'v',
    log: log(),
    state: { last: json<object>() },
    on: {
      '*': (s, e) => {
        s.last = { ...e }
      },
    },
  })
  const { rows } = readPublished((await build(view)).path)
  const last = { id: 'e2997', key: 'a0', type: 'Deposited', amount: 2997 }
  expect(rows[0]!['last']).toMatchObject(last)
})
