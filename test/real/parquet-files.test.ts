import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { openParquet, type ParquetFile } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { readColumns } from '../../src/parquet/scan.ts'
import { valueReader } from '../../src/parquet/values.ts'
import { disk } from '../../src/storage/disk.ts'
import { plainJson, rowsAsHyparquetShows } from '../support/hyparquet-json.ts'
import { readJson, realData, skipReason } from '../support/real-data.ts'

function filesIn(folder: string | undefined, ending: string): string[] {
  if (folder === undefined) return []
  const names = readdirSync(folder, { recursive: true }) as string[]
  return names.filter((name) => name.endsWith(ending)).sort()
}

function open(folder: string, name: string): ParquetFile {
  return openParquet(disk.openForReading(join(folder, name)))
}

function refusalOf(read: () => unknown): InputError {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return error as InputError
  }
  throw new Error('expected the file to be refused')
}

/** Reading a third out of the middle of each row group gives what reading all of it gives. */
function expectSameRowsInParts(file: ParquetFile): void {
  for (const { index, rows } of file.rowGroups) {
    const from = Math.floor(rows / 3)
    const to = Math.ceil((2 * rows) / 3)
    const paths = file.schema.map(({ path }) => path)
    const whole = readColumns(file, index, paths)
    const part = readColumns(file, index, paths, { from, to })
    for (const [i, { name, type }] of file.schema.entries()) {
      expect(part[i]!.length, name).toBe(to - from)
      const inWhole = valueReader(whole[i]!, type)
      const inPart = valueReader(part[i]!, type)
      const rowsOfPart = Array.from({ length: to - from }, (_, row) => row)
      expect(rowsOfPart.map(inPart), name).toEqual(rowsOfPart.map((row) => inWhole(from + row)))
    }
  }
}

const hyparquet = realData('parquet_hyparquet')

/** Files of two-level lists, in which hyparquet takes an empty list for null; compared with DuckDB below. */
const emptyForNull = ['adam_genotypes.parquet', 'duckdb2557.parquet', 'repeated_primitive_no_list.parquet']

describe.skipIf(hyparquet === undefined)(`files of many writers${skipReason('parquet_hyparquet')}`, () => {
  const names = filesIn(hyparquet, '.parquet').filter((name) => !emptyForNull.includes(name))

  test.each(names)('%s has the rows that are known of it', (name) => {
    const expected = readJson<unknown[]>(join(hyparquet!, name.replace(/\.parquet$/, '.json')))
    const file = open(hyparquet!, name)
    const rows = rowsAsHyparquetShows(file, expected)
    expect(rows.map(plainJson)).toEqual(expected.map(plainJson))
    expectSameRowsInParts(file)
  })
})

const apache = realData('parquet_apache')

/** What DuckDB reads of a file, as plain JSON. */
async function rowsOfDuckdb(path: string): Promise<unknown[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`SELECT to_json(t) AS row FROM read_parquet('${path}') t`)
  return reader.getRowObjectsJson().map(({ row }) => plainJson(JSON.parse(row as string)))
}

describe.skipIf(hyparquet === undefined)('files of two-level lists, and of maps without values', () => {
  const files = filesIn(hyparquet, '.parquet')
    .filter((name) => emptyForNull.includes(name))
    .map((name) => join(hyparquet!, name))
  const others = apache === undefined ? [] : ['repeated_primitive_no_list.parquet', 'old_list_structure.parquet']

  test.each([...files, ...others.map((name) => join(apache!, name))])(
    '%s has the rows that DuckDB reads',
    async (path) => {
      const file = openParquet(disk.openForReading(path))
      const rows = Array.from(readRows(file), plainJson)
      expect(rows).toEqual(await rowsOfDuckdb(path))
      expectSameRowsInParts(file)
    },
  )
})

/** Files that are not held against hyparquet; each has a test of its own below. */
const notCompared: Readonly<Record<string, string>> = {
  'repeated_primitive_no_list.parquet': 'hyparquet takes an empty list for null',
  'map_no_value.parquet': 'hyparquet takes a map without values for a struct',
  'datapage_v1-corrupt-checksum.parquet': 'hyparquet does not check checksums, and reads it',
  'rle-dict-uncompressed-corrupt-checksum.parquet': 'hyparquet does not check checksums, and reads it',
  'nation.dict-malformed.parquet': 'both refuse it: a dictionary of 28 bytes in a chunk of 13',
  'large_string_map.brotli.parquet': 'both refuse it: a string of 1 GiB; hyparquet only after decompressing it',
  'datapage_v2_empty_datapage.snappy.parquet': 'hyparquet refuses an empty compressed page',
  'int96_from_spark.parquet': 'hyparquet takes a negative time of day for a positive one',
}

describe.skipIf(apache === undefined)(`the Parquet project's files${skipReason('parquet_apache')}`, () => {
  test.each(filesIn(apache, '.parquet').filter((name) => !(name in notCompared)))(
    '%s has the rows that hyparquet reads',
    async (name) => {
      const bytes = readFileSync(join(apache!, name))
      const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
      const expected = (await parquetReadObjects({ file: buffer, compressors })).map(plainJson)
      const file = open(apache!, name)
      const rows = rowsAsHyparquetShows(file, expected)
      expect(rows.map(plainJson)).toEqual(expected)
      expectSameRowsInParts(file)
    },
  )

  test.each(filesIn(apache, '.encrypted'))('%s is refused as encrypted', (name) => {
    const refusal = refusalOf(() => open(apache!, name))
    expect(refusal.message).toContain(name)
    expect(refusal.message).toContain('encrypted')
    expect(refusal.place.file).toBe(join(apache!, name))
  })

  test.each([
    ['datapage_v1-corrupt-checksum.parquet', 'a', /expected a page with checksum \d+, found \d+/],
    ['rle-dict-uncompressed-corrupt-checksum.parquet', 'long_field', /expected a page with checksum \d+, found \d+/],
    ['nation.dict-malformed.parquet', 'name', /expected a page of at most 13 bytes, found one of 28/],
    ['large_string_map.brotli.parquet', 'arr', /expected a page of at most 1073741824 bytes when decompressed/],
  ])('%s is refused, by the name of the column', (name, column, message) => {
    const refusal = refusalOf(() => [...readRows(open(apache!, name))])
    expect(refusal.message).toMatch(message)
    expect(refusal.place).toEqual({ file: join(apache!, name), rowGroup: 0, column })
  })

  test('a map without values has null at each key', () => {
    const rows = [...readRows(open(apache!, 'map_no_value.parquet'), { columns: ['my_map_no_v', 'my_list'] })]
    expect(rows[1]).toEqual({ my_map_no_v: { 4: null, 5: null, 6: null }, my_list: [4, 5, 6] })
  })

  test('an empty page of nulls is read', () => {
    expect([...readRows(open(apache!, 'datapage_v2_empty_datapage.snappy.parquet'))]).toEqual([{ value: null }])
  })

  test('moments of INT96 beyond the year 2262 are exact', () => {
    const rows = [...readRows(open(apache!, 'int96_from_spark.parquet'))]
    const micros = [1704141296123456n, 1704070800000000n, 253402225200000000n, 1735599600000000n, null]
    // Spark overflows its own 64 bits of microseconds when it writes the year 290000; the file holds what it wrote.
    const overflown = 9089380393200000000n - 2n ** 64n
    expect(rows.map(({ a }) => a)).toEqual([...micros, overflown].map((moment) => moment && moment * 1000n))
  })
})
