import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineJob } from '../../src/index.ts'
import { type LoadedJob, loadedFromDefinition, loadJob } from '../../src/job/load.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import type { LogView } from '../../src/model/view.ts'
import { foldNaively, orderInText } from '../oracle/naive.ts'
import { anyRow, anyRows, eventOf } from '../support/every-event.ts'
import { everyColumn } from '../support/every-kind.ts'
import { type Encoding, type Row, readExceptions, readPublished, scratch, writeLogFiles } from '../support/logs.ts'
import { type PartitionedOptions, partitionedViews } from '../support/partitioned-views.ts'
import { type Performers, rebuildBy } from '../support/rebuild-by.ts'

const folder = scratch('strategies')
const before = process.cwd()
beforeAll(() => process.chdir(folder.path))
afterAll(() => {
  process.chdir(before)
  folder.remove()
})

const numRuns = Number(process.env['REFOLD_PROPERTY_RUNS'] ?? 30)
const timeout = 60_000 + 4_000 * numRuns

type Options = Omit<PartitionedOptions, 'files'>

interface Partitioning extends Encoding {
  readonly partitions: number
  /** Files of each partition; 0 is one file without a folder of its own. */
  readonly files: number
  /** How the events of a partition stand: as they come, by their order, or nearly so. */
  readonly order: 'any' | 'sorted' | 'nearly'
}

const keyOf = (row: Row, { textKey }: Options) => (textKey ? row['key'] : row['maybe_small'])

function hashOf(value: unknown): number {
  let hash = 7
  for (const character of String(value)) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0
  return hash
}

function inOrder(rows: readonly Row[], { sequenced }: Options): Row[] {
  const place = (row: Row) => [sequenced ? row['seq'] : 0, row['recorded'], row['number']] as number[]
  return [...rows].sort((a, b) => {
    const [first, second] = [place(a), place(b)]
    return first.map((value, i) => value - second[i]!).find((difference) => difference !== 0) ?? 0
  })
}

/** Writes a log in which every key's events lie in one partition. */
function writePartitions(rows: readonly Row[], options: Options, layout: Partitioning): void {
  rmSync('log', { recursive: true, force: true })
  for (let partition = 0; partition < layout.partitions; partition++) {
    const own = rows.filter((row) => hashOf(keyOf(row, options)) % layout.partitions === partition)
    const sorted = layout.order === 'any' ? own : inOrder(own, options)
    if (layout.order === 'nearly') for (let i = 7; i < sorted.length; i += 11) sorted.unshift(...sorted.splice(i, 1))
    const place = layout.files === 0 ? `log/${partition}` : `log/part=${partition}`
    writeLogFiles(place, everyColumn, sorted, { ...layout, files: Math.max(1, layout.files) })
  }
}

let builds = 0

/** What a rebuild publishes: digests, which cover every file's bytes, and what is digested of each view. */
async function build(
  job: LoadedJob,
  { workers = 0, ...options }: Omit<Partial<RebuildOptions>, 'workers'> & { readonly workers?: Performers },
) {
  const out = resolve('views', String(builds++))
  const report = await rebuildBy(workers, job, { out, ...options })
  const built = Object.fromEntries(
    report.views.map(({ view, path, digest, counters, order }) => {
      const { manifest, rows } = readPublished(path)
      return [view, { digest, counters, order, files: manifest.files, rows, exceptions: readExceptions(path) }]
    }),
  )
  rmSync(out, { recursive: true, force: true })
  return built
}

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : Object.is(inner, -0) ? 0 : inner)),
  )
}

async function expectSame(rows: readonly Row[], options: Options, layout: Partitioning): Promise<void> {
  writePartitions(rows, options, layout)
  const views = partitionedViews({ ...options, files: 'log/**/*.parquet' })
  const job = loadedFromDefinition(defineJob({ views }))
  const shuffled = await build(job, { strategy: 'shuffle' })
  for (const memoryBytes of [2 ** 16, undefined]) {
    const more = memoryBytes === undefined ? {} : { memoryBytes }
    const inPlace = await build(job, { strategy: 'in-place', ...more })
    expect(inPlace).toEqual(shuffled)
    const combined = await build(job, { strategy: 'combine', views: ['totals'], ...more })
    expect(combined).toEqual({ totals: shuffled['totals'] })
  }
  expect(await build(job, {})).toEqual(shuffled)
  for (const strategy of ['shuffle', 'in-place'] as const)
    expect(await build(job, { strategy, workers: 'hosts' })).toEqual(shuffled)
  const combined = await build(job, { strategy: 'combine', views: ['totals'], workers: 'hosts' })
  expect(combined).toEqual({ totals: shuffled['totals'] })
  expectOracle(views, rows, options, shuffled)
}

