import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { type AsyncBuffer, parquetMetadata, parquetReadObjects, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import parquetjs from 'parquetjs-lite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BytesColumn, Column, DictionaryColumn } from '../../src/model/column.ts'
import type { Type, TypeKind } from '../../src/model/type.ts'
import { encodeParquet, type OutputColumn, ParquetEncoder, type WriteOptions } from '../../src/parquet/write.ts'

let folder: string
let duckdb: DuckDBConnection

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refold-write-'))
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run("SET TimeZone = 'UTC'")
})

afterAll(() => {
  duckdb.closeSync()
  rmSync(folder, { recursive: true, force: true })
})

/** A column of a test: its type and its values as they are stored, null where there is none. */
interface Sample {
  readonly type: Type
  readonly values: readonly unknown[]
}

const type = (kind: TypeKind, more: Partial<Type> = {}): Type => ({ kind, nullable: false, ...more })
const optional = (kind: TypeKind, more: Partial<Type> = {}): Type => ({ kind, nullable: true, ...more })

function columnsOf(samples: Readonly<Record<string, Sample>>): OutputColumn[] {
  return Object.entries(samples).map(([name, sample]) => ({ name, type: sample.type }))
}

function dataOf(samples: Readonly<Record<string, Sample>>): Column[] {
  return Object.values(samples).map(({ type: { kind }, values }) => columnOf(kind, values))
}

function columnOf(kind: TypeKind, values: readonly unknown[]): Exclude<Column, DictionaryColumn> {
  const length = values.length
  const nullCount = values.filter((value) => value === null).length
  const base = { length, nullCount, validity: nullCount === 0 ? null : bitsOf(values.map((value) => value !== null)) }
  switch (kind) {
    case 'int32':
    case 'date':
      return { kind: 'int32', ...base, values: Int32Array.from(values, (value) => Number(value ?? -7)) }
    case 'float64':
      return { kind: 'float64', ...base, values: Float64Array.from(values, (value) => Number(value ?? Number.NaN)) }
    case 'bool':
      return { kind: 'bool', ...base, bits: bitsOf(values.map((value) => value !== false)) }
    case 'string':
    case 'json':
      return { ...bytesOf(values.map((value) => (value ?? 'under a null') as string)), ...base }
    default:
      return { kind: 'int64', ...base, values: BigInt64Array.from(values, (value) => BigInt((value ?? -7) as bigint)) }
  }
}

/** Bits behind the last row are 1, so that a writer that copies them unmasked is found out. */
function bitsOf(flags: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array((flags.length + 7) >> 3).fill(255)
  for (const [index, flag] of flags.entries()) if (!flag) bits[index >> 3]! &= ~(1 << (index & 7))
  return bits
}

function bytesOf(values: readonly string[], gap: 0 | 4 = 0): BytesColumn {
  const parts = values.map((value) => Buffer.concat([Buffer.alloc(gap, 0xee), Buffer.from(value)]))
  const offsets = new Int32Array(values.length + 1)
  offsets[0] = gap
  for (const [index, part] of parts.entries()) offsets[index + 1] = offsets[index]! + part.length
  return {
    kind: 'bytes',
    length: values.length,
    nullCount: 0,
    validity: null,
    offsets,
    data: Buffer.concat(parts),
    gap,
  }
}

function dictionaryOf(codes: readonly (number | null)[], dictionary: DictionaryColumn['dictionary']): DictionaryColumn {
  const { length, nullCount, validity } = columnOf('int32', codes)
  return {
    kind: 'dictionary',
    length,
    nullCount,
    validity,
    codes: Int32Array.from(codes, (code) => code ?? 0),
    dictionary,
  }
}

function write(samples: Readonly<Record<string, Sample>>, options?: WriteOptions): Buffer {
  return Buffer.concat(encodeParquet(columnsOf(samples), dataOf(samples), options))
}

let files = 0

