import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  bool,
  ConfigurationError,
  date,
  defineJob,
  defineLog,
  defineView,
  float64,
  int32,
  int64,
  nullable,
  type RebuildOptions,
  string,
  timestamp,
  uint64,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { validateJob } from '../../src/job/validate.ts'
import type { LogDefinition, TieBreak } from '../../src/model/log.ts'
import type { OrderReport } from '../../src/model/order-report.ts'
import type { LogView } from '../../src/model/view.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Layout, type Row, readPublished, scratch, writeLogFiles } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('order')
})
afterEach(() => folder.remove())

const columns = {
  id: string(),
  stream: string(),
  customer: string(),
  type: string(),
  recorded: timestamp('us'),
  version: int64(),
  line: nullable(int64()),
}

/** An event of a stream of customer c, recorded at a second. */
const event = (id: string, stream: string, recorded: number, version: number, more: Row = {}): Row => ({
  ...{ id, stream, customer: 'c', type: 'Noted', recorded: BigInt(recorded) * 1_000_000n, version, line: null },
  ...more,
})

interface Given {
  readonly sequence?: boolean
  readonly recordedAt?: boolean
  readonly key?: boolean
  readonly scope?: 'stream' | 'log'
  readonly tieBreak?: readonly TieBreak[]
  readonly order?: LogDefinition['order']
  readonly partitionedByKey?: boolean
  readonly more?: Partial<LogView>
}

/** Two views that note the ids of their events in the order in which they are folded: one keyed by the stream, one by the customer. */
function viewsOf({ sequence = true, recordedAt = true, key = true, scope = 'stream', ...rest }: Given) {
  const declared = defineLog({
    name: 'log',
    files: join(folder.path, 'log/**/*.parquet'),
    columns: { id: 'id', key: 'stream', type: 'type', recordedAt: 'recorded', sequence: 'version' },
    fields: { customer: string(), line: nullable(int64()) },
    partitionedByKey: rest.partitionedByKey ?? false,
    sequenceScope: scope,
    ...(rest.order === undefined ? {} : { order: rest.order }),
  })
  const roles = {
    ...declared.columns,
    ...(sequence ? {} : { sequence: undefined }),
    ...(recordedAt ? {} : { recordedAt: undefined }),
    ...(key ? {} : { key: undefined }),
  }
  const log = { ...declared, columns: roles, tieBreak: rest.tieBreak ?? [] } as unknown as typeof declared
  const fold = {
    log,
    state: { path: string() },
    on: {
      '*': (s: { path: string }, e: { readonly id: string | number }) => {
        s.path += `${e.id} `
      },
    },
  }
  const byCustomer = defineView({
    ...fold,
    name: 'customers',
    key: { customer: string() },
    keyBy: (e) => ({ customer: e.customer }),
  })
  const byStream = defineView({ ...fold, name: 'streams' })
  return (key ? [byStream, byCustomer] : [byCustomer]).map((view) => ({ ...view, ...rest.more }))
}

async function build(
  rows: readonly Row[],
  given: Given = {},
  layout: Layout = { files: 1 },
  options: Partial<RebuildOptions> = {},
) {
  writeLogFiles(join(folder.path, 'log'), columns, rows, layout)
  const job = loadedFromDefinition(validateJob(defineJob({ views: viewsOf(given) }), 'job'))
  const report = await rebuild(job, { out: join(folder.path, 'views'), workers: 0, ...options })
  const found = Object.fromEntries(
    report.views.map(({ view, path, order, digest }) => {
      const paths = readPublished(path).rows.map((row) => String(row['path']).trim())
      return [view, { paths, order, digest }]
    }),
  )
  rmSync(join(folder.path, 'log'), { recursive: true })
  return found as Record<'streams' | 'customers', { paths: string[]; order: OrderReport | null; digest: string }>
}

const none = { events: 0, keys: 0, example: null }
const tie = (key: string, before: string, after: string, events = 1, keys = 1) => ({
  ties: { events, keys, example: { key: JSON.stringify(key), events: [before, after] } },
  againstSequence: none,
})

