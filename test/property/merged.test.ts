import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { defineJob } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import type { MergedView } from '../../src/model/view.ts'
import { foldTogether } from '../oracle/merged.ts'
import { orderInText, type PlainEvent } from '../oracle/naive.ts'
import { type Layout, type Row, readFile, readPublished, scratch, writeLogFiles } from '../support/logs.ts'
import { type MergedOptions, mergedViews, orderColumns, paymentColumns } from '../support/merged-views.ts'
import { type Performers, rebuildBy } from '../support/rebuild-by.ts'

const folder = scratch('merged')
afterAll(folder.remove)

const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 40)
const timeout = 20_000 + 1_000 * numRuns

type Given = Omit<MergedOptions, 'orders' | 'payments'>
interface Rows {
  readonly orders: readonly Row[]
  readonly payments: readonly Row[]
}

/** An event of either log; moments and keys are so few that many tie. */
const anyEvent = fc.record<Row>({
  key: fc.constantFrom('', 'a', 'b', 'é'),
  type: fc.constantFrom('Created', 'Created', 'Shipped', 'Split', 'Odd', 'Strange'),
  happened: fc.nat(3),
  recorded: fc.nat(3),
  seq: fc.nat(3),
  amount: fc.nat(4),
  note: fc.option(fc.constantFrom('', 'n', '日本')),
  method: fc.option(fc.nat(2)),
})

/** Ids count from 0 in both logs, and some events are there several times. */
const anyLog = fc
  .tuple(fc.array(anyEvent, { maxLength: 14 }), fc.array(fc.tuple(fc.nat(13), fc.nat(20)), { maxLength: 4 }))
  .map(([events, repeats]) => {
    const rows = events.map((event, number): Row => ({ ...event, number }))
    for (const [which, place] of repeats) if (which < events.length) rows.splice(place, 0, rows[which]!)
    return rows
  })
const second = 1_000_000

function orderRow({ number, key, type, happened, recorded, seq, amount, note }: Row): Row {
  const moments = { happened: (happened as number) * second, recorded: (recorded as number) * second }
  return { id: String(number), order_id: key, type, ...moments, seq, amount, note }
}

function paymentRow({ number, key, type, happened, recorded, seq, amount, method }: Row): Row {
  const moments = { happened: (happened as number) * second, recorded: (recorded as number) * second }
  return { id: number, for_order: key, kind: type, ...moments, seq, amount: String(amount), method }
}

function eventsOf({ orders, payments }: Rows, { sequenced }: Given): Readonly<Record<string, PlainEvent[]>> {
  const sequence = (row: Row) => (sequenced ? { sequence: row['seq'] } : {})
  const moments = (row: Row) => ({ occurredAt: row['happened'], recordedAt: row['recorded'] })
  return {
    orders: orders.map(orderRow).map(
      (row): PlainEvent => ({
        ...{ id: row['id'] as string, key: row['order_id'], type: row['type'] as string, ...moments(row) },
        ...{ ...sequence(row), amount: row['amount'], note: row['note'] },
      }),
    ),
    payments: payments.map(paymentRow).map(
      (row): PlainEvent => ({
        ...{ id: row['id'] as number, key: row['for_order'], type: row['kind'] as string, ...moments(row) },
        ...{ ...sequence(row), amount: row['amount'], method: row['method'] },
      }),
    ),
  }
}

const anyGiven = fc.record<Given>({
  sequenced: fc.boolean(),
  sequenceScope: fc.constantFrom('stream', 'log'),
  tieBreak: fc.constantFrom<TieBreak[]>([], ['amount'], [{ types: ['Shipped', 'Created'] }]),
  upcasts: fc.boolean(),
})

const anyLayout = fc.record({
  files: fc.integer({ min: 1, max: 3 }),
  rank: fc.array(fc.nat(100), { minLength: 20, maxLength: 20 }).map((ranks) => (index: number) => ranks[index % 20]!),
  rowGroupRows: fc.integer({ min: 1, max: 6 }),
  dictionary: fc.boolean(),
})

let runs = 0

function writeLogs(home: string, { orders, payments }: Rows, layouts: readonly [Layout, Layout]) {
  return {
    orders: writeLogFiles(join(home, 'orders'), orderColumns, orders.map(orderRow), layouts[0]),
    payments: writeLogFiles(join(home, 'payments'), paymentColumns, payments.map(paymentRow), layouts[1]),
  }
}