/** What DuckDB answers to a query in which `FILE` stands for the bytes. */
async function ask(bytes: Uint8Array, query: string): Promise<Record<string, unknown>[]> {
  const path = join(folder, `${files++}.parquet`)
  writeFileSync(path, bytes)
  const result = await duckdb.runAndReadAll(query.replaceAll('FILE', `'${path}'`))
  return result.getRowObjectsJS() as Record<string, unknown>[]
}

function bufferOf(bytes: Uint8Array): AsyncBuffer & { reads: [number, number][] } {
  const reads: [number, number][] = []
  const buffer = new Uint8Array(bytes).buffer
  return {
    reads,
    byteLength: buffer.byteLength,
    slice: (start, end = buffer.byteLength) => {
      reads.push([start, end])
      return buffer.slice(start, end)
    },
  }
}

/** Rows by hyparquet, values as they are stored. */
async function readByHyparquet(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  return await parquetReadObjects({
    file: bufferOf(bytes),
    compressors,
    parsers: {
      timestampFromMilliseconds: (value) => value,
      timestampFromMicroseconds: (value) => value,
      timestampFromNanoseconds: (value) => value,
      dateFromDays: (value) => value,
      jsonFromBytes: (value) => value && new TextDecoder().decode(value),
    },
  })
}

/** parquetjs-lite leaves out what is null. */
async function readByParquetjs(bytes: Buffer, names: readonly string[]): Promise<Record<string, unknown>[]> {
  const reader = await parquetjs.ParquetReader.openBuffer(bytes)
  const cursor = reader.getCursor()
  const rows: Record<string, unknown>[] = []
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
    rows.push(Object.fromEntries(names.map((name) => [name, row![name] ?? null])))
  }
  return rows
}

function rowsOf(samples: Readonly<Record<string, Sample>>): Record<string, unknown>[] {
  const names = Object.keys(samples)
  const length = Object.values(samples)[0]!.values.length
  return Array.from({ length }, (_, row) => Object.fromEntries(names.map((name) => [name, samples[name]!.values[row]])))
}

const int64Least = -(2n ** 63n)
const int64Most = 2n ** 63n - 1n

/** Every kind but decimal, which hyparquet turns into a float and parquetjs-lite can't open. `step` 1: no nulls. */
function everyKind(rows: number, step: number): Record<string, Sample> {
  const make = (kind: TypeKind, value: (row: number) => unknown, more: Partial<Type> = {}): Sample => ({
    type: step === 1 ? type(kind, more) : optional(kind, more),
    values: Array.from({ length: rows }, (_, row) => (row % step === step - 1 && step > 1 ? null : value(row))),
  })
  const extremes = [int64Least, int64Most, 0n, -1n, 2n ** 53n + 1n]
  const texts = ['', 'a', '台灣 — Zürich 🏦', '\u0000', 'x'.repeat(100), 'AC0000000123', '\u{10ffff}']
  return {
    int32: make('int32', (row) => [2 ** 31 - 1, -(2 ** 31), 0, row][row % 4]),
    int64: make('int64', (row) => BigInt(row) * 1_000_003n - 5n),
    bigint: make('bigint', (row) => extremes[row % extremes.length]),
    float64: make('float64', (row) => [row / 3, -1e300, -0, Number.POSITIVE_INFINITY][row % 4]),
    bool: make('bool', (row) => row % 3 === 0),
    string: make('string', (row) => texts[row % texts.length]),
    json: make('json', (row) => JSON.stringify({ row, text: 'é' })),
    date: make('date', (row) => row - 100),
    milliseconds: make('timestamp', (row) => BigInt(row - 100) * 86_399_999n, { unit: 'ms' }),
    microseconds: make('timestamp', (row) => BigInt(row - 100) * 86_399_999_999n, { unit: 'us' }),
    nanoseconds: make('timestamp', (row) => BigInt(row - 100) * 86_399_999_999_999n, { unit: 'ns' }),
  }
}

const stored = `SELECT int32, int64, bigint, float64, bool, string, json::VARCHAR AS json,
  date_diff('day', DATE '1970-01-01', date)::INT AS date, epoch_ms(milliseconds) AS milliseconds,
  epoch_us(microseconds) AS microseconds, epoch_ns(nanoseconds) AS nanoseconds FROM FILE`