describe('a sequence that counts the events of each stream', () => {
  const twoOrders = [
    event('a1', 'A', 10, 1),
    event('a2', 'A', 20, 2),
    event('a3', 'A', 30, 3),
    event('b1', 'B', 40, 1),
    event('b2', 'B', 50, 2),
  ]

  test("doesn't order a view keyed by what brings streams together", async () => {
    const { streams, customers } = await build(twoOrders)
    expect(customers.paths).toEqual(['a1 a2 a3 b1 b2'])
    expect(streams.paths).toEqual(['a1 a2 a3', 'b1 b2'])
    expect(customers.order).toEqual({ ties: none, againstSequence: none })
  })

  test('does where it is declared to count through the log', async () => {
    const { customers } = await build(twoOrders, { scope: 'log' })
    expect(customers.paths).toEqual(['a1 b1 a2 b2 a3'])
  })

  test('does where the log says so by order', async () => {
    const { customers } = await build(twoOrders, { order: ['sequence'] })
    expect(customers.paths).toEqual(['a1 b1 a2 b2 a3'])
    expect(customers.order!.ties.events).toBe(2)
  })

  test('decides between events of a stream that were recorded at the same moment', async () => {
    const rows = [event('z', 'A', 10, 1), event('a', 'A', 10, 2), event('m', 'A', 10, 3)]
    const { customers } = await build(rows.toReversed())
    expect(customers.paths).toEqual(['z a m'])
    expect(customers.order).toEqual({ ties: none, againstSequence: none })
  })

  test('orders a window by recordedAt', async () => {
    const more = {
      window: { name: 'day', every: 'day', zone: 'UTC', allowedLateness: '1 day', late: 'apply' as const },
    }
    const [, customers] = viewsOf({})
    const log = { ...customers!.log, columns: { ...customers!.log.columns, occurredAt: 'recorded' } }
    writeLogFiles(join(folder.path, 'log'), columns, twoOrders, { files: 2 })
    const view = { ...customers!, ...more, key: undefined, keyBy: undefined, log } as LogView
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
      ...{ out: join(folder.path, 'views'), workers: 0 },
    })
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['path'])).toEqual(['a1 a2 a3 b1 b2 '])
  })

  test('is reported where recordedAt contradicts it, though other streams lie between', async () => {
    const rows = [event('a2', 'A', 10, 2), event('b1', 'B', 20, 1), event('a1', 'A', 30, 1), event('a3', 'A', 40, 3)]
    const { streams, customers } = await build(rows)
    expect(customers.paths).toEqual(['a2 b1 a1 a3'])
    expect(customers.order!.againstSequence).toEqual({
      events: 1,
      keys: 1,
      example: { key: '"c"', events: ['a2', 'a1'] },
    })
    expect(streams.paths).toEqual(['a1 a2 a3', 'b1'])
    expect(streams.order).toEqual({ ties: none, againstSequence: none })
  })

  test('is reported the same in any memory and from any files', async () => {
    const rows = Array.from({ length: 600 }, (_, i) =>
      event(`e${i}`, `s${i % 7}`, (i * 37) % 600, i, { customer: `c${i % 3}`, type: 'x'.repeat(i % 50) }),
    )
    const whole = await build(rows)
    expect(whole.customers.order!.againstSequence.events).toBeGreaterThan(100)
    expect(
      await build(rows, {}, { files: 5, rank: (i) => (i * 7919) % 600, rowGroupRows: 20 }, { memoryBytes: 1 }),
    ).toEqual(whole)
  })
})

describe('streams that are no texts', () => {
  const keyed = { key: int64(), day: date(), ratio: float64(), flag: bool(), small: int32() }
  const rows = [
    { id: '3', recorded: 10n, version: 2, customer: 'c', key: -5, day: 3, ratio: -0.5, flag: false, small: -1 },
    { id: '2', recorded: 10n, version: 1, customer: 'c', key: -5, day: 3, ratio: -0.5, flag: false, small: -1 },
    { id: '1', recorded: 10n, version: 1, customer: 'c', key: 7, day: 4, ratio: 1.5, flag: true, small: 2 },
    { id: '4', recorded: 20n, version: 0, customer: 'c', key: 7, day: 4, ratio: 1.5, flag: true, small: 2 },
  ]
  test.each(['key', 'day', 'ratio', 'flag', 'small'] as const)('but a %s', async (name) => {
    const type = keyed[name]
    writeLogFiles(
      join(folder.path, 'log'),
      { id: string(), recorded: timestamp('us'), version: int64(), customer: string(), ...keyed },
      rows,
      {
        files: 2,
      },
    )
    const log = defineLog({
      name: 'log',
      files: join(folder.path, 'log/**/*.parquet'),
      columns: { id: 'id', key: { ...type, from: name }, recordedAt: 'recorded', sequence: 'version' },
      fields: { customer: string() },
    })
    const view = defineView({
      name: 'customers',
      log,
      key: { customer: string() },
      keyBy: (e) => ({ customer: e.customer }),
      state: { path: string() },
      on: {
        '*': (s, e) => {
          s.path += `${e.id} `
        },
      },
    })
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
      ...{ out: join(folder.path, 'views'), workers: 0 },
    })
    const { order, path } = report.views[0]!
    expect(String(readPublished(path).rows[0]!['path']).split(' ').toSorted()).toEqual(['', '1', '2', '3', '4'])
    expect(String(readPublished(path).rows[0]!['path'])).toMatch(/2 3 .*4 $/)
    expect(order!.ties).toMatchObject({ events: 1, keys: 1 })
    expect(order!.againstSequence).toEqual({ events: 1, keys: 1, example: { key: '"c"', events: ['1', '4'] } })
  })
})