/** What of an event that is not applied is expected in the list of exceptions. */
function listedIn(path: string): { readonly refused: string[]; readonly duplicates: number } {
  const text = { kind: 'string', nullable: false } as const
  const types = { reason: text, event_id: text, type: text, detail: text, log: text }
  const listed = readPublished(path).manifest.exceptions.flatMap(({ name }) => readFile(join(path, name), types))
  const refused = listed.filter(({ reason }) => reason !== 'duplicate').map((row) => `${row['log']} ${row['event_id']}`)
  return { refused, duplicates: listed.length - refused.length }
}

/** Rebuilds every kind of view of two logs and compares rows, counters, order and lists of exceptions with those of the oracle. */
async function expectLaws(
  rows: Rows,
  given: Given,
  layouts: readonly [Layout, Layout],
  more: Partial<RebuildOptions> = {},
  performers: Performers = 0,
): Promise<ReadonlyMap<string, string>> {
  const home = join(folder.path, String(runs++))
  const views = mergedViews({ ...writeLogs(home, rows, layouts), ...given })
  const job = loadedFromDefinition(defineJob({ views }))
  const report = await rebuildBy(performers, job, { out: join(home, 'views'), memoryBytes: 1e9, ...more })
  for (const view of views) {
    const expected = foldTogether(view, eventsOf(rows, given))
    const { path, counters, keys, order } = report.views.find((candidate) => candidate.view === view.name)!
    const { rows: published, manifest } = readPublished(path)
    expect(published, view.name).toEqual(expected.rows)
    expect(counters, view.name).toEqual(expected.counters)
    expect(manifest).toMatchObject({ counters, rows: published.length, keys })
    if (more.strategy !== 'combine') expect(order, view.name).toEqual(orderInText(expected.order))
    const { refused, duplicates } = listedIn(path)
    expect(new Set(refused), view.name).toEqual(new Set(expected.quarantined))
    expect(duplicates).toBe(counters.duplicate)
  }
  rmSync(home, { recursive: true, force: true })
  return new Map(report.views.map(({ view, digest }) => [view, digest]))
}

const anyRows = fc.record<Rows>({ orders: anyLog, payments: anyLog })
const anyLayouts = fc.tuple(anyLayout, anyLayout)

describe('what is published of several logs is what the oracle says', () => {
  test('any two logs', { timeout }, async () => {
    const property = fc.asyncProperty(anyRows, anyGiven, anyLayouts, async (rows, given, layouts) => {
      await expectLaws(rows, given, layouts)
    })
    await fc.assert(property, { numRuns: numRuns * 2 })
  })

  test('in any memory, by any strategy, by whoever performs the tasks, with the same digests', {
    timeout,
  }, async () => {
    const anyMemory = fc.constantFrom(1, 3_000)
    const anyPerformers = fc.constantFrom<Performers>(0, 'hosts', 'failing thread', 'failing hosts')
    const property = fc.asyncProperty(
      fc.tuple(anyRows, anyGiven),
      fc.tuple(anyLayouts, anyLayouts),
      anyMemory,
      anyPerformers,
      async ([rows, given], [before, after], memoryBytes, performers) => {
        const plain = await expectLaws(rows, given, before)
        const other = await expectLaws(rows, given, after, { memoryBytes, strategy: 'shuffle' }, performers)
        expect(other).toEqual(plain)
      },
    )
    await fc.assert(property, { numRuns })
  })

  test('up to any moment that is known', { timeout }, async () => {
    const property = fc.asyncProperty(anyRows, anyGiven, anyLayouts, fc.nat(3), async (rows, given, layouts, last) => {
      const known = (all: readonly Row[]) => all.filter(({ recorded }) => (recorded as number) <= last)
      const knownAt = new Date(last * 1000).toISOString()
      await expectKnown(rows, { orders: known(rows.orders), payments: known(rows.payments) }, given, layouts, knownAt)
    })
    await fc.assert(property, { numRuns })
  })
})

/** A view as it was known is the view of what was known; all else is filtered. */
async function expectKnown(
  rows: Rows,
  known: Rows,
  given: Given,
  layouts: readonly [Layout, Layout],
  knownAt: string,
): Promise<void> {
  const home = join(folder.path, String(runs++))
  const views = mergedViews({ ...writeLogs(home, rows, layouts), ...given })
  const report = await rebuildBy(0, loadedFromDefinition(defineJob({ views })), { out: join(home, 'views'), knownAt })
  for (const view of views as MergedView[]) {
    const expected = foldTogether(view, eventsOf(known, given))
    const { path, counters } = report.views.find((candidate) => candidate.view === view.name)!
    expect(readPublished(path).rows, view.name).toEqual(expected.rows)
    expect(counters.applied).toBe(expected.counters.applied)
    expect(counters.read).toBe(rows.orders.length + rows.payments.length)
  }
  rmSync(home, { recursive: true, force: true })
}