describe('encodeParquet()', () => {
  const shapes: [string, number, number, WriteOptions][] = [
    ['one page', 50, 1, {}],
    ['one page with nulls', 50, 3, {}],
    ['several row groups and pages', 1000, 1, { rowGroupRows: 300, pageRows: 64 }],
    ['row groups and pages that cut bytes of the validity bitmap', 1000, 3, { rowGroupRows: 301, pageRows: 37 }],
    ['Snappy', 1000, 7, { codec: 'SNAPPY', rowGroupRows: 512, pageRows: 100 }],
    ['gzip', 1000, 7, { codec: 'GZIP' }],
    ['zstd', 1000, 7, { codec: 'ZSTD' }],
    ['no rows', 0, 1, {}],
  ]

  test.each(shapes)('writes every kind so that DuckDB reads it back: %s', async (_, rows, step, options) => {
    const samples = everyKind(rows, step)
    expect(await ask(write(samples, options), stored)).toEqual(
      rowsOf(samples).map((row) => ({ ...row, nanoseconds: toMicroseconds(row.nanoseconds) })),
    )
  })

  /** DuckDB keeps a moment with a time zone in microseconds. */
  const toMicroseconds = (value: unknown): unknown => (value === null ? null : ((value as bigint) / 1000n) * 1000n)

  test.each(shapes)('writes every kind so that hyparquet reads it back: %s', async (_, rows, step, options) => {
    const samples = everyKind(rows, step)
    expect(await readByHyparquet(write(samples, options))).toEqual(rowsOf(samples))
  })

  test.each(shapes.filter(([, , , options]) => options.codec !== 'ZSTD'))(
    'writes every kind so that parquetjs-lite reads it back: %s',
    async (_, rows, step, options) => {
      const samples = everyKind(rows, step)
      const asParquetjs = rowsOf(samples).map((row) => ({
        ...row,
        json: row.json === null ? null : JSON.parse(row.json as string),
        date: row.date === null ? null : new Date((row.date as number) * 86_400_000),
        microseconds: row.microseconds === null ? null : new Date(Number((row.microseconds as bigint) / 1000n)),
      }))
      expect(await readByParquetjs(write(samples, options), Object.keys(samples))).toEqual(asParquetjs)
    },
  )

  test('writes decimals with their scale', async () => {
    const samples = { amount: { type: optional('decimal', { precision: 18, scale: 2 }), values: [-12345n, null, 1n] } }
    expect(await ask(write(samples), 'SELECT amount::VARCHAR AS amount, typeof(amount) AS type FROM FILE')).toEqual([
      { amount: '-123.45', type: 'DECIMAL(18,2)' },
      { amount: null, type: 'DECIMAL(18,2)' },
      { amount: '0.01', type: 'DECIMAL(18,2)' },
    ])
  })

  test('names the types as DuckDB understands them', async () => {
    const [row] = await ask(
      write(everyKind(1, 1)),
      `SELECT ${Object.keys(everyKind(1, 1)).map((name) => `typeof(${name}) AS ${name}`)} FROM FILE`,
    )
    expect(row).toEqual({
      int32: 'INTEGER',
      int64: 'BIGINT',
      bigint: 'BIGINT',
      float64: 'DOUBLE',
      bool: 'BOOLEAN',
      string: 'VARCHAR',
      json: 'JSON',
      date: 'DATE',
      milliseconds: 'TIMESTAMP WITH TIME ZONE',
      microseconds: 'TIMESTAMP WITH TIME ZONE',
      nanoseconds: 'TIMESTAMP WITH TIME ZONE',
    })
  })

  test('reads bytes that still have their Parquet lengths in front of them', async () => {
    const data = [bytesOf(['one', '', 'three'], 4)]
    const bytes = Buffer.concat(encodeParquet([{ name: 'text', type: type('string') }], data))
    expect(await readByHyparquet(bytes)).toEqual([{ text: 'one' }, { text: '' }, { text: 'three' }])
  })

  test('writes the same bytes for the same rows, whatever lies under a null', () => {
    const { string, int64 } = everyKind(500, 3)
    const samples = { string: string!, int64: int64! }
    const data = dataOf(samples) as [BytesColumn, Column]
    const other = columnOf('int64', int64!.values) as Extract<Column, { kind: 'int64' }>
    for (const [row, value] of int64!.values.entries()) if (value === null) other.values[row] = 99n
    expect(Buffer.concat(encodeParquet(columnsOf(samples), [data[0], other]))).toEqual(write(samples))
  })

  test('writes bytes that are known', () => {
    const bytes = write(everyKind(1000, 3), { rowGroupRows: 300, pageRows: 64, sorting: 1 })
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '3ed83ed9b2afccf29df8fc0a2952d6b05d8c46fe67bb24841dd5e3770e91fa74',
    )
  })

  test('writes rows that a property made up', async () => {
    const value = fc.option(fc.bigInt({ min: int64Least, max: int64Most }), { nil: null })
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 80 }), { nil: null })
    const row = fc.tuple(value, text, fc.option(fc.boolean(), { nil: null }), fc.option(fc.double(), { nil: null }))
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 200 }), fc.integer({ min: 1, max: 70 }), async (rows, pageRows) => {
        const samples = {
          number: { type: optional('bigint'), values: rows.map((cells) => cells[0]) },
          text: { type: optional('string'), values: rows.map((cells) => cells[1]) },
          flag: { type: optional('bool'), values: rows.map((cells) => cells[2]) },
          double: { type: optional('float64'), values: rows.map((cells) => cells[3]) },
        }
        const bytes = write(samples, { pageRows, rowGroupRows: 2 * pageRows + 1 })
        expect(await readByHyparquet(bytes)).toEqual(rowsOf(samples))
      }),
      { numRuns: 60 },
    )
  })
})