test('integers without a sign are ordered as such, wherever their events are folded', async () => {
  const rows = [2n ** 64n - 1n, 5n, 2n ** 63n, null, 2n ** 63n - 1n].map((rank, index) => ({
    ...{ id: `${index}`, key: 'a', recorded: 10n, rank },
  }))
  writeLogFiles(
    join(folder.path, 'log'),
    { id: string(), key: string(), recorded: timestamp('us'), rank: nullable(uint64()) },
    rows,
    {
      files: 1,
    },
  )
  const log = defineLog({
    name: 'log',
    files: join(folder.path, 'log/*.parquet'),
    columns: { id: 'id', key: 'key', recordedAt: 'recorded' },
    fields: { rank: nullable(uint64()) },
    tieBreak: 'rank',
    partitionedByKey: true,
  })
  const view = defineView({
    ...{ name: 'ranks', log, state: { path: string() } },
    on: {
      '*': (s, e) => {
        s.path += e.id
      },
    },
  })
  for (const strategy of ['shuffle', 'in-place'] as const) {
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), {
      ...{ out: join(folder.path, strategy), workers: 0, strategy },
    })
    expect(readPublished(report.views[0]!.path).rows[0]!['path']).toBe('31420')
    expect(report.views[0]!.order!.ties.events).toBe(0)
  }
})

describe('a view whose events have no order is refused', () => {
  const refusal = (given: Given): string => {
    try {
      validateJob(defineJob({ views: viewsOf(given) }), 'job')
      return ''
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      return (error as Error).message
    }
  }

  test('where streams meet and the log has no recordedAt, with what may be declared', () => {
    const message = refusal({ recordedAt: false })
    expect(message).toContain('view "customers": its events have no order: its key may bring several streams together')
    expect(message).toContain("sequenceScope: 'log'")
    expect(message).toContain("order: ['sequence']")
    expect(message).not.toContain('view "streams"')
  })

  test('where the log names no streams', () => {
    expect(refusal({ key: false })).toContain('the log names no stream. Name its column in columns.key')
  })

  test.each([
    ['the sequence counts through the log', { recordedAt: false, scope: 'log' }],
    ['and there are no streams', { recordedAt: false, key: false, scope: 'log' }],
    ['the log says its order', { recordedAt: false, order: ['sequence'] }],
    ['the log has no sequence', { sequence: false }],
    ['order does not matter', { recordedAt: false, more: { orderFree: true } }],
  ] as const)('but not where %s', (_, given) => expect(refusal(given)).toBe(''))

  test('and so is a tieBreak that says nothing', () => {
    expect(refusal({ tieBreak: ['lines'] })).toContain(
      'tieBreak: expected one of customer, line, key, occurredAt, or { types: [...] }, found "lines"',
    )
    expect(refusal({ tieBreak: ['occurredAt'] })).toContain('tieBreak: the log has no occurredAt')
    expect(refusal({ tieBreak: ['line', 'line'] })).toContain('tieBreak: "line" is listed twice')
    expect(refusal({ tieBreak: [{ types: ['A', 'A'] }] })).toContain('tieBreak.types: "A" is listed twice')
    expect(refusal({ tieBreak: [{ types: ['*'] }] })).toContain(
      'tieBreak.types: expected the name of a type, found "*"',
    )
    expect(refusal({ tieBreak: ['line'], order: ['recordedAt', 'id'] })).toContain('leaves nothing to decide')
    expect(refusal({ sequence: false, scope: 'log' })).toContain('sequenceScope: the log has no sequence')
  })
})

