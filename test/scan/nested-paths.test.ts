import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { int64, json, nullable, string } from '../../src/index.ts'
import type { Type } from '../../src/model/type.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readNested } from '../../src/parquet/scan.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { DuckDBLogs } from '../support/duckdb-logs.ts'
import { rawFile } from '../support/raw-file.ts'

const logs = new DuckDBLogs('nested-paths')
const logOf = (...queries: readonly string[]) => logs.logOf(queries)

/** What handlers see of the log's fields, by id. */
const seen = (files: string, fields: Readonly<Record<string, Type>>, storage: Disk = disk) =>
  logs.seen(files, fields, { zone: 'UTC' }, storage)

const hits = `SELECT i AS id,
    CASE WHEN i % 5 = 0 THEN NULL WHEN i % 5 = 1 THEN [] ELSE
      [{'time': i, 'at': DATE '1970-01-01' + i::INT, 'goods': [{'price': i * 10, 'name': 'a'}, NULL]}, NULL, {'time': NULL, 'at': NULL, 'goods': NULL}] END AS hits,
    MAP {'x': {'n': i, 'm': 1}, 'y': NULL} AS counts, {'deep': [[i, NULL], [], NULL]} AS s,
    CAST('{"lines":[{"n":' || i || '},{"m":1},null],"none":null}' AS JSON) AS doc
  FROM range(0, 5) t(i)`

describe('a path across lists', () => {
  test('gives a list as long as the list that it crosses, null for a list that is null', async () => {
    const fields = {
      time: nullable(json('hits.*.time')),
      at: nullable(json('hits.*.at')),
      prices: nullable(json('hits.*.goods.*.price')),
      second: nullable(json('hits.*.goods.0.price')),
      whole: nullable(json('hits.0.goods.*')),
    }
    const rows = await seen(await logOf(hits), fields)
    expect(rows[0]).toEqual([null, null, null, null, null])
    expect(rows[1]).toEqual([[], [], [], [], null])
    expect(rows[2]).toEqual([
      [2, null, null],
      ['1970-01-03', null, null],
      [[20, null], null, null],
      [20, null, null],
      [{ price: 20, name: 'a' }, null],
    ])
  })

  test('crosses maps, lists of lists, and lists within JSON text', async () => {
    const fields = {
      counts: json('counts.*.n'),
      deep: json('s.deep.*'),
      inner: json('s.deep.*.*'),
      first: json('s.deep.*.0'),
      lines: json('doc.lines.*.n'),
      none: nullable(json('doc.none.*.n', { optional: true })),
    }
    expect((await seen(await logOf(hits), fields))[3]).toEqual([
      { x: 3, y: null },
      [[3, null], [], null],
      [[3, null], [], null],
      [3, null, null],
      [3, null, null],
      null,
    ])
  })

  test('is refused for what is no list, with what to declare', async () => {
    await expect(seen(await logOf(hits), { time: int64('hits.*.time') })).rejects.toThrow(
      `column "hits.*.time" (field time): expected int64, found a list, as * leads to each element. Declare json('hits.*.time'), or the index of one element.`,
    )
    await expect(seen(await logOf(hits), { m: string('counts.*.n') })).rejects.toThrow('* leads to each element')
  })

  test('crosses variants', async () => {
    const home = logs.newFolder()
    const names = Uint8Array.of(1, 1, 0, 1, 97)
    // [{"a": 7}, null] and null.
    const list = Uint8Array.of(3, 2, 0, 7, 8, 2, 1, 0, 0, 2, 12, 7, 0)
    const schema = [
      { name: 'id', repetition_type: 'REQUIRED', type: 'INT64' },
      { name: 'v', repetition_type: 'OPTIONAL', num_children: 2, logical_type: { type: 'VARIANT' } },
      { name: 'metadata', repetition_type: 'REQUIRED', type: 'BYTE_ARRAY' },
      { name: 'value', repetition_type: 'REQUIRED', type: 'BYTE_ARRAY' },
    ] as const
    const rows = [
      { id: 0n, v: { metadata: names, value: list } },
      { id: 1n, v: { metadata: names, value: Uint8Array.of(0) } },
      { id: 2n, v: null },
    ]
    writeFileSync(join(home, 'a.parquet'), rawFile({ schema: schema as never, rows }))
    const fields = {
      each: nullable(json('v.*.a')),
      one: nullable(int64('v.0.a')),
      all: nullable(json('v')),
    }
    expect(await seen(home, fields)).toEqual([
      [[7, null], 7, [{ a: 7 }, null]],
      [null, null, null],
      [null, null, null],
    ])
  })
})