describe('a dictionary column', () => {
  const cities = bytesOf(['Taipei', 'Zürich', '', 'Kaohsiung'])
  const columns = [
    { name: 'city', type: optional('string') },
    { name: 'number', type: type('int64') },
  ]
  const numbers = columnOf(
    'int64',
    Array.from({ length: 300 }, (_, index) => BigInt(index) * 2n ** 50n),
  ) as Extract<Column, { kind: 'int64' }>
  const rows = 5000
  const cityCodes = Array.from({ length: rows }, (_, row) => (row % 11 === 0 ? null : row < 2000 ? 1 : (row * 7) % 4))
  const numberCodes = Array.from({ length: rows }, (_, row) => (row < 700 ? row % 3 : (row * row) % 300))
  const data = [dictionaryOf(cityCodes, cities), dictionaryOf(numberCodes, numbers)]
  const names = ['Taipei', 'Zürich', '', 'Kaohsiung']
  const expected = Array.from({ length: rows }, (_, row) => ({
    city: cityCodes[row] === null ? null : names[cityCodes[row]!],
    number: BigInt(numberCodes[row]!) * 2n ** 50n,
  }))

  test.each([true, false])('reads back the same from DuckDB and hyparquet, written as one: %s', async (dictionary) => {
    const bytes = Buffer.concat(encodeParquet(columns, data, { dictionary, rowGroupRows: 2500, pageRows: 333 }))
    expect(await ask(bytes, 'SELECT * FROM FILE')).toEqual(expected)
    expect(await readByHyparquet(bytes)).toEqual(expected)
    const encodings = await ask(bytes, 'SELECT DISTINCT encodings FROM parquet_metadata(FILE)')
    expect(encodings.map((row) => row.encodings)).toEqual([dictionary ? 'PLAIN, RLE, RLE_DICTIONARY' : 'PLAIN, RLE'])
  })

  test('is written as plain values by default, so that parquetjs-lite reads it', async () => {
    const bytes = Buffer.concat(encodeParquet(columns, data))
    expect(await readByParquetjs(bytes, ['city', 'number'])).toEqual(expected)
  })

  test('has the bounds of the values that occur, not of its whole dictionary', async () => {
    const bytes = Buffer.concat(
      encodeParquet(columns, [dictionaryOf([1, 3, 3], cities), dictionaryOf([5, 2, 2], numbers)]),
    )
    const bounds = await ask(bytes, 'SELECT stats_min_value AS min, stats_max_value AS max FROM parquet_metadata(FILE)')
    expect(bounds).toEqual([
      { min: 'Kaohsiung', max: 'Zürich' },
      { min: String(2n * 2n ** 50n), max: String(5n * 2n ** 50n) },
    ])
  })
})

