import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  bool,
  defineJob,
  defineLog,
  defineView,
  int32,
  int64,
  type RebuildOptions,
  string,
  timestamp,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Row, readExceptions, readFile, readPublished, scratch, writeRows } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('windows')
})
afterEach(() => folder.remove())

const columns = { id: string(), key: string(), happened: timestamp('us'), recorded: timestamp('us'), amount: int64() }
const at = (text: string) => Date.parse(text) * 1000
const dayOf = (text: string) => Date.parse(text) / 86_400_000

/** An event, recorded when it happened unless another moment is given. */
const event = (id: string, happened: string, recorded = happened, amount = 1): Row => ({
  id,
  key: 'a',
  happened: BigInt(at(happened)),
  recorded: BigInt(at(recorded)),
  amount,
})

interface Given {
  readonly zone?: string
  readonly idleTimeout?: string
  readonly every?: 'hour' | 'day' | '2 days'
  readonly allowedLateness?: string
  readonly late?: 'exceptions' | 'apply'
}

/** Rebuilds a view of windows over partitions of events. */
async function build(
  partitions: Readonly<Record<string, readonly Row[]>>,
  given: Given,
  options: Partial<RebuildOptions> = {},
) {
  for (const [name, rows] of Object.entries(partitions)) {
    writeRows(join(folder.path, 'log', name, '0.parquet'), columns, rows, { rowGroupRows: 2 })
  }
  const { zone = 'UTC', idleTimeout = '1 day', every = 'day', allowedLateness = '2 days', late = 'exceptions' } = given
  const log = defineLog({
    name: 'log',
    files: join(folder.path, 'log/**/*.parquet'),
    columns: { id: 'id', key: 'key', occurredAt: 'happened', recordedAt: 'recorded' },
    zone,
    idleTimeout,
    fields: { amount: int64() },
  })
  const view = defineView({
    name: 'sums',
    log,
    window: { every, allowedLateness, late, measure: (e) => e.amount },
    state: { events: int32(), amount: int64() },
    on: {
      '*': (sum, e) => {
        sum.events++
        sum.amount += e.amount
      },
    },
  })
  const out = join(folder.path, 'views')
  const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0, ...options })
  const { path, counters } = report.views[0]!
  const { rows, manifest } = readPublished(path)
  return { report, rows, manifest, counters, path, exceptions: readExceptions(path) }
}

describe('an event that was recorded beyond the tolerated lateness', () => {
  const partitions = {
    '.': [
      event('in time', '2021-05-16T12:00:00Z'),
      // The window ends on the 17th, and may be added to until the 19th: that moment is still in time.
      event('just', '2021-05-16T13:00:00Z', '2021-05-19T00:00:00Z', 10),
      event('late', '2021-05-16T14:00:00Z', '2021-05-26T03:00:00Z', 100),
      event('other', '2021-05-25T00:00:00Z'),
    ],
  }

  test('is listed and not applied', async () => {
    const { rows, counters, exceptions } = await build(partitions, {})
    expect(counters).toMatchObject({ read: 4, applied: 3, late: 1, filtered: 0 })
    expect(exceptions).toEqual([
      {
        reason: 'late',
        event_id: 'late',
        type: 'Event',
        detail: 'recorded 9 d 3 h after the window 2021-05-16 closed',
      },
    ])
    expect(rows).toEqual([
      {
        window: dayOf('2021-05-16'),
        events: 2,
        amount: 11,
        status: 'final',
        knownThrough: at('2021-05-26T03:00:00Z'),
        lateEvents: 1,
      },
      {
        window: dayOf('2021-05-25'),
        events: 1,
        amount: 1,
        status: 'provisional',
        knownThrough: at('2021-05-26T03:00:00Z'),
        lateEvents: 0,
      },
    ])
  })

  test('is applied as a correction where the view says so', async () => {
    const { rows, counters, exceptions } = await build(partitions, { late: 'apply' })
    expect(counters).toMatchObject({ read: 4, applied: 4, late: 0 })
    expect(exceptions).toEqual([])
    expect(rows[0]).toMatchObject({ events: 3, amount: 111, lateEvents: 1, status: 'final' })
  })

  test('makes no row where it is all there is of its window', async () => {
    const only = [event('late', '2021-05-16T14:00:00Z', '2021-05-26T03:00:00Z')]
    const { rows, counters } = await build({ '.': only }, {})
    expect(rows).toEqual([])
    expect(counters).toMatchObject({ read: 1, applied: 0, late: 1 })
  })

  test('counts in the triangle, by how many windows later it was recorded', async () => {
    const { path, manifest } = await build(partitions, {})
    const [file] = manifest.triangle
    const types = { window: int32(), delay: int32(), late: bool(), events: int64(), measure: int64() }
    expect(readFile(join(path, file!.name), types)).toEqual([
      { window: dayOf('2021-05-16'), delay: 0, late: false, events: 1, measure: 1 },
      { window: dayOf('2021-05-16'), delay: 3, late: false, events: 1, measure: 10 },
      { window: dayOf('2021-05-16'), delay: 10, late: true, events: 1, measure: 100 },
      { window: dayOf('2021-05-25'), delay: 0, late: false, events: 1, measure: 1 },
    ])
  })
})

