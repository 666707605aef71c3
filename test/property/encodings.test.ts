import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bigint,
  bool,
  date,
  decimal,
  defineJob,
  defineLog,
  defineView,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { LogView } from '../../src/model/view.ts'
import { rebuild } from '../../src/rebuild.ts'
import { foldNaively } from '../oracle/naive.ts'
import { DuckDBLogs } from '../support/duckdb-logs.ts'
import { anyRows, eventOf } from '../support/every-event.ts'
import { everyColumn, everyKind } from '../support/every-kind.ts'
import { type Row, readPublished, writeRows } from '../support/logs.ts'

const logs = new DuckDBLogs('encodings')

/** Has DuckDB write a query's rows as a file of a log. @returns The log's folder. */
async function copyTo(query: string, options: string, name = '0.parquet', home = logs.newPath()): Promise<string> {
  mkdirSync(join(home, name, '..'), { recursive: true })
  await logs.duckdb.run(`COPY (${query}) TO '${join(home, name)}' (FORMAT parquet, ${options})`)
  return home
}

async function publish(views: readonly LogView[]) {
  const out = logs.newPath()
  const report = await rebuild(loadedFromDefinition(defineJob({ views })), { out, workers: 0 })
  return new Map(report.views.map(({ view, path, counters }) => [view, { rows: readPublished(path).rows, counters }]))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

describe('a log that DuckDB wrote comes to what the laws ask for', () => {
  // DuckDB knows no last nanosecond, and keeps none that stands with a time zone.
  const rows = fc
    .sample(anyRows(300), { seed: 11, numRuns: 6 })
    .reduce((most, some) => (some.length > most.length ? some : most))
    .filter((row) => (row['precise'] as bigint) < 2n ** 62n)
    .map((row): Row => ({ ...row, document: null }))
  const options = { typed: true, sequenced: true, composite: true, uniqueIds: false, upcasts: true, looseOrder: false }
  const payload = `json_transform(payload, '{"address": {"city": "VARCHAR"}, "points": "BIGINT"}')`

  test.each([
    ['version 1, snappy', 'PARQUET_VERSION v1, COMPRESSION snappy', ''],
    ['version 2, zstd', 'PARQUET_VERSION v2, COMPRESSION zstd', ''],
    ['version 2, gzip, without dictionaries', 'PARQUET_VERSION v2, COMPRESSION gzip, DICTIONARY_SIZE_LIMIT 1', ''],
    ['version 1, uncompressed, nested', 'PARQUET_VERSION v1, COMPRESSION uncompressed', 'nested'],
    ['version 2, lz4, nested', 'PARQUET_VERSION v2, COMPRESSION lz4_raw', 'nested'],
  ])('in %s', async (_, settings, nested) => {
    expect(rows.length).toBeGreaterThan(100)
    const source = writeRows(join(logs.newFolder(), 'source.parquet'), { ...everyColumn, precise: bigint() }, rows)
    const structs = nested === '' ? '' : `, ${payload} AS payload`
    const query = `SELECT * REPLACE (make_timestamp_ns(precise) AS precise${structs}) FROM read_parquet('${source}')`
    const home = await copyTo(query, settings)
    const views = everyKind({ files: home, ...options })
    const published = await publish(views)
    for (const view of views) {
      const events = rows.map((row) => eventOf(row, { files: home, ...options }))
      const expected = foldNaively(view, events)
      expect(published.get(view.name)!.counters, view.name).toEqual(expected.counters)
      expect(published.get(view.name)!.rows.map(plain), view.name).toEqual(expected.rows.map(plain))
    }
  })
})

test('columns of other types than declared are converted where nothing is lost', async () => {
  const home = await copyTo(
    `SELECT CAST(i AS INTEGER) AS id, CAST('00000000-0000-0000-0000-00000000000' || i AS UUID) AS account,
       CAST(i AS TINYINT) AS tiny, CAST(i * 65535 // 3 AS USMALLINT) AS short, CAST(4294967295 AS UINTEGER) AS wide,
       CAST(i AS DECIMAL(4, 1)) AS price, CAST(i * 1000 AS DECIMAL(18, 3)) AS sum, CAST(i + 0.5 AS FLOAT) AS single,
       CAST(i AS BIGINT) AS ratio, DATE '2021-05-22' + CAST(i AS INTEGER) AS day,
       CAST('2021-05-22 10:00:00.00' || i AS TIMESTAMP_MS) AS ms, CAST('2021-05-22 10:00:00.000000' AS TIMESTAMP_NS) AS ns,
       {'inner': {'name': 'n' || i, 'flag': i = 2}} AS struct, [i, i + 1] AS list, CAST('{"a": ' || i || '}' AS JSON) AS document,
       CASE WHEN i = 1 THEN NULL ELSE 'é' END AS text
     FROM range(1, 4) t(i)`,
    'COMPRESSION zstd',
    'year=2021/region=n%C3%B6rd%20a/0.parquet',
  )
  const log = defineLog({
    name: 'converted',
    files: home,
    zone: 'UTC',
    columns: { id: 'id', key: 'account', sequence: int64('tiny'), recordedAt: 'ms' },
    fields: {
      tiny: int64(),
      short: int32(),
      wide: int64(),
      price: decimal(9, 2),
      sum: decimal(9, 2),
      single: float64(),
      ratio: float64(),
      midnight: timestamp('ms', 'day'),
      day: date(),
      ms: timestamp('ns'),
      ns: timestamp('ms'),
      name: string('struct.inner.name'),
      flag: bool(['struct', 'inner', 'flag']),
      list: json<number[]>(),
      document: json<{ a: number }>(),
      a: int32('document.a'),
      text: nullable(string()),
      year: int32(),
      region: string(),
    },
  })
  const names = Object.keys(log.fields)
  const state = Object.fromEntries(
    Object.entries(log.fields).map(([name, type]) => {
      const { from: _from, ...bare } = type
      return [name, bare]
    }),
  )
  const copying = defineView({
    name: 'converted',
    log,
    key: { id: int64() },
    keyBy: (e: { id: number }) => ({ id: e.id }),
    state,
    on: {
      Event: (s: Record<string, unknown>, e: Record<string, unknown>) => {
        for (const name of names) s[name] = e[name]
      },
    },
  } as never)
  const { rows } = (await publish([copying])).get('converted')!
  const day = Date.UTC(2021, 4, 22)
  expect(rows).toEqual(
    [1, 2, 3].map((i) => ({
      id: i,
      tiny: i,
      short: Math.floor((i * 65_535) / 3),
      wide: 4_294_967_295,
      price: i * 100,
      sum: i * 100_000,
      single: i + 0.5,
      ratio: i,
      midnight: day + i * 86_400_000,
      day: day / 86_400_000 + i,
      ms: BigInt(day + 36_000_000 + i) * 1_000_000n,
      ns: day + 36_000_000,
      name: `n${i}`,
      flag: i === 2,
      list: [i, i + 1],
      document: { a: i },
      a: i,
      text: i === 1 ? null : 'é',
      year: 2021,
      region: 'nörd a',
    })),
  )
})

test('the key of a log may be of any type but JSON', async () => {
  const home = await copyTo(
    `SELECT i AS id, CAST('00000000-0000-0000-0000-00000000000' || (i % 2) AS UUID) AS uuid, i % 2 = 0 AS bool, i % 2 - 0.5::DOUBLE AS float,
       DATE '1970-01-01' - CAST(i % 2 AS INTEGER) AS date, CAST(i % 2 AS DECIMAL(9, 2)) AS decimal, TIMESTAMP '1969-12-31 23:59:59' AS moment FROM range(1, 5) t(i)`,
    'COMPRESSION snappy',
  )
  const keyed = async (key: string | ReturnType<typeof int64> | ReturnType<typeof bool>) => {
    const log = defineLog({ name: 'keyed', files: home, zone: 'UTC', columns: { id: 'id', key: key as string } })
    const view = defineView({
      name: 'keyed',
      log,
      orderFree: true,
      state: { n: int32() },
      on: {
        Event: (s) => {
          s.n++
        },
      },
    })
    return (await publish([view])).get('keyed')!.rows
  }
  const uuid = (last: number) => `00000000-0000-0000-0000-00000000000${last}`
  expect(await keyed('uuid')).toEqual([0, 1].map((last) => ({ uuid: uuid(last), n: 2 })))
  expect(await keyed(bool('bool'))).toEqual([false, true].map((bool) => ({ bool, n: 2 })))
  expect(await keyed(float64('float'))).toEqual([-0.5, 0.5].map((float) => ({ float, n: 2 })))
  expect(await keyed(date('date'))).toEqual([-1, 0].map((date) => ({ date, n: 2 })))
  expect(await keyed(decimal(9, 2, 'decimal'))).toEqual([0, 100].map((decimal) => ({ decimal, n: 2 })))
  expect(await keyed(timestamp('us', 'moment'))).toEqual([{ moment: -1_000_000, n: 4 }])
  expect(await keyed(int64('id'))).toEqual([1, 2, 3, 4].map((id) => ({ id, n: 1 })))
})