function expectOracle(
  views: readonly LogView[],
  rows: readonly Row[],
  options: Options,
  built: Awaited<ReturnType<typeof build>>,
): void {
  const logOptions = { ...options, files: '', typed: true, composite: false, uniqueIds: false, looseOrder: false }
  const events = rows.map((row) => ({ ...eventOf(row, logOptions), key: keyOf(row, options) }))
  for (const view of views) {
    const expected = foldNaively(view, events)
    expect(built[view.name]!.counters).toEqual(expected.counters)
    expect(built[view.name]!.order).toEqual(orderInText(expected.order))
    expect(sorted(built[view.name]!.rows)).toEqual(sorted(expected.rows))
  }
}

/** Rows of several parts are in order within each. */
function sorted(rows: readonly Row[]): string[] {
  return rows.map((row) => JSON.stringify(plain(row))).sort()
}

const anyOptions = fc.record<Options>({
  textKey: fc.boolean(),
  sequenced: fc.boolean(),
  upcasts: fc.boolean(),
  tieBreak: fc.constantFrom<readonly TieBreak[]>(
    [],
    [{ types: ['Removed', 'Added'] }],
    ['maybeText', { types: ['Odd'] }],
    ['flag', 'small'],
  ),
})
const anyPartitioning = fc.record<Partitioning>({
  partitions: fc.integer({ min: 1, max: 4 }),
  files: fc.integer({ min: 0, max: 3 }),
  order: fc.constantFrom('any', 'sorted', 'nearly'),
  rowGroupRows: fc.constantFrom(2, 5, 1000),
  codec: fc.constantFrom('UNCOMPRESSED', 'SNAPPY'),
  dictionary: fc.boolean(),
})

/** A key that is an integer is never null. */
function keyed(rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row, maybe_small: row['maybe_small'] ?? 9 }))
}

describe('all strategies come to the same bytes, and to what the laws ask for,', () => {
  test('of any log', { timeout }, async () => {
    const property = fc.asyncProperty(anyRows(60), anyOptions, anyPartitioning, (rows, options, layout) =>
      expectSame(keyed(rows), options, layout),
    )
    await fc.assert(property, { numRuns })
  })

  // Keys of more events than are sorted by insertion, and more keys than tables begin with.
  test.each([
    [5, 'any'],
    [30_000, 'nearly'],
  ] as const)('of some thousand events of %i keys, in %s order', { timeout }, async (keys, order) => {
    const [rows] = fc.sample(fc.array(anyRow(), { minLength: 6_000, maxLength: 6_000, size: 'max' }), {
      seed: 20_210_523,
      numRuns: 1,
    })
    const numbered = keyed(rows!).map(
      (row, number): Row => ({
        ...row,
        source: '',
        number,
        key: `${row['key']}${number % keys}`,
        maybe_small: ((Math.imul(number, 0x9e3779b1) >>> 8) % keys) - 3,
      }),
    )
    const all = [...numbered, ...numbered.slice(0, 300)]
    const layout = { partitions: 3, files: 2, order, rowGroupRows: 700 } as const
    await expectSame(all, { textKey: true, sequenced: false, upcasts: true }, layout)
    await expectSame(all, { textKey: false, sequenced: true, upcasts: false }, { ...layout, dictionary: true })
  })

  test('by threads and by hosts, within any budget', { timeout }, async () => {
    const [rows] = fc.sample(fc.array(anyRow(), { minLength: 2_000, maxLength: 2_000, size: 'max' }), {
      seed: 7,
      numRuns: 1,
    })
    const numbered = rows!.map((row, number): Row => ({ ...row, source: '', number, key: `k${number % 300}` }))
    const options = { textKey: true, sequenced: false, upcasts: false }
    writePartitions(numbered, options, { partitions: 5, files: 2, order: 'nearly', rowGroupRows: 64 })
    const job = await loadJob(fileURLToPath(new URL('../support/jobs/partitioned.ts', import.meta.url)))
    try {
      const shuffled = await build(job, { strategy: 'shuffle', workers: 2 })
      expect(await build(job, { strategy: 'in-place', workers: 2 })).toEqual(shuffled)
      expect(await build(job, { strategy: 'in-place', workers: 3, memoryBytes: 1 })).toEqual(shuffled)
      expect(await build(job, { strategy: 'in-place', workers: 'failing hosts' })).toEqual(shuffled)
      expect(await build(job, { strategy: 'shuffle', workers: 'failing hosts', memoryBytes: 1 })).toEqual(shuffled)
      expect(await build(job, { strategy: 'in-place', knownAt: '2021-05-23T00:00:00Z' })).toEqual(
        await build(job, { strategy: 'shuffle', knownAt: '2021-05-23T00:00:00Z' }),
      )
    } finally {
      job.dispose()
    }
  })
})
