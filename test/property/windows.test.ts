import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { bool, date, defineJob, float64, int32, int64, timestamp } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { VintageLength } from '../../src/model/report.ts'
import type { LogView } from '../../src/model/view.ts'
import { rebuild } from '../../src/rebuild.ts'
import { parseMoment } from '../../src/time/moments.ts'
import { foldNaively, orderInText } from '../oracle/naive.ts'
import { foldWindowsNaively, type Moments, type TimedEvent } from '../oracle/windows.ts'
import { anyRows } from '../support/every-event.ts'
import { everyColumn, everyKind } from '../support/every-kind.ts'
import {
  type Row,
  readExceptions,
  readFile,
  readPublished,
  scratch,
  writeLogFiles,
  writeRows,
} from '../support/logs.ts'
import { timedColumns, timedViews } from '../support/timed-views.ts'

const folder = scratch('windows')
afterAll(folder.remove)

/** More of them on demand: `REFOLD_PROPERTY_RUNS=1000 vitest run test/property`. A failure prints its seed. */
const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 30)
const timeout = 120_000 + 5_000 * numRuns

const second = 1_000_000
const hour = 3600 * second
/** The night before clocks go forward in New York, and that before they go back: days of 23 and 25 hours. */
const nights = [Date.parse('2021-03-14T00:00:00-05:00') * 1000, Date.parse('2021-11-07T00:00:00-04:00') * 1000]
const silentHours = 20

interface TimedRow extends Row {
  readonly number: number
  readonly partition: string
}

const anyTimedRow = fc.record({
  key: fc.constantFrom('', 'a', 'b', 'c'),
  type: fc.constantFrom('Added', 'Added', 'Removed', 'Odd'),
  night: fc.constantFrom(...nights),
  occurred: fc.integer({ min: -40, max: 60 }),
  delay: fc.oneof(fc.integer({ min: -3, max: 40 }), fc.integer({ min: 0, max: 400 })),
  /** Right on an edge, or a step to either side. */
  nudge: fc.constantFrom(-1, 0, 0, 1),
  seq: fc.integer({ min: 0, max: 5 }),
  amount: fc.integer({ min: -20, max: 50 }),
  partition: fc.constantFrom('p=1', 'p=1', 'p=2', 'p=3'),
  twice: fc.constantFrom(false, false, false, false, true),
})

const anyTimedRows = (maxLength: number) =>
  fc.array(anyTimedRow, { maxLength, size: 'max' }).map((rows) =>
    rows.flatMap(({ night, occurred, delay, nudge, twice, ...rest }, number): TimedRow[] => {
      const happened = night + occurred * hour + nudge
      const row = { ...rest, number, happened, recorded: happened + delay * hour + nudge }
      return twice ? [row, { ...row, partition: 'p=2' }] : [row]
    }),
  )

/** Writes each partition's rows into two files of its own. */
function writePartitions(home: string, rows: readonly TimedRow[]): string {
  const partitions = Map.groupBy(rows, ({ partition }) => partition)
  if (rows.length === 0) writeRows(join(home, 'log/p=1/0.parquet'), timedColumns, [])
  for (const [partition, own] of partitions) {
    const half = own.length >> 1
    for (const [file, part] of [own.slice(0, half), own.slice(half)].entries()) {
      writeRows(join(home, 'log', partition, `${file}.parquet`), timedColumns, part, { rowGroupRows: 5 })
    }
  }
  return join(home, 'log/**/*.parquet')
}

const eventOf = ({ number, partition, happened, recorded, seq, ...row }: TimedRow, sequenced: boolean): TimedEvent => ({
  ...(row as unknown as TimedEvent),
  partition,
  id: number,
  occurredAt: happened as number,
  recordedAt: recorded as number,
  ...(sequenced ? { sequence: seq } : {}),
})

const iso = (microseconds: number) => {
  const text = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, -1)
  return `${text}${String(((microseconds % 1000) + 1000) % 1000).padStart(3, '0')}Z`
}
const momentOptions = ({ knownAt, asOf }: Moments) => ({
  ...(knownAt === undefined ? {} : { knownAt: iso(knownAt) }),
  ...(asOf === undefined ? {} : { asOf: iso(asOf) }),
})

let runs = 0

