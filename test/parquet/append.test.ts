import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import parquetjs from 'parquetjs-lite'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import type { Type, TypeKind } from '../../src/model/type.ts'
import { openAppender } from '../../src/parquet/append.ts'
import type { OutputColumn } from '../../src/parquet/write.ts'
import { disk } from '../../src/storage/disk.ts'

let folder: string
let path: string
let files = 0
let duckdb: DuckDBConnection

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refold-append-'))
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run("SET TimeZone = 'UTC'")
})

beforeEach(() => {
  path = join(folder, `${files++}.parquet`)
})

afterAll(() => {
  duckdb.closeSync()
  rmSync(folder, { recursive: true, force: true })
})

function column(name: string, kind: TypeKind, more: Partial<Type> = {}): OutputColumn {
  return { name, type: { kind, nullable: false, ...more } }
}

async function ask(query: string): Promise<unknown[][]> {
  return (await duckdb.runAndReadAll(query.replaceAll('FILE', `'${path}'`))).getRowsJS() as unknown[][]
}

const everyKind = [
  column('2024', 'string'),
  column('int32', 'int32', { nullable: true }),
  column('int64', 'int64', { nullable: true }),
  column('bigint', 'bigint', { nullable: true }),
  column('decimal', 'decimal', { nullable: true, precision: 12, scale: 2 }),
  column('float64', 'float64', { nullable: true }),
  column('bool', 'bool', { nullable: true }),
  column('json', 'json', { nullable: true }),
  column('ms', 'timestamp', { nullable: true, unit: 'ms' }),
  column('us', 'timestamp', { nullable: true, unit: 'us' }),
  column('ns', 'timestamp', { nullable: true, unit: 'ns' }),
  column('date', 'date', { nullable: true }),
  column('1999', 'string', { nullable: true }),
]