describe('statistics', () => {
  async function statistics(sample: Sample): Promise<Record<string, unknown>> {
    const query = `SELECT stats_min_value AS min, stats_max_value AS max, stats_null_count AS nulls,
      min_is_exact, max_is_exact FROM parquet_metadata(FILE)`
    return (await ask(write({ column: sample }), query))[0]!
  }
  const exact = { min_is_exact: true, max_is_exact: true }

  test.each<[string, Type, unknown[], string, string]>([
    ['int32', optional('int32'), [5, null, -3], '-3', '5'],
    ['int64', optional('int64'), [int64Most, null, int64Least, 0n], String(int64Least), String(int64Most)],
    ['int64 that differ in the low word', optional('int64'), [2n ** 31n, 2n ** 32n - 1n, null, 7n], '7', '4294967295'],
    ['negative int64', optional('int64'), [-1n, -(2n ** 32n), null, -(2n ** 32n) - 1n], '-4294967297', '-1'],
    ['float64', optional('float64'), [1.5, null, -2.5], '-2.5', '1.5'],
    ['bool', optional('bool'), [true, null, false], 'false', 'true'],
    ['date', optional('date'), [0, null, -1], '1969-12-31', '1970-01-01'],
    ['decimal', optional('decimal', { precision: 9, scale: 2 }), [150n, null, -250n], '-2.50', '1.50'],
    ['string', optional('string'), ['b', null, 'é', 'ab', '😀', '\uffee'], 'ab', '😀'],
  ])('of %s are exact', async (_, columnType, values, min, max) => {
    expect(await statistics({ type: columnType, values })).toEqual({ min, max, nulls: 1n, ...exact })
  })

  test('of long strings are a shorter prefix below, a larger short string above, and said not to be exact', async () => {
    const values = [`a${'é'.repeat(60)}`, `z${'é'.repeat(60)}`]
    const { min, max, min_is_exact, max_is_exact } = await statistics({ type: type('string'), values })
    expect({ min_is_exact, max_is_exact }).toEqual({ min_is_exact: false, max_is_exact: false })
    expect(values[0]!.startsWith(min as string)).toBe(true)
    expect(Buffer.compare(Buffer.from(max as string), Buffer.from(values[1]!))).toBeGreaterThan(0)
    expect(Buffer.byteLength(max as string)).toBeLessThanOrEqual(64)
  })

  test('have no bounds where a number is NaN, or where no row has a value', async () => {
    const none = { min: null, max: null, min_is_exact: null, max_is_exact: null }
    expect(await statistics({ type: type('float64'), values: [1, Number.NaN] })).toEqual({ ...none, nulls: 0n })
    expect(await statistics({ type: optional('int64'), values: [null, null] })).toEqual({ ...none, nulls: 2n })
  })

  test('of zeros cover both signs', () => {
    const { row_groups } = parquetMetadata(
      bufferOf(write({ x: { type: type('float64'), values: [0, -0] } })).slice(0) as ArrayBuffer,
    )
    const { min_value, max_value } = row_groups[0]!.columns[0]!.meta_data!.statistics!
    expect([min_value, max_value]).toEqual([-0, 0])
  })

  test('of JSON count nulls and nothing else', async () => {
    const { min, max, nulls } = await statistics({ type: optional('json'), values: ['{}', null] })
    expect({ min, max, nulls }).toEqual({ min: null, max: null, nulls: 1n })
  })
})

