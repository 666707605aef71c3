import { DuckDBInstance } from '@duckdb/node-api'
import { type FileMetaData, parquetMetadata } from 'hyparquet'
import { ByteWriter, type ColumnSource } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { describe, expect, test } from 'vitest'
import { type Column, isPresent, type ValuesColumn } from '../../src/model/column.ts'
import { InputError } from '../../src/model/errors.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { decodeFlat, type Physical } from '../../src/parquet/flat.ts'
import { finishLogical } from '../../src/parquet/logical.ts'
import type { DataPage } from '../../src/parquet/pages.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { readColumns } from '../../src/parquet/scan.ts'
import { chunkStatistics } from '../../src/parquet/statistics.ts'
import { valueReader } from '../../src/parquet/values.ts'
import { encodeParquet } from '../../src/parquet/write.ts'
import { disk } from '../../src/storage/disk.ts'
import { fileOf, smallSamples, writeSample } from '../support/parquet-samples.ts'
import { temporaryFolder } from '../support/real-data.ts'

const rows = 500
const every = <T>(value: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => value(row))

function columnsOf(bytes: Uint8Array, ...paths: string[]): Column[] {
  return readColumns(
    openParquet(fileOf(bytes)),
    0,
    paths.map((path) => path.split('.')),
  )
}

function textsOf(column: Column): unknown[] {
  const read = valueReader(column, { kind: 'string' })
  return Array.from({ length: column.length }, (_, row) => read(row))
}

/** The same file with another footer. */
function withFooter(bytes: Uint8Array, change: (metadata: FileMetaData) => void): Uint8Array {
  const metadata = parquetMetadata(bytes)
  const end = bytes.length - metadata.metadata_length - 8
  change(metadata)
  const writer = new ByteWriter()
  writer.appendBytes(bytes.subarray(0, end))
  writeMetadata(writer, metadata)
  writer.appendUint32(0x31524150)
  return new Uint8Array(writer.getBuffer())
}

/** Several pages of each column. */
const sample = (columns: ColumnSource[]) => writeSample(columns, { pageSize: 400, codec: 'SNAPPY' })