/** Runs with a log of its own and removes it. */
async function withLog<T>(rows: readonly TimedRow[], use: (files: string, home: string) => Promise<T>): Promise<T> {
  const home = join(folder.path, String(runs++))
  try {
    return await use(writePartitions(home, rows), home)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const triangleColumns = (view: LogView, isExact: boolean) => ({
  window: /hour/.test(view.window!.every) ? timestamp() : date(),
  delay: int32(),
  late: bool(),
  events: int64(),
  measure: isExact ? int64() : float64(),
})

/** Whether the log has a sequence, and what decides between events that are equal in all else. */
interface Ordering {
  readonly sequenced: boolean
  readonly tieBreak: readonly TieBreak[]
}

const anyOrdering = fc.record<Ordering>({
  sequenced: fc.boolean(),
  tieBreak: fc.constantFrom<readonly TieBreak[]>(
    [],
    [{ types: ['Removed', 'Added'] }],
    ['amount'],
    ['key', { types: ['Odd'] }],
  ),
})

async function expectFold(rows: readonly TimedRow[], ordering: Ordering, zone: string, moments: Moments) {
  const { sequenced } = ordering
  await withLog(rows, async (files, home) => {
    const views = timedViews({ files, zone, idleTimeout: `${silentHours} hours`, ...ordering })
    const options = { out: join(home, 'views'), workers: 0, ...momentOptions(moments) }
    const report = await rebuild(loadedFromDefinition(defineJob({ views })), options)
    const events = rows.map((row) => eventOf(row, sequenced))
    for (const view of views.filter(({ window }) => window !== undefined)) {
      const expected = foldWindowsNaively(view, events, moments, silentHours * hour)
      const { path, counters, order } = report.views.find((candidate) => candidate.view === view.name)!
      expect(order, view.name).toEqual(orderInText(expected.order))
      const { rows: published, manifest } = readPublished(path)
      expect(counters, view.name).toEqual(expected.counters)
      expect(published, view.name).toEqual(expected.rows)
      const late = readExceptions(path).filter(({ reason }) => reason === 'late')
      expect(new Set(late.map((row) => Number(row['event_id'])))).toEqual(new Set(expected.late))
      expect(late.length).toBe(expected.late.length)
      for (const { detail } of late) expect(detail).toMatch(/^recorded .+ after the window .+ closed$/)
      const isExact = expected.triangle.every(({ measure }) => Number.isInteger(measure))
      const triangle = readFile(join(path, manifest.triangle[0]!.name), triangleColumns(view, isExact))
      expect(triangle, view.name).toEqual(expected.triangle)
    }
  })
}

/** Rebuilds with vintages, and for each of them apart with known-at. */
async function expectVintages(
  views: readonly LogView[],
  home: string,
  every: VintageLength,
  knownAtOf: (key: number) => string,
  moments: Moments,
) {
  const job = loadedFromDefinition(defineJob({ views }))
  const base = { workers: 0, ...momentOptions(moments) }
  const report = await rebuild(job, { ...base, out: join(home, 'views'), vintages: every })
  const plain = await rebuild(job, { ...base, out: join(home, 'plain') })
  const vintagesOf = (view: string) => {
    const { path, counters, keys } = report.views.find((candidate) => candidate.view === `${view}-vintages`)!
    return { ...readPublished(path), counters, keys }
  }
  for (const { view, digest, counters } of plain.views) {
    // Asking for vintages changes nothing of the view itself.
    expect(report.views.find((candidate) => candidate.view === view)!.digest).toBe(digest)
    expect(vintagesOf(view).counters).toEqual(counters)
  }
  const cuts = new Set(views.flatMap(({ name }) => vintagesOf(name).rows.map((row) => row['knownAt'] as number)))
  const keys = new Map<string, number>()
  for (const cut of some([...cuts], 4)) {
    const knownAt = earlierOf(knownAtOf(cut), moments, views[0]!.log.zone)
    const apart = await rebuild(job, { ...base, out: join(home, `known ${cut}`), knownAt })
    for (const { view, path, keys: count } of apart.views) {
      const found = vintagesOf(view).rows.filter(({ knownAt }) => knownAt === cut)
      const without = found.map(({ knownAt: _, ...row }) => row)
      expect(without, `${view} known at ${knownAt}`).toEqual(readPublished(path).rows)
      keys.set(view, (keys.get(view) ?? 0) + count)
    }
  }
  if (cuts.size <= 4) for (const { name } of views) expect(vintagesOf(name).keys, name).toBe(keys.get(name) ?? 0)
  return vintagesOf
}

/** The end of a period, or the rebuild's own known-at where that lies within the period. */
function earlierOf(end: string, moments: Moments, zone: string): string {
  const own = momentOptions(moments).knownAt
  const isWithin = own !== undefined && parseMoment(end, { unit: 'us', zone, option: 'end' }) > BigInt(moments.knownAt!)
  return isWithin ? own : end
}

/** As many as that, spread from the first to the last: each costs a rebuild. */
function some<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all]
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * (all.length - 1)) / (count - 1))]!)
}

