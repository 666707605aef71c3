import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { bool, defineJob, defineView, int32, int64 } from '../../src/index.ts'
import { type LoadedJob, loadedFromDefinition } from '../../src/job/load.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { Counters } from '../../src/model/report.ts'
import type { LogView } from '../../src/model/view.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import type { KeyRows } from '../../src/trace/passbook.ts'
import { type Key, planTrace, type TracePlan } from '../../src/trace/plan-trace.ts'
import { drained, openTrace, type TracedEvent } from '../../src/trace/trace.ts'
import { outputSchema } from '../../src/view/view-set.ts'
import { anyRows } from '../support/every-event.ts'
import { everyColumn, everyKind, type LogOptions } from '../support/every-kind.ts'
import { handlerValue, type Layout, type Row, readPublished, scratch, writeLogFiles } from '../support/logs.ts'

const folder = scratch('trace-property')
afterAll(folder.remove)

/** More of them on demand: `REFOLD_PROPERTY_RUNS=1000 vitest run test/property`. A failure prints its seed. */
const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 20)
const timeout = 30_000 + 2_000 * numRuns

let runs = 0

/** Views with windows: days of a zone that left one out, and pieces of days, late events applied or not. */
function windowed(log: LogView['log']): LogView[] {
  const state = { events: int32(), total: int64() }
  const add = (s: { events: number; total: number }, e: Row) => {
    s.events++
    s.total += e['amount'] as number
  }
  const merge = (into: { events: number; total: number }, from: { events: number; total: number }) => {
    into.events += from.events
    into.total += from.total
  }
  return [
    defineView({
      ...{ name: 'days', log, state, on: { Added: add, Odd: add }, merge },
      window: { every: 'day', zone: 'Pacific/Apia', allowedLateness: '12 hours', late: 'apply' },
    }),
    defineView({
      ...{ name: 'pieces', log, state, on: { '*': add }, key: { flag: bool() } },
      keyBy: (e) => ({ flag: e['flag'] as boolean }),
      window: { name: 'piece', every: '6 hours', allowedLateness: '1 day', measure: (e) => e['amount'] as number },
    }),
  ]
}

interface Moments {
  readonly knownAt?: string
  readonly asOf?: string
}

/** Rebuilds every kind of view of a log, traces every key of each, and compares what the keys became. */
async function expectSame(rows: readonly Row[], given: Omit<LogOptions, 'files'>, layout: Layout, moments: Moments) {
  const home = join(folder.path, String(runs++))
  const options = { files: writeLogFiles(join(home, 'log'), everyColumn, rows, layout), ...given }
  const kinds = everyKind(options)
  const views = [...kinds, ...windowed(kinds[0]!.log)]
  const job = loadedFromDefinition(defineJob({ views }))
  const report = await rebuild(job, { out: join(home, 'views'), workers: 0, ...moments })
  for (const view of views) {
    const { path, counters, rows: count } = report.views.find((candidate) => candidate.view === view.name)!
    expectKeysAs(job, view, readPublished(path).rows, moments, counters, count)
  }
  rmSync(home, { recursive: true, force: true })
}

function expectKeysAs(
  job: LoadedJob,
  view: LogView,
  published: readonly Row[],
  moments: Moments,
  counters: Counters,
  count: number,
): void {
  const plan = planTrace(job, { view: view.name, ...moments }, disk)
  const columns = outputSchema(plan.log, view)
  const names = plan.traced.views[0]!.codec.names
  const keyOf = (row: Row): Key => Object.fromEntries(names.map((name, i) => [name, row[columns[i]!.name]]))
  const keys = Map.groupBy(published, (row) =>
    JSON.stringify(keyOf(row), (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  )
  const applied = new Set<string>()
  let seen = 0
  for (const rows of keys.values()) {
    const { items: events, end } = drained(openTrace(plan, keyOf(rows[0]!)).events())
    expect(rowsOf(plan, end), view.name).toEqual(rows)
    expectUnbroken(events)
    for (const { outcome, place } of events) {
      if (outcome === 'applied') applied.add(`${place.file} ${place.rowGroup} ${place.row}`)
    }
    seen += rows.length
  }
  expect(seen).toBe(count)
  // An event may have several keys, and a key no row.
  expect(applied.size).toBeLessThanOrEqual(counters.applied + counters.quarantined)
  if (view.row === undefined && counters.quarantined === 0) expect(applied.size, view.name).toBe(counters.applied)
}

function rowsOf({ log, view }: TracePlan, rows: KeyRows): Row[] {
  const columns = outputSchema(log, view)
  return Array.from({ length: rows.rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name, type }, i) => [name, handlerValue(rows.columns[i]!, type, row)])),
  )
}

/** Each event finds the state as the one before it left it. */
function expectUnbroken(events: readonly TracedEvent[]): void {
  const folded = events.filter(({ before }) => before !== null)
  for (const [i, { before }] of folded.entries()) if (i > 0) expect(before).toEqual(folded[i - 1]!.after)
}

describe('a trace ends in the rows that a rebuild publishes', () => {
  const anyOptions = fc.record({
    typed: fc.boolean(),
    sequenced: fc.boolean(),
    composite: fc.boolean(),
    uniqueIds: fc.constant(false),
    upcasts: fc.boolean(),
    looseOrder: fc.boolean(),
    scope: fc.constantFrom('stream' as const, 'log' as const),
    tieBreak: fc.constantFrom<readonly TieBreak[]>(
      [],
      [{ types: ['Removed', 'Added'] }],
      ['maybeText', 'flag'],
      ['key'],
    ),
  })
  const anyLayout = fc.record<Layout>({
    files: fc.integer({ min: 1, max: 4 }),
    rowGroupRows: fc.constantFrom(3, 8, 1000),
    dictionary: fc.boolean(),
  })
  const anyMoment = fc
    .integer({ min: -1, max: 9 })
    .map((tick) => new Date(1_621_641_600_000 + tick * 25_200_000).toISOString())
  const anyMoments = fc.record<Moments>({ knownAt: anyMoment, asOf: anyMoment }, { requiredKeys: [] })

  test('for every key of any log, up to any moment', { timeout }, async () => {
    const property = fc.asyncProperty(anyRows(30), anyOptions, anyLayout, anyMoments, expectSame)
    await fc.assert(property, { numRuns })
  })
})