describe('openAppender()', () => {
  test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP'] as const)(
    'writes every kind so that DuckDB reads it: %s',
    async (codec) => {
      const appender = await openAppender(path, everyKind, disk, { codec, rowGroupRows: 50 })
      for (let row = 0; row < 120; row++) {
        await appender.append(
          row % 3 === 0
            ? { 2024: `row ${row}`, int32: null }
            : {
                2024: '台灣 🏦',
                int32: -row,
                int64: -Number.MAX_SAFE_INTEGER + row,
                bigint: -(2n ** 63n) + BigInt(row),
                decimal: -12345 - row,
                float64: row / 3,
                bool: row % 2 === 0,
                json: [row, { text: 'é' }],
                ms: -row,
                us: -row,
                ns: 1_767_225_600_000_000_001n + BigInt(row) * 1000n,
                date: -row,
                1999: '',
              },
        )
      }
      const { rows, bytes, sha256 } = await appender.close()
      expect(rows).toBe(120)
      expect(bytes).toBe(readFileSync(path).length)
      expect(sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))

      const read = await ask(`SELECT "2024", int32, int64, bigint, decimal::VARCHAR, float64, bool, json::VARCHAR,
      epoch_ms(ms), epoch_us(us), epoch_us(ns), date::VARCHAR, "1999" FROM FILE`)
      expect(read).toHaveLength(120)
      expect(read[3]).toEqual(['row 3', ...Array(12).fill(null)])
      const least = -BigInt(Number.MAX_SAFE_INTEGER)
      const moment = 1_767_225_600_000_000n + 119n
      expect(read[119]).toEqual(
        ['台灣 🏦', -119, least + 119n, -(2n ** 63n) + 119n, '-124.64', 119 / 3, false, '[119,{"text":"é"}]'].concat([
          -119n,
          -119n,
          moment,
          '1969-09-04',
          '',
        ] as never[]),
      )
      const schema = await ask('SELECT name, converted_type FROM parquet_schema(FILE)')
      expect(schema.map(([name]) => name).slice(1)).toEqual(everyKind.map(({ name }) => name))
    },
  )

  test('writes a file that hyparquet reads, in row groups of the size asked for', async () => {
    const appender = await openAppender(path, [column('n', 'int32')], disk, { rowGroupRows: 10 })
    for (let n = 0; n < 25; n++) await appender.append({ n })
    await appender.close()
    const file = new Uint8Array(readFileSync(path)).buffer
    expect(await parquetReadObjects({ file })).toEqual(Array.from({ length: 25 }, (_, n) => ({ n })))
    expect(await ask('SELECT num_row_groups FROM parquet_file_metadata(FILE)')).toEqual([[3n]])
  })

  test('keeps every row of calls that are not awaited', async () => {
    const appender = await openAppender(path, [column('n', 'int64')], disk, { rowGroupRows: 10 })
    const calls = Array.from({ length: 1000 }, (_, n) => appender.append({ n }))
    await Promise.all(calls)
    await appender.close()
    expect(await ask('SELECT count(*), sum(n)::BIGINT FROM FILE')).toEqual([[1000n, 499_500n]])
  })

  test('writes a file without rows', async () => {
    const appender = await openAppender(path, everyKind, disk)
    expect((await appender.close()).rows).toBe(0)
    expect(await ask('SELECT count(*) FROM FILE')).toEqual([[0n]])
  })

  test('keeps NaN and the infinities', async () => {
    const appender = await openAppender(path, [column('x', 'float64')], disk)
    for (const x of [Number.NaN, Number.NEGATIVE_INFINITY, -0]) await appender.append({ x })
    await appender.close()
    expect(await ask('SELECT x FROM FILE')).toEqual([[Number.NaN], [Number.NEGATIVE_INFINITY], [-0]])
  })

  test('refuses a file that exists, and leaves it as it is', async () => {
    writeFileSync(path, 'mine')
    await expect(openAppender(path, everyKind, disk)).rejects.toThrow(`Cannot write ${path}: it exists already.`)
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  test('refuses rows after the end', async () => {
    const appender = await openAppender(path, [column('n', 'int32')], disk)
    await appender.close()
    await expect(appender.append({ n: 1 })).rejects.toThrow(`Cannot append to ${path}: it is closed.`)
    await expect(appender.close()).rejects.toThrow('it is closed')
  })

  test.each<[TypeKind, unknown, string]>([
    ['int64', 2 ** 53, 'a whole number between -(2^53 - 1) and 2^53 - 1, found 9007199254740992'],
    ['int64', -(2n ** 53n), 'a whole number between -(2^53 - 1) and 2^53 - 1, found the bigint -9007199254740992'],
    ['int64', 1.5, 'found 1.5'],
    ['int64', '7', 'found the string "7"'],
    ['bigint', 2n ** 63n, 'a whole number between -2^63 and 2^63 - 1, found the bigint 9223372036854775808'],
    ['int32', 2 ** 31, 'a whole number of 32 bits, found 2147483648'],
    ['date', 0.5, 'a whole number of days since 1970-01-01, found 0.5'],
    ['float64', '1', 'a number, found the string "1"'],
    ['bool', 1, 'a boolean, found 1'],
    ['string', 1, 'a string that UTF-8 can encode, found 1'],
    ['json', { n: 1n }, 'a value that JSON can hold, found a value of type object'],
    ['json', undefined, 'a value that JSON can hold, found undefined'],
    ['string', null, 'a string that UTF-8 can encode, found null'],
  ])('refuses %s %s, naming the place, and goes on', async (kind, value, message) => {
    const appender = await openAppender(path, [column('good', 'int32'), column('odd', kind)], disk)
    const refused = appender.append({ good: 1, odd: value })
    await expect(refused).rejects.toThrow(OutputError)
    await expect(refused).rejects.toThrow(`Cannot append row 0 to ${path}, column "odd": expected `)
    await expect(refused).rejects.toThrow(message)
    expect((await appender.close()).rows).toBe(0)
    expect(await ask('SELECT count(*) FROM FILE')).toEqual([[0n]])
  })

  test('refuses a value that has no column', async () => {
    const appender = await openAppender(path, [column('a', 'int32'), column('b', 'int32')], disk)
    await expect(appender.append({ a: 1, b: 2, c: 3 })).rejects.toThrow('expected the columns a, b, found "c" as well')
    await appender.close()
  })
})

describe('parquetjs-lite', () => {
  /**
   * Why logs are never read with it: codes of a dictionary of more than 256 values take two bytes, and where a code
   * repeats, it adds the two up instead of shifting one, so value 256 is read as value 1. Nothing is reported. Should this
   * test fail one day, the library was repaired.
   */
  test('reads a dictionary of more than 256 values wrongly, without an error', async () => {
    await duckdb.run(`COPY (SELECT 'value ' || ((i // 10) % 300) AS text FROM range(30000) t(i) ORDER BY i)
      TO '${path}' (FORMAT parquet, COMPRESSION uncompressed)`)
    const written = (await ask('SELECT text FROM FILE')).map(([text]) => text)
    expect(new Set(written).size).toBe(300)

    const reader = await parquetjs.ParquetReader.openFile(path)
    const cursor = reader.getCursor()
    const read: unknown[] = []
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) read.push(row.text)
    await reader.close()

    expect(read).toHaveLength(written.length)
    expect(read.slice(0, 10)).toEqual(written.slice(0, 10))
    expect(written[2560]).toBe('value 256')
    expect(read[2560]).toBe('value 1')
  })
})
