import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bool,
  bytes,
  decimal,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  type Type,
  timestamp,
  uuid,
} from '../../src/index.ts'
import { scratch } from '../support/logs.ts'
import { writeSample } from '../support/parquet-samples.ts'
import { rebuildSeen } from '../support/value-logs.ts'

const folder = scratch('conversions')
let duckdb: DuckDBConnection
let files = 0
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
})
afterAll(() => {
  duckdb.closeSync()
  folder.remove()
})

/** Has DuckDB write a file of a query's rows. */
async function written(query: string): Promise<string> {
  const path = join(folder.path, `${files++}.parquet`)
  await duckdb.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)
  return path
}

async function seen(path: string | readonly string[], fields: Readonly<Record<string, Type>>) {
  const { rows } = await rebuildSeen(folder.path, { files: path, columns: { id: 'n', key: int64('n') }, fields })
  return rows.map((row) => row['seen'])
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT']

describe('whole numbers', () => {
  test.each([...integers, 'DECIMAL(4, 0)', 'DECIMAL(9, 0)', 'DECIMAL(18, 0)', 'DECIMAL(38, 0)', 'BOOLEAN'])(
    'of %s are integers, keys, ids and sequences',
    async (type) => {
      const file = await written(`SELECT i::BIGINT AS n, (i % 2)::INT::${type} AS c FROM range(4) t(i)`)
      expect(await seen(file, { c: int32(), d: int64('c') })).toEqual([0, 1, 0, 1].map((c) => [c, c]))
      const { rows } = await rebuildSeen(folder.path, { files: file, columns: { id: 'n', key: int64('c') } })
      expect(rows.map((row) => Object.values(row).slice(0, 2))).toEqual([
        [0, 2],
        [1, 2],
      ])
      const columns = { id: int64('c'), key: int64('n'), sequence: int64('c') }
      const rebuilt = await rebuildSeen(folder.path, { files: file, columns }).catch(String)
      // The events of one id differ in what the view reads, their key.
      expect(rebuilt).toMatch(/Event 0 is in log log with different contents/)
    },
  )

  test.each(['BIGINT', 'DECIMAL(9, 0)', 'DECIMAL(25, 0)', 'UBIGINT'])(
    'of %s are text as their digits',
    async (type) => {
      const file = await written(`SELECT i::BIGINT AS n, (i * 1000)::${type} AS c FROM range(2) t(i)`)
      expect(await seen(file, { c: string() })).toEqual([['0'], ['1000']])
    },
  )

  test('as bare names are integers: of an id and a sequence, and no key', async () => {
    const file = await written('SELECT i::DECIMAL(20, 0) AS c, i AS n FROM range(3) t(i)')
    const { rows } = await rebuildSeen(folder.path, {
      files: file,
      columns: { id: 'c', key: int64('n'), sequence: 'c' },
    })
    expect(rows).toHaveLength(3)
    await expect(rebuildSeen(folder.path, { files: file, columns: { id: 'n', key: 'c' } })).rejects.toThrow(
      `column "c" (the events' key): expected string, found decimal(20, 0). Declare key: decimal(20, 0, 'c').`,
    )
    await expect(rebuildSeen(folder.path, { files: file, columns: { id: 'c', key: 'n' } })).rejects.toThrow(
      `Declare key: int64('n').`,
    )
  })

  test('that do not fit are refused with their row', async () => {
    const file = await written(
      `SELECT i::BIGINT AS n, (i * 3000000000)::DECIMAL(25, 0) AS c, (i * 1e19)::DECIMAL(25, 0) AS d FROM range(3) t(i)`,
    )
    await expect(seen(file, { c: int32() })).rejects.toThrow(
      'row 1, column "c": expected an integer of 32 bits, found "3000000000"',
    )
    await expect(seen(file, { d: int64() })).rejects.toThrow(
      'row 1, column "d": expected an integer of 64 bits with a sign (declare uint64() for one without), found "10000000000000000000"',
    )
    await expect(seen(file, { c: decimal(9, 2) })).rejects.toThrow(
      'row 1, column "c": expected a decimal of at most 9 digits',
    )
  })

  test('with digits after the point are no integers and no text', async () => {
    const file = await written('SELECT 1::BIGINT AS n, 1::DECIMAL(9, 2) AS c')
    const message = (type: string) => `expected ${type}, found decimal(9, 2). Declare c: decimal(9, 2, 'c').`
    await expect(seen(file, { c: int64() })).rejects.toThrow(message('int64'))
    await expect(seen(file, { c: string() })).rejects.toThrow(message('string'))
  })
})

describe('decimals', () => {
  test('of more digits than are declared are refused, whatever the file has', async () => {
    const file = await written(
      `SELECT i::BIGINT AS n, (i * 999.99)::DECIMAL(18, 2) AS c, (i * 100)::INTEGER AS d, '{"c":1999.98}' AS j FROM range(1, 3) t(i)`,
    )
    expect(await seen(file, { c: decimal(6, 2), d: decimal(5, 2) })).toEqual([
      [99_999, 10_000],
      [199_998, 20_000],
    ])
    await expect(seen(file, { c: decimal(5, 2) })).rejects.toThrow(
      'row 1, column "c": expected a decimal of at most 5 digits',
    )
    await expect(seen(file, { d: decimal(4, 2) })).rejects.toThrow(
      'row 0, column "d": expected a decimal of at most 4 digits',
    )
    await expect(seen(file, { j: decimal(5, 2, 'j.c') })).rejects.toThrow(
      'row 0, column "j.c": expected a decimal of at most 5 digits',
    )
  })

  test('of files with other scales are one value', async () => {
    const paths = [
      await written('SELECT 1::BIGINT AS n, 1.0::DECIMAL(9, 1) AS c'),
      await written('SELECT 2::BIGINT AS n, 1.00::DECIMAL(30, 2) AS c'),
      await written('SELECT 3::BIGINT AS n, 1::INTEGER AS c'),
    ]
    for (const type of [decimal(18, 3, 'c'), decimal(38, 3, 'c')]) {
      const { rows } = await rebuildSeen(folder.path, { files: paths, columns: { id: 'n', key: type } })
      expect(rows.map((row) => Object.values(row).slice(0, 2).map(Number))).toEqual([[1000, 3]])
    }
  })
})

describe('truth values', () => {
  test.each(integers)('are 0 and 1 of %s, and nothing else', async (type) => {
    const file = await written(`SELECT i::BIGINT AS n, i::${type} AS c FROM range(3) t(i) WHERE i < 2`)
    expect(await seen(file, { c: bool() })).toEqual([[false], [true]])
    const two = await written(`SELECT i::BIGINT AS n, i::${type} AS c FROM range(3) t(i)`)
    await expect(seen(two, { c: bool() })).rejects.toThrow(
      'row 2, column "c": expected true or false, or the integers 0 and 1, found 2',
    )
  })

  test('are no text, no bytes and no decimals', async () => {
    const file = await written('SELECT 1::BIGINT AS n, true AS c')
    for (const type of [string(), bytes(), uuid(), float64(), decimal(9, 2), json()]) {
      await expect(seen(file, { c: type })).rejects.toThrow(`expected ${type.kind}, found bool. Declare c: bool('c').`)
    }
  })
})

describe('a column that has one type in some files and another in others', () => {
  const both = async () => [
    await written('SELECT 1::BIGINT AS n, 17::BIGINT AS c'),
    await written("SELECT 2::BIGINT AS n, '17' AS c UNION ALL SELECT 3, '017'"),
  ]

  test('is read as the text that is declared: an id, a key, a field', async () => {
    const paths = await both()
    expect(await seen(paths, { c: string() })).toEqual([['17'], ['17'], ['017']])
    const { rows } = await rebuildSeen(folder.path, { files: paths, columns: { id: 'n', key: string('c') } })
    expect(rows.map((row) => Object.values(row).slice(0, 2))).toEqual([
      ['017', 1],
      ['17', 2],
    ])
    const { report } = await rebuildSeen(folder.path, { files: paths, columns: { id: string('c'), key: string('c') } })
    expect(report.views[0]!.counters).toMatchObject({ applied: 2, duplicate: 1 })
  })

  test('is refused where nothing is declared, naming both files and what to declare', async () => {
    const [numbers, texts] = await both()
    await expect(
      rebuildSeen(folder.path, { files: [numbers!, texts!], columns: { id: 'c', key: int64('n') } }),
    ).rejects.toThrow(
      `Cannot read ${texts}, column "c" (the events' id): expected int64 as in ${numbers}, found string. Declare id: string('c'), which reads integers as the texts of their digits.`,
    )
  })

  test('is read from JSON as well', async () => {
    const file = await written(
      `SELECT i::BIGINT AS n, ['{"c":17}', '{"c":"17"}', '{"c":9007199254740993}'][i] AS doc FROM range(1, 4) t(i)`,
    )
    expect(await seen(file, { c: string('doc.c') })).toEqual([['17'], ['17'], ['9007199254740993']])
    const fraction = await written(`SELECT 1::BIGINT AS n, '{"c":17.5}' AS doc`)
    await expect(seen(fraction, { c: string('doc.c') })).rejects.toThrow(
      'column "doc.c": expected a string, found 17.5',
    )
  })
})

describe('a column without values', () => {
  const types: Readonly<Record<string, Type>> = {
    int32: nullable(int32()),
    int64: nullable(int64()),
    decimal: nullable(decimal(9, 2)),
    wide: nullable(decimal(38, 2)),
    float64: nullable(float64()),
    bool: nullable(bool()),
    string: nullable(string()),
    bytes: nullable(bytes()),
    uuid: nullable(uuid()),
    timestamp: nullable(timestamp()),
    json: nullable(json()),
  }

  test.each(['INTEGER', 'VARCHAR', 'TIMESTAMP', 'BOOLEAN', 'DECIMAL(9, 2)'])(
    'of %s is null under every type, beside files that have values',
    async (type) => {
      const empty = await written(
        `SELECT 1::BIGINT AS n, ${Object.keys(types).map((name) => `NULL::${type} AS "${name}"`)}`,
      )
      const names = Object.keys(types)
      expect(await seen(empty, types)).toEqual([names.map(() => null)])
    },
  )

  test('of lists is null as a document, and refused as anything else: what is counted as null may be an empty list', async () => {
    const empty = await written('SELECT 1::BIGINT AS n, NULL::INTEGER[] AS list')
    expect(await seen(empty, { list: nullable(json()) })).toEqual([[null]])
    await expect(seen(empty, { list: nullable(int32()) })).rejects.toThrow(
      'column "list" (field list): expected int32, found nested.',
    )
  })

  test('of no type at all is null under every type, and a value in it is refused', async () => {
    const nothing = { name: 'c', type: 'INT32', repetition_type: 'OPTIONAL', logical_type: { type: 'NULL' } } as const
    const n = { name: 'n', type: 'INT64', repetition_type: 'REQUIRED' } as const
    const write = (value: number | null) => {
      const path = join(folder.path, `${files++}.parquet`)
      const columns = [
        { name: 'n', data: [1n] },
        { name: 'c', data: [value] },
      ]
      writeFileSync(path, writeSample(columns, { schema: [n, nothing] }))
      return path
    }
    const fields = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { ...type, from: 'c' }]))
    expect(await seen(write(null), fields)).toEqual([Object.keys(types).map(() => null)])
    for (const type of [nullable(int64()), nullable(string())]) {
      await expect(seen(write(5), { c: type })).rejects.toThrow(
        'row 0, column "c": expected null, as the column has no type',
      )
    }
    await expect(seen(write(null), { c: int64() })).rejects.toThrow(
      'field "c": expected a value, found null; declare it as nullable(…)',
    )
  })

  test('is read where it is null in one file and of the declared type in another', async () => {
    const paths = [
      await written('SELECT 1::BIGINT AS n, NULL::INTEGER AS c'),
      await written("SELECT 2::BIGINT AS n, TIMESTAMPTZ '2021-05-22 06:00:00Z' AS c"),
    ]
    expect(await seen(paths, { c: nullable(timestamp()) })).toEqual([[null], [Date.UTC(2021, 4, 22, 6) * 1000]])
  })

  test('that has a value after all is refused as what it is', async () => {
    const file = await written("SELECT i::BIGINT AS n, CASE i WHEN 2 THEN 'x' END AS c FROM range(3) t(i)")
    await expect(seen(file, { c: nullable(int64()) })).rejects.toThrow(
      `expected int64, found string. Declare c: string('c').`,
    )
  })
})