describe('readColumns()', () => {
  test('gives null rows a slot, over several pages', () => {
    const data = every((row) => (row % 3 === 0 || (row > 200 && row < 250) ? null : BigInt(row)))
    const [column] = columnsOf(sample([{ name: 'a', type: 'INT64', data, encoding: 'PLAIN' }]), 'a')
    expect(column).toMatchObject({
      kind: 'int64',
      length: rows,
      nullCount: data.filter((value) => value === null).length,
    })
    expect(
      every((row) => (isPresent(column!, row) ? (column as { values: BigInt64Array }).values[row] : null)),
    ).toEqual(data)
  })

  test('has no bitmap where an optional column holds no nulls', () => {
    const [column] = columnsOf(
      sample([{ name: 'a', type: 'INT32', data: every((row) => row), nullable: true, encoding: 'PLAIN' }]),
      'a',
    )
    expect(column).toEqual({
      kind: 'int32',
      length: rows,
      nullCount: 0,
      validity: null,
      values: Int32Array.from(every((row) => row)),
    })
  })

  test('keeps dictionary codes, zero under a null', () => {
    const data = every((row) => (row % 7 === 0 ? null : ['x', 'y', 'zz'][row % 3]))
    const [column] = columnsOf(sample([{ name: 'a', type: 'STRING', data, encoding: 'RLE_DICTIONARY' }]), 'a')
    if (column?.kind !== 'dictionary') throw new Error(`expected a dictionary, found ${column?.kind}`)
    expect(column.dictionary.length).toBe(3)
    expect(column.codes[7]).toBe(0)
    expect(textsOf(column)).toEqual(data)
  })

  test('uses PLAIN strings as they lie in the page, lengths and all', () => {
    const data = every((row) => 'é'.repeat(row % 5))
    const [column] = columnsOf(sample([{ name: 'a', type: 'STRING', data, nullable: false, encoding: 'PLAIN' }]), 'a')
    expect(column).toMatchObject({ kind: 'bytes', gap: 4 })
    expect(textsOf(column!)).toEqual(data)
  })

  test.each([
    ['few', 97],
    ['many', 2],
  ])('reads PLAIN strings with %s nulls, each null an empty string', (_, distance) => {
    const data = every((row) => (row % distance === 1 || row > 490 ? null : `text ${row}`))
    const [column] = columnsOf(sample([{ name: 'a', type: 'STRING', data, encoding: 'PLAIN' }]), 'a')
    expect(textsOf(column!)).toEqual(data)
    const { offsets, gap } = column as Extract<Column, { kind: 'bytes' }>
    expect(every((row) => offsets[row + 1]! - gap - offsets[row]!)).toEqual(data.map((text) => text?.length ?? 0))
  })

  test('reads booleans, with nulls and without', () => {
    const some = every((row) => (row % 4 === 0 ? null : row % 3 === 0))
    const all = every((row) => row % 5 < 2)
    const bytes = sample([
      { name: 'some', type: 'BOOLEAN', data: some },
      { name: 'all', type: 'BOOLEAN', data: all, nullable: false },
      { name: 'plain', type: 'BOOLEAN', data: all, encoding: 'PLAIN' },
    ])
    expect([...readRows(openParquet(fileOf(bytes)))]).toEqual(
      every((row) => ({ some: some[row], all: all[row], plain: all[row] })),
    )
  })

  test('reads unsigned integers, half floats and UUIDs', () => {
    const ids = every((row) => `6ba7b810-9dad-11d1-80b4-${String(row).padStart(12, '0')}`)
    const large = every((row) => 2n ** 64n - 1n - BigInt(row))
    const columnData: ColumnSource[] = [
      { name: 'u64', data: large },
      { name: 'small64', data: every(BigInt) },
      { name: 'u32', data: every((row) => 2 ** 32 - 1 - row) },
      { name: 'half', data: every((row) => row / 2) },
      { name: 'id', data: ids },
    ]
    const required = { repetition_type: 'REQUIRED' } as const
    const schema = [
      { name: 'u64', type: 'INT64', converted_type: 'UINT_64', ...required },
      { name: 'small64', type: 'INT64', converted_type: 'UINT_64', ...required },
      { name: 'u32', type: 'INT32', converted_type: 'UINT_32', ...required },
      { name: 'half', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' }, ...required },
      { name: 'id', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' }, ...required },
    ] as const
    const file = openParquet(fileOf(writeSample(columnData, { schema: [...schema] })))
    const expected = every((row) => ({
      u64: large[row],
      small64: BigInt(row),
      u32: 2 ** 32 - 1 - row,
      half: row / 2,
      id: ids[row],
    }))
    expect([...readRows(file)]).toEqual(expected)
    const kinds = readColumns(file, 0, [['u64'], ['small64'], ['u32']]).map((column) =>
      column.kind === 'dictionary' ? column.dictionary.kind : column.kind,
    )
    expect(kinds).toEqual(['values', 'int64', 'int64'])
  })

  test('says what is wrong with a path', () => {
    const file = openParquet(fileOf(sample([{ name: 'a', type: 'INT32', data: every((row) => row) }])))
    expect(() => readColumns(file, 0, [['b']])).toThrow('Cannot read sample.parquet: expected column "b", found a.')
    expect(() => [...readRows(file, { columns: ['b'] })]).toThrow(InputError)
  })

  test('leads through structs to flat leaves and to lists, but not into lists', () => {
    const file = openParquet(fileOf(smallSamples().get('nested')!))
    const [payloads, cities, lines] = readColumns(file, 0, [['payload'], ['payload', 'city'], ['payload', 'lines']])
    expect(cities).toMatchObject({ nullCount: expect.any(Number), length: file.rows })
    expect(cities!.kind).not.toBe('values')
    type Payload = { city: string | null; lines: unknown[] } | null
    const documents = (payloads as ValuesColumn).values as Payload[]
    expect(documents[9]).toEqual({ city: 'city 9', lines: [] })
    expect(documents.slice(6, 9)).toEqual([null, { city: null, lines: [] }, { city: 'city 8', lines: [8, null] }])
    expect(textsOf(cities!)).toEqual(documents.map((payload) => payload?.city ?? null))
    expect((lines as ValuesColumn).values).toEqual(documents.map((payload) => payload?.lines ?? null))
    expect(() => readColumns(file, 0, [['tags', 'list', 'element']])).toThrow(
      'expected path "tags.list.element" to lead through structs, found "tags", a list, map or variant.',
    )
  })

  test('reads a file without row groups', () => {
    const bytes = sample([{ name: 'a', type: 'INT32', data: [1] }])
    const file = openParquet(
      fileOf(withFooter(bytes, (metadata) => Object.assign(metadata, { row_groups: [], num_rows: 0n }))),
    )
    expect(file).toMatchObject({ rows: 0, rowGroups: [] })
    expect([...readRows(file)]).toEqual([])
  })

  test('reads chunks that stand in another order than the schema, without their bounds', () => {
    const bytes = sample([
      { name: 'a', type: 'INT32', data: every((row) => row), nullable: false },
      { name: 'b', type: 'INT32', data: every((row) => -row), nullable: false },
    ])
    const reordered = withFooter(bytes, ({ row_groups: rowGroups }) => {
      for (const { columns } of rowGroups) columns.reverse()
    })
    const file = openParquet(fileOf(reordered))
    expect([...readRows(file)].slice(0, 2)).toEqual(
      [
        { a: 0, b: -0 },
        { a: 1, b: -1 },
      ].map(({ a, b }) => ({ a, b: b + 0 })),
    )
    expect(openParquet(fileOf(bytes)).rowGroups[0]!.statistics(['a'])).toMatchObject({ min: 0, max: 499 })
    expect(file.rowGroups[0]!.statistics(['a'])).toBeUndefined()
  })
})

const own = {
  columns: [
    { name: 'id', type: { kind: 'int64', nullable: false } },
    { name: 'text', type: { kind: 'string', nullable: true } },
  ] as const,
  data(count: number): Column[] {
    const texts = Array.from({ length: count }, (_, row) => `text ${row}`)
    const offsets = new Int32Array(count + 1)
    for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
    const base = { length: count, nullCount: 0, validity: null }
    return [
      { kind: 'int64', ...base, values: BigInt64Array.from(texts, (_, row) => BigInt(row)) },
      { kind: 'bytes', ...base, offsets, data: Buffer.from(texts.join('')), gap: 0 },
    ]
  },
  file(count: number, pageRows: number, rowGroupRows = count): Uint8Array {
    return new Uint8Array(Buffer.concat(encodeParquet(own.columns, own.data(count), { pageRows, rowGroupRows })))
  },
}

describe('a range of rows', () => {
  test('is read out of the pages that hold it, and no others', () => {
    const bytes = own.file(1000, 100)
    const counting = fileOf(bytes)
    const file = openParquet(counting)
    counting.reads.length = 0
    const [column] = readColumns(file, 0, [['id']], { from: 250, to: 320 })
    expect([...(column as { values: BigInt64Array }).values]).toEqual(
      Array.from({ length: 70 }, (_, row) => BigInt(250 + row)),
    )
    const chunk = file.metadata.row_groups[0]!.columns[0]!
    const [index, pages, ...more] = counting.reads
    expect(more).toEqual([])
    expect(index).toEqual({ offset: Number(chunk.offset_index_offset), length: chunk.offset_index_length })
    // Two pages of 100 values of 8 bytes, and their headers.
    expect(pages!.length).toBeGreaterThan(1600)
    expect(pages!.length).toBeLessThan(1600 + 2 * 100)
  })

  test('brings the dictionary along', () => {
    const data = every((row) => ['a', 'b', 'c', 'd', 'e'][row % 5])
    const bytes = writeSample([{ name: 'a', type: 'STRING', data, encoding: 'RLE_DICTIONARY' }], {
      pageSize: 100,
      codec: 'UNCOMPRESSED',
    })
    const counting = fileOf(bytes)
    const file = openParquet(counting)
    counting.reads.length = 0
    const [column] = readColumns(file, 0, [['a']], { from: 400, to: 405 })
    expect(textsOf(column!)).toEqual(data.slice(400, 405))
    const read = counting.reads.reduce((sum, { length }) => sum + length, 0)
    const indexBytes = file.metadata.row_groups[0]!.columns[0]!.offset_index_length!
    expect(read - indexBytes).toBeLessThan(file.rowGroups[0]!.columnBytes(['a']))
  })

  test('may be any: from each row to each row', () => {
    const file = openParquet(fileOf(own.file(13, 4)))
    for (let from = 0; from <= 14; from++) {
      for (let to = from; to <= 15; to++) {
        const [ids, texts] = readColumns(file, 0, [['id'], ['text']], { from, to })
        const wanted = Array.from({ length: Math.max(0, Math.min(13, to) - Math.min(13, from)) }, (_, i) => from + i)
        expect([...(ids as { values: BigInt64Array }).values]).toEqual(wanted.map(BigInt))
        expect(textsOf(texts!)).toEqual(wanted.map((row) => `text ${row}`))
      }
    }
  })

  test('goes over row groups in readRows()', () => {
    const file = openParquet(fileOf(own.file(30, 4, 10)))
    const ids = (options: Parameters<typeof readRows>[1]) =>
      Array.from(readRows(file, { ...options, columns: ['id'] }), ({ id }) => Number(id))
    expect(ids({ from: 8, to: 22 })).toEqual(Array.from({ length: 14 }, (_, i) => 8 + i))
    expect(ids({ rowGroup: 1 })).toEqual(Array.from({ length: 10 }, (_, i) => 10 + i))
    expect(ids({ rowGroup: 2, from: 7 })).toEqual([27, 28, 29])
    expect(ids({ from: 100 })).toEqual([])
  })

  test('files without rows have none', () => {
    const file = openParquet(fileOf(own.file(0, 4, 10)))
    expect([...readRows(file)]).toEqual([])
    for (const { index } of file.rowGroups)
      expect(readColumns(file, index, [['id'], ['text']]).map(({ length }) => length)).toEqual([0, 0])
  })
})

const none = new Uint8Array(0)

function page(encoding: string, values: ArrayLike<number>, slots: number): DataPage {
  return { slots, encoding, repetition: none, definition: none, values: Uint8Array.from(values) }
}

const strings = (...texts: string[]) => texts.flatMap((text) => [text.length, 0, 0, 0, ...Buffer.from(text)])
const ints = (...values: number[]) => [...new Uint8Array(Int32Array.from(values).buffer)]

function decode(
  physical: Physical,
  pages: DataPage[],
  dictionary: { values: Uint8Array; count: number } | null = null,
): Column {
  const total = pages.reduce((sum, { slots }) => sum + slots, 0)
  return decodeFlat({ dictionary, pages }, { physical, typeLength: 16, maxDefinitionLevel: 0, rows: total })
}

describe('decodeFlat()', () => {
  /** Codes 1, 0, 1 in one bit each. */
  const codes = page('RLE_DICTIONARY', [1, 0b11, 0b101], 3)

  test('writes codes out where a writer gave its dictionary up', () => {
    const numbers = decode('INT32', [codes, page('PLAIN', ints(7), 1), codes], {
      values: Uint8Array.from(ints(10, 20)),
      count: 2,
    })
    expect(numbers).toMatchObject({ kind: 'int32', values: Int32Array.of(20, 10, 20, 7, 20, 10, 20) })
    const texts = decode('BYTE_ARRAY', [codes, page('PLAIN', strings('seven'), 1), codes], {
      values: Uint8Array.from(strings('ten', 'twenty')),
      count: 2,
    })
    expect(textsOf(texts)).toEqual(['twenty', 'ten', 'twenty', 'seven', 'twenty', 'ten', 'twenty'])
    const wide = [...new Uint8Array(BigInt64Array.of(-1n, 2n ** 62n).buffer)]
    expect(decode('INT64', [codes, page('PLAIN', wide, 2)], { values: Uint8Array.from(wide), count: 2 })).toMatchObject(
      {
        kind: 'int64',
        values: BigInt64Array.of(2n ** 62n, -1n, 2n ** 62n, -1n, 2n ** 62n),
      },
    )
  })

  test('leaves out what lies behind the last string of a page', () => {
    const column = decode('BYTE_ARRAY', [
      page('PLAIN', [...strings('one'), 9, 9, 9], 1),
      page('PLAIN', [...strings('two', ''), 9], 2),
      page('PLAIN', strings('x'), 1),
    ])
    expect(textsOf(column)).toEqual(['one', 'two', '', 'x'])
  })

  test('refuses codes beyond the dictionary, and pages that are too short', () => {
    expect(() => decode('INT32', [codes], { values: Uint8Array.from(ints(10)), count: 1 })).toThrow(
      'expected dictionary codes below 1, found 1',
    )
    expect(() => decode('INT32', [codes])).toThrow('expected a dictionary')
    expect(() => decode('INT32', [page('PLAIN', ints(1), 2)])).toThrow('expected 2 values of 4 bytes, found 4 bytes')
    expect(() => decode('BYTE_ARRAY', [page('PLAIN', strings('one'), 2)])).toThrow('expected 2 strings, found 1')
    expect(() => decode('BOOLEAN', [page('PLAIN', [1], 9)])).toThrow('expected 9 booleans, found 1 bytes')
    expect(() => decode('INT32', [page('DELTA_BINARY_PACKED', [0x80, 1, 4, 9], 9)])).toThrow('expected')
  })

  test('reads INT96 as nanoseconds, as bigints where 64 bits are too few', () => {
    const moment = (day: number, nanos: bigint) => [...new Uint8Array(BigInt64Array.of(nanos).buffer), ...ints(day)]
    const epoch = 2_440_588
    const inside = decode('INT96', [
      page(
        'PLAIN',
        [...moment(epoch, 5n), ...moment(epoch - 1, 86_399_999_999_999n), ...moment(epoch + 100_000, 1n)],
        3,
      ),
    ])
    expect(inside).toMatchObject({ kind: 'int64', values: BigInt64Array.of(5n, -1n, 8_640_000_000_000_000_001n) })
    const beyond = decode('INT96', [page('PLAIN', moment(epoch + 3_000_000, 1n), 1)])
    expect(beyond).toMatchObject({ kind: 'values', values: [259_200_000_000_000_000_001n] })
  })

  test('reads decimals in bytes, of any width', () => {
    const sixteen = (value: bigint) =>
      Array.from({ length: 16 }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * (15 - i)))))
    const values = [0n, -1n, 123_456_789_012_345_678n, -123_456_789_012_345_678n]
    const column = decode('FIXED_LEN_BYTE_ARRAY', [page('PLAIN', values.flatMap(sixteen), 4)])
    const small = finishLogical(column, { kind: 'decimal', precision: 18, scale: 2 })
    expect(small).toMatchObject({ kind: 'int64', values: BigInt64Array.from(values) })
    expect(finishLogical(column, { kind: 'decimal', precision: 38, scale: 2 })).toMatchObject({
      kind: 'values',
      values,
    })
    const tooLarge = decode('FIXED_LEN_BYTE_ARRAY', [page('PLAIN', sixteen(2n ** 63n), 1)])
    expect(() => finishLogical(tooLarge, { kind: 'decimal', precision: 18, scale: 2 })).toThrow(
      'expected decimals of at most 18 digits',
    )
    const short = decode('BYTE_ARRAY', [
      page('PLAIN', [1, 0, 0, 0, 0xff, 2, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0], 4),
    ])
    expect(finishLogical(short, { kind: 'decimal', precision: 9, scale: 0 })).toMatchObject({
      values: BigInt64Array.of(-1n, 256n, 7n, 0n),
    })
  })
})

