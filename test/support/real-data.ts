import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import {
  DuckDBDateValue,
  DuckDBInstance,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import { loadJob } from '../../src/job/load.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import type { Fields } from '../../src/model/type.ts'
import { openAppender } from '../../src/parquet/append.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import { realDataFolder } from '../real/data-folder.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

export type Row = Record<string, unknown>

/** The folder of one real data set, or undefined where it isn't there; then this is said, and the tests are skipped. */
export function realData(folder: string): string | undefined {
  const path = join(repository, realDataFolder, folder)
  if (existsSync(path)) return path
  process.stderr.write(`${skipReason(folder).trim()}\n`)
  return undefined
}

/** What skipped tests add to their name, so that a report says why they were skipped; empty where the data is there. */
export function skipReason(folder: string): string {
  const path = join(realDataFolder, folder)
  return existsSync(join(repository, path)) ? '' : ` (skipped: no real data in ${path})`
}

/** A new folder under the system's temporary folder, and how to remove it. */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `refold-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function readText(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** Reads a `.json` or `.json.gz`; the caller says what it holds. */
export function readJson<Value>(path: string): Value {
  return JSON.parse(readText(path)) as Value
}

/** Reads a `.csv` or `.csv.gz` with a header (RFC 4180): a row is an object of texts by column name. */
export function readCsv(path: string): Record<string, string>[] {
  const [header, ...records] = parseCsv(readText(path))
  if (header === undefined) throw new Error(`Cannot read ${path}: expected a header, found an empty file.`)
  return records.map((record, index) => {
    if (record.length === header.length) return Object.fromEntries(header.map((name, i) => [name, record[i]!]))
    throw new Error(
      `Cannot read ${path}, record ${index + 2}: expected ${header.length} values, found ${record.length}.`,
    )
  })
}

function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let end = 0
  // A value, quoted or not, and what ends it; `$` is the end of a file without a final line end.
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy)) {
    const [whole, quoted, plain, separator] = match
    if (whole === '' && record.length === 0) break
    end = match.index + whole.length
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (separator === ',') continue
    records.push(record)
    record = []
  }
  if (end !== text.length)
    throw new Error(`Cannot read CSV, record ${records.length + 1}: expected a value or its end.`)
  return records
}

/** Writes rows as a Parquet log: values as handlers see them. The file's folder is made where it isn't there. */
export async function writeLog(
  path: string,
  fields: Fields,
  rows: Iterable<Readonly<Record<string, unknown>>>,
): Promise<number> {
  mkdirSync(dirname(resolve(path)), { recursive: true })
  const columns = Object.entries(fields).map(([name, type]) => ({ name, type }))
  const appender = await openAppender(path, columns, disk)
  for (const row of rows) await appender.append(row)
  return (await appender.close()).rows
}

/** All rows of the Parquet files a glob names, in their order, as DuckDB reads them: an eye other than the engine's. */
export async function readRows(glob: string): Promise<Row[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll('select * from read_parquet($glob)', { glob })
  return reader
    .getRowObjects()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])))
}

/** What a handler would see: days of a date, the number of its unit for a moment, integers as numbers. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof DuckDBDateValue) return value.days
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return Number(value.micros)
  if (value instanceof DuckDBTimestampMillisecondsValue) return Number(value.millis)
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos
  return value
}

/**
 * Rebuilds all views of a job, seen from `folder`: there its `files` are looked up.
 *
 * @param jobFile Relative to the repository.
 */
export async function rebuildIn(folder: string, jobFile: string, options: Partial<RebuildOptions> = {}) {
  const out = mkdtempSync(join(tmpdir(), 'refold-views-'))
  const before = process.cwd()
  const job = await loadJob(join(repository, jobFile))
  process.chdir(folder)
  try {
    const report = await rebuild(job, { out, workers: 2, ...options })
    const rows = new Map<string, Row[]>()
    for (const { view, path } of report.views) rows.set(view, await readRows(join(path, 'part-*.parquet')))
    return { report, rowsOf: (view: string) => rows.get(view) ?? [] }
  } finally {
    process.chdir(before)
    job.dispose()
    rmSync(out, { recursive: true, force: true })
  }
}
