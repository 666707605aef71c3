import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadJob } from '../../src/job/load.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import { float64, int64, string, timestamp } from '../../src/model/types.ts'
import type { LogView } from '../../src/model/view.ts'
import { foldNaively, type PlainEvent } from '../oracle/naive.ts'
import { anyRows } from '../support/every-event.ts'
import { everyColumn } from '../support/every-kind.ts'
import { type Layout, type Row, readPublished, scratch, writeLogFiles } from '../support/logs.ts'
import { type Performers, rebuildBy } from '../support/rebuild-by.ts'
import { timedColumns } from '../support/timed-views.ts'

const folder = scratch('determinism')
const before = process.cwd()
beforeAll(() => process.chdir(folder.path))
afterAll(() => {
  process.chdir(before)
  folder.remove()
})

interface Built {
  readonly digest: string
  readonly fingerprint: string
  /** SHA-256 of each part file, as it lies on the disk. */
  readonly parts: Readonly<Record<string, string>>
}

let builds = 0

/** Lays the log out anew and rebuilds all views of a job. @returns What was published, by view. */
async function build(
  jobName: string,
  columns: typeof everyColumn | typeof paymentColumns | typeof timedColumns,
  rows: readonly Row[],
  layout: Layout,
  performers: Performers,
  more: Partial<RebuildOptions> = {},
) {
  rmSync('log', { recursive: true, force: true })
  writeLogFiles('log', columns, rows, layout)
  const job = await loadJob(fileURLToPath(new URL(`../support/jobs/${jobName}.ts`, import.meta.url)))
  try {
    const report = await rebuildBy(performers, job, { out: resolve('views', String(builds++)), ...more })
    const built: Record<string, Built> = {}
    for (const { view, path, digest, fingerprint, outcome } of report.views) {
      expect(outcome).toBe('published')
      const { manifest } = readPublished(path)
      const parts = [...manifest.files, ...manifest.triangle].map(({ name, sha256 }) => {
        const found = createHash('sha256')
          .update(readFileSync(join(path, name)))
          .digest('hex')
        expect(found).toBe(sha256)
        return [name, found]
      })
      built[view] = { digest, fingerprint, parts: Object.fromEntries(parts) }
    }
    return { built, report }
  } finally {
    job.dispose()
  }
}

/** An order of rows that is anything but theirs, the same in every run. */
function shuffled(seed: number): (index: number) => number {
  return (index) => Math.imul(index + seed, 0x9e3779b1) >>> 0
}

const everyRow = fc
  .sample(anyRows(400), { seed: 20_210_522, numRuns: 12 })
  .reduce((most, rows) => (rows.length > most.length ? rows : most))

const layouts: readonly [string, Layout, Performers][] = [
  ['in the calling thread', { files: 1 }, 0],
  ['by 1 worker', { files: 1 }, 1],
  ['by 2 workers', { files: 3 }, 2],
  ['by 7 workers', { files: 3, rank: shuffled(1) }, 7],
  ['from 50 files in 3 partitions', { files: 50, rank: shuffled(2), folders: ['p=a', 'p=b', 'q/p=c'] }, 2],
  ['from one file backwards', { files: 1, rank: (index) => -index }, 0],
  ['from row groups of 7 rows', { files: 2, rowGroupRows: 7, codec: 'ZSTD' }, 2],
  ['from row groups of 1 row', { files: 3, rowGroupRows: 1, rank: shuffled(3) }, 0],
  ['from dictionaries', { files: 3, rowGroupRows: 50, dictionary: true, codec: 'SNAPPY', rank: shuffled(4) }, 2],
  ['by a thread whose attempts get lost', { files: 3, rank: shuffled(8) }, 'failing thread'],
  ['by hosts that share only files', { files: 3, rowGroupRows: 50, dictionary: true, rank: shuffled(6) }, 'hosts'],
  ['by hosts whose attempts get lost', { files: 3, rowGroupRows: 70, rank: shuffled(7) }, 'failing hosts'],
]

describe.each(['every-kind', 'sequenced'])('the bytes that %s publishes', (job) => {
  let expected: Record<string, Built> = {}
  beforeAll(async () => {
    expected = (await build(job, everyColumn, everyRow, { files: 2 }, 0)).built
    expect(Object.keys(expected)).toHaveLength(7)
  })
  test.each(layouts)('are the same %s', async (_, layout, performers) => {
    const { built } = await build(job, everyColumn, everyRow, layout, performers)
    expect(built).toEqual(expected)
  })
})