describe('chunkStatistics()', () => {
  const bounds = (element: object, statistics: object) => {
    const leaf = { element: { name: 'a', ...element }, children: [], path: ['a'], count: 1 }
    const tree = { element: { name: 'root' }, children: [leaf], path: [], count: 2 }
    const chunk = { path_in_schema: ['a'], type: (element as { type: string }).type, statistics }
    return chunkStatistics(chunk as never, tree as never)
  }

  test.each([
    [
      'new bounds of numbers',
      { type: 'INT64' },
      { min_value: 1n, max_value: 9n, null_count: 2n },
      { min: 1n, max: 9n, nullCount: 2 },
    ],
    ['old bounds of signed numbers', { type: 'INT32' }, { min: -1, max: 9 }, { min: -1, max: 9 }],
    ['no old bounds of unsigned ones', { type: 'INT32', converted_type: 'UINT_32' }, { min: 1, max: 9 }, {}],
    [
      'no old bounds of strings',
      { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { min: Buffer.from('a'), max: Buffer.from('b') },
      {},
    ],
    [
      'new bounds of strings',
      { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { min_value: Buffer.from('a'), max_value: Buffer.from('b') },
      { min: 'a', max: 'b' },
    ],
    [
      'no shortened bounds',
      { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { min_value: Buffer.from('a'), is_min_value_exact: false, max_value: Buffer.from('b'), is_max_value_exact: true },
      { max: 'b' },
    ],
    [
      'no bounds that are not UTF-8',
      { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      { min_value: Uint8Array.of(0xc3), max_value: Buffer.from('b') },
      { max: 'b' },
    ],
    ['no NaN', { type: 'DOUBLE' }, { min_value: Number.NaN, max_value: 2 }, { max: 2 }],
    [
      'no decimals',
      { type: 'INT64', converted_type: 'DECIMAL', precision: 9, scale: 2 },
      { min_value: 1, max_value: 2 },
      {},
    ],
    ['no bytes where numbers belong', { type: 'INT64' }, { min_value: Buffer.from('a'), max_value: 2n }, { max: 2n }],
  ])('gives %s', (_, element, statistics, expected) => {
    expect(bounds(element, statistics)).toEqual(expected)
  })
})

describe('files of DuckDB', () => {
  const query = `
    select case when i % 101 = 0 then null else i end as id,
      case when i % 13 = 0 then null else 'account ' || i % 3000 end as text,
      case when i % 1000 = 0 then null else 'note ' || i * 7919 end as note,
      ['a', 'b', null][1 + i % 3] as type, i % 5 = 0 as flag,
      case when i % 3 = 0 then null else (i / 7)::decimal(38, 4) end as wide,
      (i - 500)::decimal(9, 2) as narrow, i * 0.25::float as rate,
      case when i % 2 = 0 then null else make_timestamp(i * 1000003) end as moment, (date '1969-01-01' + i::int) as day,
      case when i % 17 = 0 then null else [i, null, i + 1] end as list,
      {'city': case when i % 4 = 0 then null else 'city ' || i end, 'items': [{'a': i, 'b': ['x']}]} as nested
    from range(20000) r(i)`

  test.each([
    ['V1', 'snappy'],
    ['V1', 'lz4_raw'],
    ['V2', 'zstd'],
    ['V2', 'gzip'],
    ['V2', 'brotli'],
  ])('version %s, %s: hold what DuckDB reads out of them', async (version, codec) => {
    const folder = temporaryFolder('duckdb')
    try {
      const path = `${folder.path}/a.parquet`
      const connection = await (await DuckDBInstance.create()).connect()
      await connection.run(
        `copy (${query}) to '${path}' (format parquet, parquet_version ${version}, compression ${codec}, row_group_size 6000)`,
      )
      const reader = await connection.runAndReadAll(`
        select id, text, note, type, flag, (wide * 10000::hugeint)::hugeint as wide, (narrow * 100)::int as narrow, rate,
          epoch_us(moment) as moment, (day - date '1970-01-01')::int as day, list, nested from '${path}'`)
      const asJson = (value: unknown) =>
        JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
      const expected = reader
        .getRowObjectsJson()
        .map((row) => asJson({ ...row, list: row['list'], narrow: String(row['narrow']) }))
      const found = Array.from(readRows(openParquet(disk.openForReading(path))), asJson)
      expect(found).toEqual(expected)
    } finally {
      folder.remove()
    }
  })
})
