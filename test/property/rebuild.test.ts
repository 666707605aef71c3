import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { defineJob } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { foldNaively, type PlainEvent } from '../oracle/naive.ts'
import { anyRows, eventOf, idOf } from '../support/every-event.ts'
import { everyColumn, everyKind, type LogOptions } from '../support/every-kind.ts'
import { type Layout, readExceptions, readPublished, type Row, scratch, writeLogFiles } from '../support/logs.ts'

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

let runs = 0

/** More of them on demand: `REFOLD_PROPERTY_RUNS=1000 vitest run test/property`. A failure prints its seed. */
const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 40)

async function expectLaws(rows: readonly Row[], options: Omit<LogOptions, 'files'>, layout: Layout): Promise<void> {
  const home = join(folder.path, String(runs++))
  const files = writeLogFiles(join(home, 'log'), everyColumn, rows, layout)
  const views = everyKind({ files, ...options })
  const job = loadedFromDefinition(defineJob({ views }))
  const report = await rebuild(job, { out: join(home, 'views'), workers: 0 })
  const nameOf = new Map(rows.map((row) => [eventOf(row, { files, ...options }).id, idOf(row, { files, ...options })]))
  for (const view of views) {
    const expected = foldNaively(view, rows.map((row): PlainEvent => eventOf(row, { files, ...options })))
    const { path, counters, keys } = report.views.find((candidate) => candidate.view === view.name)!
    const published = readPublished(path)
    expect(counters, view.name).toEqual(expected.counters)
    expect(published.rows.map(plain), view.name).toEqual(expected.rows.map(plain))
    expect(published.manifest).toMatchObject({ counters, rows: published.rows.length, keys })
    const listed = readExceptions(path).map(({ reason, event_id }) => `${reason === 'duplicate' ? 'duplicate' : 'quarantined'} ${event_id}`)
    const quarantined = expected.quarantined.map((id) => `quarantined ${nameOf.get(id)}`)
    expect(new Set(listed.filter((line) => line.startsWith('quarantined'))), view.name).toEqual(new Set(quarantined))
    expect(listed.filter((line) => line.startsWith('duplicate'))).toHaveLength(counters.duplicate)
  }
  rmSync(home, { recursive: true, force: true })
}

const anyOptions = fc.record({
  typed: fc.boolean(),
  sequenced: fc.boolean(),
  composite: fc.boolean(),
  upcasts: fc.boolean(),
  looseOrder: fc.boolean(),
})

const anyLayout = fc.record({
  files: fc.integer({ min: 1, max: 4 }),
  rowGroupRows: fc.constantFrom(3, 8, 1000),
  codec: fc.constantFrom('UNCOMPRESSED', 'SNAPPY', 'ZSTD'),
  dictionary: fc.boolean(),
})

describe('a rebuild does what the laws say', () => {
  test('of any log', { timeout: 20_000 + 1_000 * numRuns }, async () => {
    const property = fc.asyncProperty(anyRows(40), anyOptions, anyLayout, (rows, options, layout) =>
      expectLaws(rows, { ...options, uniqueIds: false }, layout as Layout),
    )
    await fc.assert(property, { numRuns })
  })
})