describe('what is known', () => {
  const old = event('old', '2021-05-10T06:00:00Z')
  const two = { 'p=1': [old, event('new', '2021-05-14T06:00:00Z')], 'p=2': [event('behind', '2021-05-13T20:00:00Z')] }

  test('reaches as far as the partition that has come least far', async () => {
    const { rows, manifest } = await build(two, {})
    expect(manifest.window!.watermark).toBe('2021-05-13T20:00:00.000000Z')
    expect(manifest.progress).toEqual([
      { partition: 'p=1', recordedAt: '2021-05-14T06:00:00.000000Z' },
      { partition: 'p=2', recordedAt: '2021-05-13T20:00:00.000000Z' },
    ])
    expect(rows.map(({ status }) => status)).toEqual(['final', 'provisional', 'provisional'])
  })

  test('goes on without a partition that is silent', async () => {
    const silent = { ...two, 'p=3': [event('long ago', '2021-05-01T00:00:00Z')] }
    const { manifest } = await build(silent, { idleTimeout: '6 hours' })
    expect(manifest.window!.watermark).toBe('2021-05-14T00:00:00.000000Z')
  })

  test('takes no notice of a partition that has said nothing yet', async () => {
    const { manifest } = await build(two, {}, { knownAt: '2021-05-10' })
    expect(manifest.window!.watermark).toBe('2021-05-10T06:00:00.000000Z')
    expect(manifest.progress).toEqual([{ partition: 'p=1', recordedAt: '2021-05-10T06:00:00.000000Z' }])
  })

  test('counts events that as-of leaves out, in row groups that are skipped too', async () => {
    const { rows, manifest } = await build(two, {}, { asOf: '2021-05-10' })
    expect(rows.length).toBe(1)
    expect(manifest.window!.watermark).toBe('2021-05-13T20:00:00.000000Z')
  })

  test('is nothing before the first event, which the report says', async () => {
    const { report, rows, manifest, counters } = await build(two, {}, { knownAt: '2021-01-01', vintages: 'day' })
    expect(rows).toEqual([])
    expect(counters).toMatchObject({ read: 3, filtered: 3 })
    expect(manifest.window!.watermark).toBeNull()
    expect(manifest.progress).toEqual([])
    expect(report.views.map(({ view, rows }) => [view, rows])).toEqual([
      ['sums', 0],
      ['sums-vintages', 0],
    ])
    expect(report.notes).toEqual([
      'Log log had recorded no event by 2021-01-01T23:59:59.999999Z, so its views have no rows.',
    ])
  })
})

