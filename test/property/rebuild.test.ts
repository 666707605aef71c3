import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { defineJob } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { LogView } from '../../src/model/view.ts'
import { rebuild } from '../../src/rebuild.ts'
import { foldNaively, orderInText, type PlainEvent } from '../oracle/naive.ts'
import { anyRow, anyRows, eventOf, idOf } from '../support/every-event.ts'
import { everyColumn, everyKind, type LogOptions } from '../support/every-kind.ts'
import { type Layout, type Row, readExceptions, readPublished, scratch, writeLogFiles } from '../support/logs.ts'

const folder = scratch('property')
afterAll(folder.remove)

/** Values as text, so that numbers of different types and −0 compare as they are published. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'number') return Object.is(value, -0) ? 0 : value
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

/** More of them on demand: `REFOLD_PROPERTY_RUNS=1000 vitest run test/property`. A failure prints its seed. */
const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 40)
const timeout = 20_000 + 1_000 * numRuns

/** Microseconds since 1970: only events recorded, occurred up to then. */
interface Moments {
  readonly knownAt?: number | undefined
  readonly asOf?: number | undefined
}

type Options = Omit<LogOptions, 'files'>

let runs = 0

/** Rebuilds every kind of view of a log and compares rows, counters and lists of exceptions with those of the oracle. */
async function expectLaws(
  rows: readonly Row[],
  given: Options,
  layout: Layout,
  moments: Moments = {},
  memoryBytes = 1e9,
): Promise<void> {
  const home = join(folder.path, String(runs++))
  const options = { files: writeLogFiles(join(home, 'log'), everyColumn, rows, layout), ...given }
  const views = everyKind(options)
  const text = (name: keyof Moments) =>
    moments[name] === undefined ? {} : { [name]: new Date(moments[name] / 1000).toISOString() }
  const asked = { out: join(home, 'views'), workers: 0, memoryBytes, ...text('knownAt'), ...text('asOf') }
  const report = await rebuild(loadedFromDefinition(defineJob({ views })), asked)
  const idOfEvent = new Map(rows.map((row) => [eventOf(row, options).id, idOf(row, options)]))
  for (const view of views) {
    const expected = foldWithin(
      view,
      rows.map((row) => eventOf(row, options)),
      moments,
    )
    const { path, counters, keys, rows: count, order } = report.views.find((candidate) => candidate.view === view.name)!
    const { rows: published, manifest } = readPublished(path)
    expect(counters, view.name).toEqual(expected.counters)
    const found = orderInText(expected.order, (id) => idOfEvent.get(id)!)
    expect(order, view.name).toEqual(found)
    expect(manifest.order, view.name).toEqual(found)
    expect(published.map(plain), view.name).toEqual(expected.rows.map(plain))
    expect(manifest).toMatchObject({ counters, rows: published.length, keys })
    expect(count).toBe(published.length)
    const listed = readExceptions(path)
    const refused = listed.filter(({ reason }) => reason !== 'duplicate').map((row) => row['event_id'])
    expect(new Set(refused), view.name).toEqual(new Set(expected.quarantined.map((id) => idOfEvent.get(id))))
    expect(listed.length - refused.length).toBe(counters.duplicate)
  }
  rmSync(home, { recursive: true, force: true })
}

/** Events outside the moments asked for are filtered; which of several equal events is the duplicate doesn't matter. */
function foldWithin(view: LogView, events: readonly PlainEvent[], { knownAt, asOf }: Moments) {
  const isWithin = (event: PlainEvent) =>
    (event['recordedAt'] as number) <= (knownAt ?? Number.POSITIVE_INFINITY) &&
    (event['occurredAt'] as number) <= (asOf ?? Number.POSITIVE_INFINITY)
  const folded = foldNaively(view, events.filter(isWithin))
  const { filtered } = folded.counters
  const outside = new Set(events.filter((event) => !isWithin(event)).map((event) => event.id)).size
  const duplicate = events.length - new Set(events.map((event) => event.id)).size
  return { ...folded, counters: { ...folded.counters, read: events.length, filtered: filtered + outside, duplicate } }
}

const plainLog: Options = {
  typed: true,
  sequenced: false,
  composite: false,
  uniqueIds: false,
  upcasts: false,
  looseOrder: false,
}

/** A row with these values and nothing special besides. */
function row(number: number, values: Row = {}): Row {
  const moment = 1_621_641_600_000_000
  return {
    ...{
      source: 'a',
      number,
      key: 'k',
      type: 'Added',
      happened: moment,
      recorded: moment,
      seq: 0,
      small: 1,
      amount: 1,
    },
    ...{ big: 0n, money: 0, ratio: 0.5, flag: false, text: 'a', seconds: 0, precise: 0n, day: 0, document: null },
    payload: {},
    ...values,
  }
}