describe('a path that the schema ends before', () => {
  const all = 'id, hits, counts, s, doc'
  test.each([
    ['hits.0.tme', 'time, at, goods. Did you mean "hits.0.time"?'],
    ['hits.*.tme', 'time, at, goods. Did you mean "hits.*.time"?'],
    ['hits.time', all],
    ['s.deeep', 'deep. Did you mean "s.deep"?'],
    ['s.deep.x', all],
    ['hits.0.time.x', all],
    ['counts.x.z', 'n, m'],
  ])('%s is an error that names it', async (path, found) => {
    await expect(seen(await logOf(hits), { field: nullable(json(path)) })).rejects.toThrow(
      `expected column "${path}" (field field), found ${found}`,
    )
  })

  test('is what the field declares for files without it', async () => {
    const fields = {
      tax: int64('lines.0.tax', { whenMissing: -1 }),
      city: string('address.city', { whenMissing: '?' }),
    }
    const before = "SELECT 1 AS id, [{'price': 1}] AS lines, {'street': 'x'} AS address"
    const after = "SELECT 2 AS id, [{'price': 1, 'tax': 7}] AS lines, {'street': 'x', 'city': 'y'} AS address"
    expect(await seen(await logOf(before, after), fields)).toEqual([
      [-1, '?'],
      [7, 'y'],
    ])
  })
})

const wide = `SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE list_transform(range(i % 4), j -> {${Array.from(
  { length: 40 },
  (_, n) => `'f${n}': i * 100 + j + ${n}`,
).join(', ')}}) END AS items, {'a': i, 'list': [i], 'm': MAP {'k': {'x': i, 'y': -i}}} AS s FROM range(0, 10000) t(i)`

describe('of a nested column', () => {
  test('only the leaves that paths lead to are read and decoded', async () => {
    const home = await logOf(wide)
    const path = join(home, '0.parquet')
    const parquet = openParquet(disk.openForReading(path))
    const chunks = parquet.metadata.row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!))
    const leavesRead = async (fields: Readonly<Record<string, Type>>) => {
      const ranges: { offset: number; length: number }[] = []
      const storage: Disk = {
        ...disk,
        description: null,
        openForReading: (name) => {
          const file = disk.openForReading(name)
          const readInto = (offset: number, target: Uint8Array) => {
            ranges.push({ offset, length: target.length })
            file.readInto(offset, target)
          }
          return { ...file, read: (offset, length) => file.read(offset, length), close: () => file.close(), readInto }
        },
      }
      await seen(home, fields, storage)
      const names = ranges.map(({ offset, length }) => {
        const chunk = chunks.find((one) => Number(one.dictionary_page_offset ?? one.data_page_offset) === offset)!
        expect(length).toBe(Number(chunk.total_compressed_size))
        return chunk.path_in_schema.join('.')
      })
      return [...new Set(names)].sort()
    }
    const list = 'items.list.element'
    expect(await leavesRead({ one: nullable(int64('items.0.f7')) })).toEqual(['id', `${list}.f7`])
    expect(await leavesRead({ all: nullable(json('items.*.f7')), other: nullable(int64('items.1.f39')) })).toEqual([
      'id',
      `${list}.f39`,
      `${list}.f7`,
    ])
    expect(await leavesRead({ x: int64('s.m.k.x') })).toEqual(['id', 's.m.key_value.key', 's.m.key_value.value.x'])
    expect(await leavesRead({ a: int64('s.a') })).toEqual(['id', 's.a'])
    expect(await leavesRead({ list: json('s.list') })).toEqual(['id', 's.list.list.element'])
  })

  test('values of many rows are those that DuckDB reads, whatever is read beside them', async () => {
    const home = await logOf(wide)
    const fields = {
      first: nullable(int64('items.0.f7')),
      all: nullable(json('items.*.f39')),
      x: int64('s.m.k.x'),
      item: nullable(json('items.2')),
      s: json('s'),
    }
    const reader =
      await logs.duckdb.runAndReadAll(`SELECT to_json([to_json(items[1].f7), to_json([x.f39 for x in items]),
        to_json(s.m['k'].x), to_json(items[3]), to_json(s)]) AS row FROM '${join(home, '0.parquet')}' ORDER BY id`)
    const expected = reader.getRowObjectsJson().map(({ row }) => JSON.parse(row as string))
    expect(await seen(home, fields)).toEqual(expected)
  })

  test('a part of it is assembled without the rest', async () => {
    const parquet = openParquet(disk.openForReading(join(await logOf(wide), '0.parquet')))
    const values: unknown[] = []
    readNested(
      parquet,
      0,
      {
        path: ['items'],
        wanted: [
          ['0', 'f1'],
          ['*', 'f2'],
        ],
      },
      (value) => values.push(value),
    )
    expect(values.slice(0, 4)).toEqual([
      null,
      [{ f1: 101, f2: 102 }].map(({ f1, f2 }) => ({ f1: BigInt(f1), f2: BigInt(f2) })),
      [0, 1].map((j) => ({ f1: BigInt(201 + j), f2: BigInt(202 + j) })),
      [0, 1, 2].map((j) => ({ f1: BigInt(301 + j), f2: BigInt(302 + j) })),
    ])
  })
})

test('a value that does not fit is refused with its row, however many rows are read at once', async () => {
  const home = await logOf(
    "SELECT i AS id, [{'n': CASE WHEN i = 9000 THEN 1.5 ELSE i::DOUBLE END}] AS l FROM range(0, 9500) t(i)",
  )
  await expect(seen(home, { n: int64('l.0.n') })).rejects.toThrow(
    /row group 0, row 9000, column "l\.0\.n": expected an integer of 64 bits, found 1\.5/,
  )
})