describe('the bytes of windows and vintages', () => {
  /** Recorded up to some days late, in an order that is not that of their sequence. */
  const rows = Array.from({ length: 700 }, (_, number): Row => {
    const random = Math.imul(number + 1, 0x9e3779b1) >>> 0
    const happened = 1_615_600_000_000_000 + (random % 200) * 3_600_000_000
    return {
      number,
      key: `k${random % 5}`,
      type: random % 3 === 0 ? 'Removed' : 'Added',
      happened,
      recorded: happened + (random % 61) * 3_600_000_000,
      seq: random % 11,
      amount: (random % 97) - 20,
    }
  })
  const more = { vintages: 'day' } as const
  let expected: Record<string, Built> = {}
  beforeAll(async () => {
    expected = (await build('timed', timedColumns, rows, { files: 1 }, 0, more)).built
    expect(Object.keys(expected)).toHaveLength(14)
  })
  // Partitions say how far a log has come, so here they stay one.
  const same = layouts.filter(([, { folders }]) => folders === undefined)
  test.each(same)('are the same %s', async (_, layout, performers) => {
    const { built } = await build('timed', timedColumns, rows, layout, performers, more)
    expect(built).toEqual(expected)
  })
  test('are the same where all is spilled', async () => {
    const { built } = await build('timed', timedColumns, rows, { files: 2 }, 2, { ...more, memoryBytes: 1 })
    expect(built).toEqual(expected)
  })
})

const paymentColumns = {
  id: string(),
  account: int64(),
  type: string(),
  recorded: timestamp(),
  amount: int64(),
  ratio: float64(),
}

/** More events than one bucket takes, some twice, many at the same moment. */
function payments(count: number): Row[] {
  return Array.from({ length: count }, (_, index) => {
    const random = Math.imul(index % (count - 500), 0x9e3779b1) >>> 0
    return {
      id: `p${index % (count - 500)}`,
      account: (random % 30_011) - 5_000,
      type: random % 3 === 0 ? 'Out' : random % 101 === 0 ? 'Odd' : 'In',
      recorded: 1_621_641_600_000_000 + (random % 100) * 1_000_000,
      amount: random % 1_000_007,
      ratio: random / 7,
    }
  })
}

describe('a log of several buckets', () => {
  const rows = payments(67_000)

  test('gives the same bytes however it is split and by any number of workers, and those the laws ask for', async () => {
    const first = await build('many-keys', paymentColumns, rows, { files: 1 }, 0)
    expect(Object.keys(first.built['accounts']!.parts).length).toBeGreaterThan(1)
    const second = await build(
      'many-keys',
      paymentColumns,
      rows,
      { files: 5, rank: shuffled(5), rowGroupRows: 9_000 },
      2,
    )
    expect(second.built).toEqual(first.built)
    const third = await build('many-keys', paymentColumns, rows, { files: 3, rowGroupRows: 20_000 }, 'hosts')
    expect(third.built).toEqual(first.built)
    const job = await loadJob(fileURLToPath(new URL('../support/jobs/many-keys.ts', import.meta.url)))
    job.dispose()
    const events = rows.map(
      ({ account, recorded, ...row }) => ({ ...row, key: account, recordedAt: recorded }) as unknown as PlainEvent,
    )
    for (const view of job.definition.views) {
      const { path, counters } = second.report.views.find((report) => report.view === view.name)!
      const expected = foldNaively(view as LogView, events)
      expect(counters).toEqual(expected.counters)
      const { rows: published, parts } = readPublished(path)
      expect(published).toHaveLength(expected.rows.length)
      const key = Object.keys(view.key ?? { account: 0 })
      const byKey = new Map(published.map((row) => [JSON.stringify(key.map((name) => row[name])), row]))
      for (const row of expected.rows) expect(byKey.get(JSON.stringify(key.map((name) => row[name])))).toEqual(row)
      if (key.length === 1) {
        for (const part of parts) expect(isAscending(part.map((row) => row[key[0]!] as number))).toBe(true)
      }
    }
  })
})

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || values[index - 1]! < value)
}