describe('days in which clocks are changed', () => {
  test.each([
    // 23 hours: the day ends at 04:00 UTC, having begun at 05:00.
    ['2021-03-14', '2021-03-14T05:00:00Z', '2021-03-15T03:59:59.999Z', 23],
    // 25 hours, from 04:00 to 05:00 UTC.
    ['2021-11-07', '2021-11-07T04:00:00Z', '2021-11-08T04:59:59.999Z', 25],
  ])('%s holds what happened from its midnight to the next', async (day, first, last, hours) => {
    const before = new Date(Date.parse(first) - 1).toISOString()
    const after = new Date(Date.parse(last) + 1).toISOString()
    const events = [before, first, last, after].map((moment, i) => event(`e${i}`, moment))
    const { rows } = await build({ '.': events }, { zone: 'America/New_York' })
    expect(rows.map(({ window, events }) => [window, events])).toEqual([
      [dayOf(day) - 1, 1],
      [dayOf(day), 2],
      [dayOf(day) + 1, 1],
    ])
    expect((Date.parse(after) - Date.parse(first)) / 3_600_000).toBe(hours)
  })

  test('are whole days in the tolerated lateness', async () => {
    // The window of the 13th ends at 05:00 UTC; a day later, as clocks count, is 04:00 UTC.
    const events = [
      event('in time', '2021-03-13T12:00:00Z', '2021-03-15T04:00:00Z'),
      event('late', '2021-03-13T12:00:00Z', '2021-03-15T04:00:00.001Z'),
    ]
    const zone = 'America/New_York'
    const { counters } = await build({ '.': events }, { zone, allowedLateness: '1 day' })
    expect(counters).toMatchObject({ applied: 1, late: 1 })
  })

  test('hold exact hours', async () => {
    const events = ['2021-11-07T05:30:00Z', '2021-11-07T06:30:00Z'].map((moment, i) => event(`e${i}`, moment))
    const { rows } = await build({ '.': events }, { zone: 'America/New_York', every: 'hour' })
    expect(rows.map(({ window }) => window)).toEqual([at('2021-11-07T05:00:00Z'), at('2021-11-07T06:00:00Z')])
  })
})

describe('moments that are unusual', () => {
  test('an event may be recorded before it happens', async () => {
    const { rows, counters, path, manifest } = await build(
      { '.': [event('planned', '2021-06-01T00:00:00Z', '2021-05-01T00:00:00Z')] },
      {},
    )
    expect(counters).toMatchObject({ applied: 1, late: 0 })
    expect(rows[0]).toMatchObject({ window: dayOf('2021-06-01'), status: 'provisional' })
    const types = { delay: int32(), events: int64() }
    expect(readFile(join(path, manifest.triangle[0]!.name), types)).toEqual([{ delay: 0, events: 1 }])
  })

  test('years like 1948 and 9999 have windows', async () => {
    const events = [event('early', '1948-02-29T12:00:00Z'), event('far', '9999-12-31T23:59:59Z')]
    // Handlers see no occurredAt, which a number of microseconds could not hold in the year 9999.
    const { rows } = await build({ '.': events }, { every: '2 days' })
    expect(rows.map(({ window }) => window)).toEqual([dayOf('1948-02-28'), dayOf('9999-12-31')])
  })

  test('vintages hold final rows that stay so', async () => {
    const partitions = {
      '.': [
        event('first', '2021-05-01T00:00:00Z'),
        event('second', '2021-05-04T00:00:01Z'),
        event('late', '2021-05-01T10:00:00Z', '2021-05-06T00:00:00Z', 5),
      ],
    }
    const { report } = await build(partitions, { late: 'apply' }, { vintages: 'day' })
    const { rows, manifest } = readPublished(report.views[1]!.path)
    const first = rows.filter(({ window }) => window === dayOf('2021-05-01'))
    expect(first.map(({ knownAt, amount, status, lateEvents }) => [knownAt, amount, status, lateEvents])).toEqual([
      [dayOf('2021-05-01'), 1, 'provisional', 0],
      [dayOf('2021-05-04'), 1, 'final', 0],
      [dayOf('2021-05-06'), 6, 'final', 1],
    ])
    expect(manifest.options.vintages).toBe('day')
    expect(manifest.key.map(({ name, type }) => [name, type])).toEqual([
      ['knownAt', 'date'],
      ['window', 'date'],
    ])
  })
})