describe('a rebuild does what the laws say of', () => {
  // What properties found, named.
  test('a log without a type column, whose events are of type Event', () =>
    expectLaws([row(1), row(2)], { ...plainLog, typed: false }, { files: 1 }))

  test('a column that no file has, declared with a decimal in its place', () =>
    expectLaws([row(1)], plainLog, { files: 1 }))

  test('keys whose state begins with an array, each with its own', () =>
    expectLaws([row(1), row(2, { key: 'l', small: 2 })], plainLog, { files: 1 }))

  test('upcast events that have nulls where the files have none', () =>
    expectLaws(
      [row(1, { type: 'Split', payload: { address: { city: 'Oslo' } } })],
      { ...plainLog, upcasts: true },
      { files: 1 },
    ))

  test('an event that is upcast to one type that is known and one that is not', () =>
    expectLaws([row(1, { type: 'Mixed' }), row(2), row(3)], { ...plainLog, upcasts: true }, { files: 1 }))

  test('an event of which one version is refused for its type and the other throws', () =>
    expectLaws([row(1), row(2), row(3), row(4, { type: 'Mixed' })], { ...plainLog, upcasts: true }, { files: 1 }))

  test('events that the declared order leaves equal, in whatever order they lie', () =>
    expectLaws(
      [row(3, { ratio: 1e300 }), row(1, { ratio: -1e300 }), row(2, { ratio: 0.1 })],
      { ...plainLog, looseOrder: true },
      { files: 3 },
    ))

  test('a log without events', () => expectLaws([], plainLog, { files: 2 }))

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
      ['small'],
      ['maybeText', { types: ['Odd', 'Added', 'Event'] }],
      ['flag', 'maybeDay'],
      ['key', 'money', 'precise'],
      ['occurredAt'],
      ['city', 'points', 'big'],
      ['day', 'seconds', 'text'],
    ),
  })
  const anyLayout = fc.record<Layout>({
    files: fc.integer({ min: 1, max: 4 }),
    rowGroupRows: fc.constantFrom(3, 8, 1000),
    codec: fc.constantFrom('UNCOMPRESSED', 'SNAPPY', 'ZSTD', 'GZIP'),
    dictionary: fc.boolean(),
  })
  const anyMoment = fc.option(
    fc.integer({ min: -1, max: 9 }).map((tick) => 1_621_641_600_000_000 + tick * 25_200_000_000),
    { nil: undefined },
  )
  const anyMoments = fc.record<Moments>({ knownAt: anyMoment, asOf: anyMoment })

  // Beyond the first sizes of what grows: tables of keys, runs of bytes, lists of rows.
  test.each([
    [{ ...plainLog, upcasts: true, composite: true }, 1, 1e9],
    [{ ...plainLog, sequenced: true }, 2, 1e9],
    // Room for some rows of a bucket only.
    [{ ...plainLog, upcasts: true }, 3, 50_000],
    [{ ...plainLog, sequenced: true, tieBreak: [{ types: ['Odd', 'Added'] }] }, 4, 50_000],
  ])('some thousand events: %j', { timeout }, async (options, seed, memoryBytes) => {
    const [rows] = fc.sample(fc.array(anyRow(), { minLength: 4000, maxLength: 5000, size: 'max' }), {
      seed,
      numRuns: 1,
    })
    const numbered = rows!.map(
      (one, number): Row => ({ source: 'é', ...one, number, key: `${one['key']}${number % 1500}` }),
    )
    await expectLaws(
      [...numbered, ...numbered.slice(0, 700)],
      options,
      { files: 2, rowGroupRows: 4000 },
      {},
      memoryBytes,
    )
  })

  test('any log', { timeout }, async () => {
    const property = fc.asyncProperty(anyRows(40), anyOptions, anyLayout, (rows, options, layout) =>
      expectLaws(rows, options, layout),
    )
    await fc.assert(property, { numRuns })
  })

  test('any log in any memory', { timeout }, async () => {
    const anyMemory = fc.constantFrom(1, 3_000, 10_000)
    const property = fc.asyncProperty(anyRows(40), anyOptions, anyLayout, anyMemory, (rows, options, layout, bytes) =>
      expectLaws(rows, options, layout, {}, bytes),
    )
    await fc.assert(property, { numRuns: numRuns / 2 })
  })

  test('any log up to any moment', { timeout }, async () => {
    const property = fc.asyncProperty(
      anyRows(20),
      anyOptions,
      anyLayout,
      anyMoments,
      (rows, options, layout, moments) => expectLaws(rows, options, layout, moments),
    )
    await fc.assert(property, { numRuns: numRuns / 2 })
  })

  test('any log whose ids are known to be unique', { timeout }, async () => {
    const unique = anyRows(20).map((rows) => [...new Map(rows.map((one) => [one['number'], one])).values()])
    const property = fc.asyncProperty(unique, anyOptions, anyLayout, (rows, options, layout) =>
      expectLaws(rows, { ...options, uniqueIds: true }, layout),
    )
    await fc.assert(property, { numRuns: numRuns / 4 })
  })
})
