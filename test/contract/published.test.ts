import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import parquetjs from 'parquetjs-lite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, int32 } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { ManifestColumn } from '../../src/model/manifest.ts'
import type { RebuildReport } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import { anyRows } from '../support/every-event.ts'
import { everyColumn, everyKind } from '../support/every-kind.ts'
import { type Row, readPublished, scratch, writeLogFiles, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow, ledgerRows, run, writeJob } from '../support/refusal.ts'

const folder = scratch('published')
let duckdb: DuckDBConnection
let report: RebuildReport

beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run("SET TimeZone = 'UTC'")
  const rows = fc.sample(anyRows(300), { seed: 7, numRuns: 8 }).flat()
  const numbered = rows.map((row, number): Row => ({ ...row, number }))
  const files = writeLogFiles(join(folder.path, 'log'), everyColumn, numbered, { files: 3 })
  const options = {
    typed: true,
    sequenced: true,
    composite: false,
    uniqueIds: false,
    upcasts: false,
    looseOrder: false,
  }
  const job = loadedFromDefinition(defineJob({ views: everyKind({ files, ...options }) }))
  report = await rebuild(job, { out: join(folder.path, 'views'), workers: 0 })
})
afterAll(() => {
  duckdb.closeSync()
  folder.remove()
})

function pathOf(view: string): string {
  return report.views.find((candidate) => candidate.view === view)!.path
}

/** A column as DuckDB is to show it: as the number or text that a handler sees. */
function shown({ name: bare, type, unit, scale = 0 }: ManifestColumn): string {
  const name = `"${bare}"`
  if (type === 'decimal') return `CAST(${name} * ${10 ** scale} AS BIGINT)`
  if (type === 'date') return `${name} - DATE '1970-01-01'`
  if (type === 'timestamp') return unit === 'ms' ? `epoch_ms(${name})` : `epoch_us(${name})`
  return type === 'json' ? `CAST(${name} AS VARCHAR)` : name
}

async function readByDuckdb(file: string, columns: readonly ManifestColumn[]): Promise<Row[]> {
  const list = columns.map((column) => `${shown(column)} AS "${column.name}"`).join(', ')
  const result = await duckdb.runAndReadAll(`SELECT ${list} FROM read_parquet('${file}')`)
  return result.getRowObjects().map((row) =>
    Object.fromEntries(
      columns.map(({ name, type, unit }) => {
        const value = row[name]
        if (value === null) return [name, null]
        if (type === 'json') return [name, JSON.parse(value as string)]
        return [name, type === 'bigint' || unit === 'ns' ? value : typeof value === 'bigint' ? Number(value) : value]
      }),
    ),
  )
}

/** DuckDB keeps a moment with a time zone in microseconds, cut off towards 1970, and takes the last one for infinity. */
function asDuckdb(rows: readonly Row[], columns: readonly ManifestColumn[]): Row[] {
  const fine = columns.filter(({ unit }) => unit === 'ns').map(({ name }) => name)
  const kept = (value: unknown) => (typeof value !== 'bigint' ? value : value === 2n ** 63n - 1n ? null : value / 1000n)
  return rows.map((row) => ({ ...row, ...Object.fromEntries(fine.map((name) => [name, kept(row[name])])) }))
}

/** parquetjs-lite leaves out what is null. */
async function readByParquetjs(file: string, names: readonly string[]): Promise<Row[]> {
  const reader = await parquetjs.ParquetReader.openBuffer(readFileSync(file))
  const cursor = reader.getCursor()
  const rows: Row[] = []
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
    rows.push(Object.fromEntries(names.map((name) => [name, row![name] ?? null])))
  }
  return rows
}

describe('what is published', () => {
  test.each(['latest', 'sums', 'daily', 'ratios', 'trail', 'fragile', 'known'])(
    'DuckDB reads as it was written: %s',
    async (view) => {
      const { manifest, parts } = readPublished(pathOf(view))
      const columns = [...manifest.key, ...manifest.columns]
      expect(manifest.rows).toBeGreaterThan(0)
      for (const [index, { name }] of manifest.files.entries()) {
        const found = await readByDuckdb(join(pathOf(view), name), columns)
        expect(found).toEqual(asDuckdb(parts[index]!, columns))
      }
    },
  )

  // It can't open decimals.
  test.each(['sums', 'daily', 'trail', 'fragile', 'known'])(
    'parquetjs-lite reads as it was written: %s',
    async (view) => {
      const { manifest, parts } = readPublished(pathOf(view))
      const columns = [...manifest.key, ...manifest.columns]
      for (const [index, { name }] of manifest.files.entries()) {
        const found = await readByParquetjs(
          join(pathOf(view), name),
          columns.map((column) => column.name),
        )
        const expected = parts[index]!.map((row) =>
          Object.fromEntries(columns.map(({ name, type }) => [name, asParquetjs(row[name], type)])),
        )
        expect(found).toEqual(expected)
      }
    },
  )

  test('stands in the order of its keys', () => {
    for (const { path } of report.views) {
      const { manifest, parts } = readPublished(path)
      for (const rows of parts) {
        const keys = rows.map((row) => manifest.key.map(({ name }) => row[name]))
        for (let i = 1; i < keys.length; i++) expect(compareKeys(keys[i - 1]!, keys[i]!)).toBeLessThanOrEqual(0)
      }
    }
  })
})