describe('events that nothing declared tells apart', () => {
  const opened = (id: string, stream: string, type: string, line: number | null = null) =>
    event(id, stream, 10, 0, { type, line: line === null ? null : BigInt(line) })
  const tied = [
    opened('3', 'A', 'Opened'),
    opened('1', 'A', 'Paid', 2),
    opened('2', 'A', 'Closed', 1),
    opened('4', 'B', 'Opened'),
  ]
  const noSequence = { sequence: false }

  test('are ordered by id, and counted key by key', async () => {
    const { streams, customers } = await build(tied, noSequence)
    expect(streams.paths).toEqual(['1 2 3', '4'])
    expect(streams.order).toEqual(tie('A', '1', '2', 2))
    expect(customers.order).toEqual(tie('c', '1', '2', 3))
  })

  test('are ordered by their types where those are declared', async () => {
    const tieBreak = [{ types: ['Opened', 'Paid', 'Closed'] }]
    const { streams, customers } = await build(tied, { ...noSequence, tieBreak })
    expect(streams.paths).toEqual(['3 1 2', '4'])
    expect(streams.order!.ties).toEqual(none)
    expect(customers.paths).toEqual(['3 4 1 2'])
    expect(customers.order).toEqual(tie('c', '3', '4'))
  })

  test('are ordered by a field, null first, and types that are not listed come last', async () => {
    expect((await build(tied, { ...noSequence, tieBreak: ['line'] })).streams.paths).toEqual(['3 2 1', '4'])
    const { streams } = await build(tied, { ...noSequence, tieBreak: [{ types: ['Closed'] }] })
    expect(streams.paths).toEqual(['2 1 3', '4'])
    expect(streams.order).toEqual(tie('A', '1', '3'))
  })

  test('of different streams are no tie where the streams are declared to come by name', async () => {
    const rows = [event('2', 'A', 10, 1), event('1', 'B', 10, 1)]
    const streamsTied = await build(rows)
    expect(streamsTied.customers.paths).toEqual(['2 1'])
    expect(streamsTied.customers.order).toEqual(tie('c', '2', '1'))
    expect((await build(rows, { tieBreak: ['key'] })).customers.order!.ties).toEqual(none)
  })

  test('are no tie where ids are declared to come in order', async () => {
    expect((await build(tied, { ...noSequence, order: ['recordedAt', 'id'] })).streams.order!.ties).toEqual(none)
  })

  test('are not what is the same event twice', async () => {
    const rows = [event('1', 'A', 10, 1), event('1', 'A', 10, 1), event('2', 'A', 20, 1)]
    expect((await build(rows, noSequence)).streams.order!.ties).toEqual(none)
  })

  test('do not matter to a view without an order', async () => {
    const { streams, customers } = await build(tied, { ...noSequence, more: { orderFree: true } })
    expect([streams.order, customers.order]).toEqual([null, null])
  })

  test('count only where the view folds both, whatever views it is folded with', async () => {
    const on = { Paid: () => {}, Opened: () => {} }
    expect((await build(tied, { ...noSequence, more: { on } })).streams.order).toEqual(tie('A', '1', '3'))
  })

  test('are counted the same however the log is split, where it is folded and in any memory', async () => {
    const rows = Array.from({ length: 900 }, (_, i) =>
      event(`e${(i * 7919) % 900}`, `s${i % 5}`, Math.floor(i / 60), 0, { type: ['Opened', 'Paid', 'Closed'][i % 3] }),
    )
    const given = { ...noSequence, tieBreak: [{ types: ['Closed', 'Opened'] }] }
    const whole = await build(rows, given)
    expect(whole.streams.order!.ties).toMatchObject({ keys: 5 })
    expect(whole.streams.order!.ties.events).toBeGreaterThan(50)
    const shuffled = { files: 4, rank: (i: number) => (i * 37) % 900, rowGroupRows: 30 }
    expect(await build(rows, given, shuffled)).toEqual(whole)
    expect(await build(rows, given, shuffled, { memoryBytes: 1 })).toEqual(whole)
    const inPlace = { ...given, partitionedByKey: true }
    expect((await build(rows, inPlace)).streams).toEqual(whole.streams)
    const byStream = { files: 1, rank: (i: number) => 900 - i, rowGroupRows: 100 }
    expect((await build(rows, inPlace, byStream)).streams).toEqual(whole.streams)
  })
})