describe('page indexes', () => {
  const rows = 1000
  const samples = {
    key: { type: type('string'), values: Array.from({ length: rows }, (_, row) => `K${String(row).padStart(6, '0')}`) },
    value: {
      type: optional('int64'),
      values: Array.from({ length: rows }, (_, row) => (row < 256 ? null : BigInt(row * 7919) % 1000n)),
    },
    note: { type: type('json'), values: Array.from({ length: rows }, (_, row) => `[${row}]`) },
  }
  const bytes = write(samples, { pageRows: 128, sorting: 1 })
  const metadata = parquetMetadata(new Uint8Array(bytes).buffer)
  const [key, value, note] = metadata.row_groups[0]!.columns as [Chunk, Chunk, Chunk]
  type Chunk = (typeof metadata.row_groups)[number]['columns'][number]

  const part = (offset: bigint, length: number) => {
    const view = new DataView(new Uint8Array(bytes.subarray(Number(offset), Number(offset) + length)).buffer)
    return { view, offset: 0 }
  }

  test('give each page its first row and its bounds', () => {
    const offsets = readOffsetIndex(part(key.offset_index_offset!, key.offset_index_length!))
    expect(offsets.page_locations.map((page) => Number(page.first_row_index))).toEqual([
      0, 128, 256, 384, 512, 640, 768, 896,
    ])
    const index = readColumnIndex(part(key.column_index_offset!, key.column_index_length!), metadata.schema[1]!)
    const text = (list: Uint8Array[]) => list.map((bound) => Buffer.from(bound).toString())
    expect(text(index.min_values).slice(0, 2)).toEqual(['K000000', 'K000128'])
    expect(text(index.max_values).slice(6)).toEqual(['K000895', 'K000999'])
    expect(index.boundary_order).toBe('ASCENDING')
  })

  test('mark pages without values, and bounds that are in no order', () => {
    const index = readColumnIndex(part(value.column_index_offset!, value.column_index_length!), metadata.schema[2]!)
    expect(index.null_pages).toEqual([true, true, false, false, false, false, false, false])
    expect(index.null_counts).toEqual([128n, 128n, 0n, 0n, 0n, 0n, 0n, 0n])
    expect(index.boundary_order).toBe('UNORDERED')
    expect(index.min_values[0]).toHaveLength(0)
    expect(index.min_values.slice(2, 4)).toEqual([2n, 5n])
  })

  test('leave out the bounds of JSON and keep the offsets', () => {
    expect(note.column_index_offset).toBeUndefined()
    expect(note.offset_index_offset).toBeDefined()
  })

  test('let a point lookup read one page of each column', async () => {
    const file = bufferOf(bytes)
    const found = await parquetReadObjects({
      file,
      metadata,
      filter: { key: { $eq: 'K000500' } },
      usePageIndex: true,
      useOffsetIndex: true,
      parsers: { jsonFromBytes: (value) => value && new TextDecoder().decode(value) },
    })
    expect(found).toEqual([{ key: 'K000500', value: (500n * 7919n) % 1000n, note: '[500]' }])
    const dataEnd = Number(metadata.row_groups[0]!.total_compressed_size) + 4
    const pageBytes = file.reads
      .filter(([start]) => start < dataEnd)
      .reduce((total, [start, end]) => total + end - start, 0)
    expect(pageBytes).toBeLessThan(128 * (11 + 8 + 10) + 3 * 64)
  })

  test('have shorter pages where values are long', () => {
    const long = { text: { type: type('string'), values: Array.from({ length: 100 }, () => 'x'.repeat(100_000)) } }
    const chunk = parquetMetadata(new Uint8Array(write(long)).buffer).row_groups[0]!.columns[0]!
    expect(chunk.meta_data!.encoding_stats).toEqual([{ page_type: 'DATA_PAGE', encoding: 'PLAIN', count: 13 }])
  })
})