/** By window: once final, final in all later vintages. */
function expectFinality(rows: readonly Row[], column: string): void {
  const final = new Set<unknown>()
  for (const row of rows) {
    if (final.has(row[column])) expect(row['status']).toBe('final')
    if (row['status'] === 'final') final.add(row[column])
  }
}

const anyZone = fc.constantFrom('America/New_York', 'UTC', 'Asia/Kathmandu')
const anyMoment = fc.option(
  fc.tuple(fc.constantFrom(...nights), fc.integer({ min: -10, max: 80 })).map(([night, hours]) => night + hours * hour),
  { nil: undefined },
)
const anyMoments = fc.record<Moments>({ knownAt: anyMoment, asOf: anyMoment })
const lastOf = {
  day: (key: number) => new Date(key * 86_400_000).toISOString().slice(0, 10),
  hour: iso,
}

describe('windows', () => {
  test('a rebuild is the fold of the events within known-at and as-of, late ones told apart', { timeout }, async () => {
    await fc.assert(fc.asyncProperty(anyTimedRows(40), anyOrdering, anyZone, anyMoments, expectFold), { numRuns })
  })
})

describe('vintages are what rebuilds with known-at would give', () => {
  test('of views with windows and without', { timeout }, async () => {
    const property = fc.asyncProperty(
      // Every cut is a rebuild of its own.
      anyTimedRows(12),
      anyOrdering,
      anyZone,
      anyMoments,
      fc.constantFrom('day', 'hour', 'week', 'month'),
      (rows, ordering, zone, moments, every) =>
        withLog(rows, async (files, home) => {
          const views = timedViews({ files, zone, idleTimeout: `${silentHours} hours`, ...ordering })
          const knownAtOf = every === 'hour' ? lastOf.hour : lastOf.day
          const vintagesOf = await expectVintages(views, home, every, knownAtOf, moments)
          for (const { name, window } of views) {
            if (window !== undefined) expectFinality(vintagesOf(name).rows, window.name)
          }
        }),
    )
    // The rebuild's own known-at lies within a month, before the second of its events.
    const at = 1_636_257_599_999_999
    const row = { key: '', type: 'Added', seq: 0, amount: 0, partition: 'p=1', happened: at }
    const events = [
      { ...row, number: 0, recorded: at + 3_600_000_000 },
      { ...row, number: 1, recorded: at },
    ]
    const within: Moments = { knownAt: at + 1, asOf: undefined }
    await fc.assert(property, {
      numRuns: numRuns / 6,
      examples: [[events, { sequenced: false, tieBreak: [] }, 'America/New_York', within, 'month']],
    })
  })

  test('of every kind of view and field', { timeout }, async () => {
    const property = fc.asyncProperty(
      anyRows(15),
      fc.record({
        typed: fc.boolean(),
        sequenced: fc.boolean(),
        composite: fc.boolean(),
        uniqueIds: fc.constant(false),
        upcasts: fc.boolean(),
        looseOrder: fc.boolean(),
      }),
      async (rows, options) => {
        const home = join(folder.path, String(runs++))
        const files = writeLogFiles(join(home, 'log'), everyColumn, rows, { files: 2, rowGroupRows: 5 })
        await expectVintages(everyKind({ files, ...options }), home, 'day', lastOf.day, {})
        rmSync(home, { recursive: true, force: true })
      },
    )
    await fc.assert(property, { numRuns: numRuns / 5 })
  })

  test('of a view whose oracle is a fold of what was known', async () => {
    const [rows] = fc.sample(anyTimedRows(40), { seed: 7, numRuns: 1 })
    await withLog(rows!, async (files, home) => {
      const views = timedViews({ files, zone: 'UTC', idleTimeout: '1 day', sequenced: true })
      const balances = views.find(({ name }) => name === 'balances')!
      const options = { out: join(home, 'views'), workers: 0, vintages: 'day' } as const
      const report = await rebuild(loadedFromDefinition(defineJob({ views: [balances] })), options)
      const { rows: published } = readPublished(report.views[1]!.path)
      const days = [...new Set(rows!.map(({ recorded }) => Math.floor((recorded as number) / (24 * hour))))].sort(
        (a, b) => a - b,
      )
      const expected = days.flatMap((day) => {
        const known = rows!.filter(({ recorded }) => (recorded as number) < (day + 1) * 24 * hour)
        const folded = foldNaively(
          balances,
          known.map((row) => ({ ...eventOf(row, true), partition: '' })),
        )
        return folded.rows.map((row) => ({ knownAt: day, ...row }))
      })
      expect(published).toEqual(expected)
    })
  })
})