function asParquetjs(value: unknown, type: ManifestColumn['type']): unknown {
  if (value === null) return null
  if (type === 'date') return new Date((value as number) * 86_400_000)
  if (type === 'timestamp') return new Date((value as number) / 1000)
  return type === 'int64' || type === 'bigint' ? BigInt(value as number) : value
}

function compareKeys(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i], b[i]] as [never, never]
    if (one === other) continue
    if (one === null || other === null) return one === null ? -1 : 1
    if (typeof one === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other))
    return one < other ? -1 : 1
  }
  return 0
}

test('planning a log leaves no file open', async () => {
  const home = join(folder.path, 'open')
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1, 2, 3))
  writeFileSync(join(home, 'log/1.parquet'), 'no Parquet at all')
  const openBefore = openFiles()
  await expect(run(writeJob(home), home, {})).rejects.toThrow('it is not a Parquet file')
  expect(openFiles()).toEqual(openBefore)
})

/** Parquet files this process holds open, where the system tells. */
function openFiles(): string[] {
  const folder = '/proc/self/fd'
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const target = existsSync(join(folder, name)) ? readlinkSync(join(folder, name)) : ''
    return target.endsWith('.parquet') ? [target] : []
  })
}

describe('generations', () => {
  const home = join(folder.path, 'generations')
  const currentOf = () =>
    JSON.parse(readFileSync(join(home, 'views/balances/_current.json'), 'utf8')) as { generation: string }
  const generations = () => readdirSync(join(home, 'views/balances')).filter((name) => name !== '_current.json')
  const sum = 'Deposited: (account, e) => { account.balance += e.amount }'

  test('are made when logic or events change, and only then', async () => {
    writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1, 2, 3))
    const first = (await run(writeJob(home), home, {})).views[0]!
    expect(first.outcome).toBe('published')
    const bytes = readFileSync(join(first.path, 'part-00000.parquet'))

    for (const workers of [0, 2]) {
      const again = (await run(writeJob(home), home, { workers })).views[0]!
      expect(again).toEqual({ ...first, outcome: 'unchanged' })
    }
    const comment = `state: { balance: int64() }, on: { // a comment changes nothing\n ${sum} }`
    expect((await run(writeJob(home, { view: comment }), home, {})).views[0]!.outcome).toBe('unchanged')
    expect(generations()).toEqual([first.generation])

    // The same rows by other logic: another generation all the same, since its fingerprint is part of it.
    const other = `state: { balance: int64() }, on: { Deposited: (account, e) => { account.balance -= -e.amount } }`
    const second = (await run(writeJob(home, { view: other }), home, {})).views[0]!
    expect(second.outcome).toBe('published')
    expect(second.fingerprint).not.toBe(first.fingerprint)
    expect(currentOf().generation).toBe(second.generation)
    expect(readFileSync(join(second.path, 'part-00000.parquet'))).toEqual(bytes)

    writeRows(join(home, 'log/1.parquet'), ledgerColumns, [ledgerRow(4)])
    const third = (await run(writeJob(home, { view: other }), home, {})).views[0]!
    expect(third).toMatchObject({ outcome: 'published', rows: 3, counters: { read: 4, applied: 4 } })
    expect(generations().sort()).toEqual([first.generation, second.generation, third.generation])
    expect(currentOf().generation).toBe(third.generation)

    // A duplicate changes the counters, not the rows.
    writeRows(join(home, 'log/2.parquet'), ledgerColumns, [ledgerRow(4)])
    const fourth = (await run(writeJob(home, { view: other }), home, {})).views[0]!
    expect(fourth.counters).toMatchObject({ read: 5, applied: 4, duplicate: 1 })
    expect(readPublished(fourth.path).rows).toEqual(readPublished(third.path).rows)
  })

  test('are made of the views that were asked for, of several logs', async () => {
    const home = join(folder.path, 'several')
    writeRows(join(home, 'a/0.parquet'), ledgerColumns, ledgerRows(1, 2, 3))
    writeRows(join(home, 'b/0.parquet'), ledgerColumns, [
      ledgerRow(4),
      ledgerRow(5, { type: 'Closed' }),
      ledgerRow(6, { type: 'Odd' }),
    ])
    const log = (name: string) =>
      defineLog({
        name,
        files: join(home, name),
        columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at' },
        types: ['Deposited', 'Closed'],
      })
    const view = (name: string, of: string, unknown: 'filter' | 'quarantine') =>
      defineView({
        name,
        log: log(of),
        state: { n: int32() },
        unknown,
        on: {
          Deposited: (s) => {
            s.n++
          },
        },
      })
    const views = [view('one', 'a', 'filter'), view('two', 'b', 'quarantine'), view('three', 'b', 'filter')]
    const job = loadedFromDefinition(defineJob({ views }))
    const out = join(home, 'views')
    const some = await rebuild(job, { out, workers: 0, views: ['two'] })
    expect(readdirSync(out)).toEqual(['two'])
    // A type that the log declares is known, though the view has no handler for it.
    expect(some.views[0]!.counters).toMatchObject({ read: 3, applied: 1, filtered: 1, quarantined: 1 })
    const all = await rebuild(job, { out, workers: 0 })
    expect(all.views.map(({ view, outcome }) => `${view} ${outcome}`).sort()).toEqual([
      'one published',
      'three published',
      'two unchanged',
    ])
    expect(all.events).toBe(6)
  })
})