describe('the footer', () => {
  const samples = { a: { type: type('int32'), values: [1, 2, 3] }, b: { type: type('int32'), values: [4, 5, 6] } }

  test('says who wrote the file, how it is sorted and what the caller adds', () => {
    const bytes = write(samples, { sorting: 2, keyValueMetadata: { 'refold.view': 'balances', 'refold.key': 'a,b' } })
    const metadata = parquetMetadata(new Uint8Array(bytes).buffer)
    expect(metadata.created_by).toBe('refold')
    expect(metadata.key_value_metadata).toEqual([
      { key: 'refold.view', value: 'balances' },
      { key: 'refold.key', value: 'a,b' },
    ])
    expect(metadata.row_groups[0]!.sorting_columns).toEqual([
      { column_idx: 0, descending: false, nulls_first: true },
      { column_idx: 1, descending: false, nulls_first: true },
    ])
  })

  test('accounts for every byte', () => {
    const bytes = write(everyKind(1000, 3), { rowGroupRows: 300, pageRows: 64, codec: 'SNAPPY' })
    const { row_groups, num_rows } = parquetMetadata(new Uint8Array(bytes).buffer)
    expect(num_rows).toBe(1000n)
    let at = 4n
    for (const group of row_groups) {
      expect(group.file_offset).toBe(at)
      for (const { meta_data } of group.columns) {
        expect(meta_data!.data_page_offset).toBe(at)
        at += meta_data!.total_compressed_size
      }
    }
  })
})

describe('ParquetEncoder', () => {
  const columns = [{ name: 'n', type: type('int32') }]

  test('writes row groups as they come, the same bytes as in one call', () => {
    const values = Array.from({ length: 10 }, (_, row) => row)
    const encoder = new ParquetEncoder(columns)
    const chunks = [values.slice(0, 5), values.slice(5)].flatMap((some) =>
      encoder.writeRowGroup([columnOf('int32', some)]),
    )
    chunks.push(...encoder.finish())
    const whole = encodeParquet(columns, [columnOf('int32', values)], { rowGroupRows: 5 })
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat(whole))
  })

  test('gives bytes of its own, so that the caller may reuse the arrays', () => {
    const data = columnOf('int32', [1, 2, 3]) as Extract<Column, { kind: 'int32' }>
    const chunks = encodeParquet(columns, [data])
    const before = Buffer.concat(chunks)
    data.values.fill(9)
    expect(Buffer.concat(chunks)).toEqual(before)
  })

  test('refuses rows after the end', () => {
    const encoder = new ParquetEncoder(columns)
    encoder.finish()
    expect(() => encoder.writeRowGroup([columnOf('int32', [1])])).toThrow('the file was finished already')
  })

  test('refuses what does not fit, naming the column', () => {
    const attempt = (data: Column[]) => () => encodeParquet(columns, data)
    expect(attempt([columnOf('int64', [1n])])).toThrow('Cannot write column "n": expected int32 values, found int64.')
    expect(attempt([columnOf('int32', [1, null])])).toThrow(
      'column "n": expected a value in every row, found a null in row 1',
    )
    expect(attempt([])).toThrow('expected 1 columns of rows, found 0')
  })

  test('refuses columns and options that no file can have', () => {
    const attempt = (columns: OutputColumn[], options?: WriteOptions) => () => new ParquetEncoder(columns, options)
    expect(attempt([])).toThrow('expected at least one column')
    expect(attempt([...columns, ...columns])).toThrow('found "n" twice')
    expect(attempt(columns, { sorting: 2 })).toThrow('expected sorting to be a number of columns, 0 to 1, found 2')
    expect(attempt(columns, { pageRows: 0 })).toThrow('expected pageRows to be a positive integer, found 0')
    expect(attempt([{ name: 't', type: type('timestamp') }])).toThrow('column "t": expected a timestamp with a unit')
    expect(attempt([{ name: 'd', type: type('decimal', { precision: 39 }) }])).toThrow('expected a decimal of 1 to 38')
  })
})
