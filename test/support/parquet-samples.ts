import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { CompressionCodec, SchemaElement } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import type { Column } from '../../src/model/column.ts'
import { InputError } from '../../src/model/errors.ts'
import type { Type } from '../../src/model/type.ts'
import { encodeParquet } from '../../src/parquet/write.ts'
import type { ReadableFile } from '../../src/storage/store.ts'

/** A file in memory that keeps account of what was read of it. */
export interface CountingFile extends ReadableFile {
  readonly reads: { readonly offset: number; readonly length: number }[]
}

export function fileOf(bytes: Uint8Array, path = 'sample.parquet'): CountingFile {
  const reads: { offset: number; length: number }[] = []
  const read = (offset: number, length: number): Uint8Array => {
    const found = `found ${length} bytes from ${offset}`
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
      throw new InputError(`Cannot read ${path}: ${found}.`, { file: path })
    reads.push({ offset, length })
    return bytes.slice(offset, offset + length)
  }
  const readInto = (offset: number, target: Uint8Array) => target.set(read(offset, target.length))
  return { path, byteLength: bytes.length, read, readInto, close: () => {}, reads }
}

/** Literals only, which is allowed. */
function lz4(input: Uint8Array): Uint8Array {
  const extra = input.length - 15
  if (extra < 0) return Buffer.concat([Uint8Array.of(input.length << 4), input])
  const lengths = [...new Array<number>(Math.floor(extra / 255)).fill(255), extra % 255]
  return Buffer.concat([Uint8Array.of(0xf0, ...lengths), input])
}

const compressors = {
  GZIP: (input: Uint8Array) => gzipSync(input),
  ZSTD: (input: Uint8Array) => zstdCompressSync(input),
  BROTLI: (input: Uint8Array) => brotliCompressSync(input),
  LZ4_RAW: lz4,
}

/** A file by hyparquet-writer: version 2 pages. */
export function writeSample(
  columnData: ColumnSource[],
  options: { codec?: CompressionCodec; schema?: SchemaElement[]; pageSize?: number; rowGroupSize?: number } = {},
): Uint8Array {
  const { schema, ...rest } = options
  const given = schema === undefined ? {} : { schema: [{ name: 'root', num_children: columnData.length }, ...schema] }
  return new Uint8Array(parquetWriteBuffer({ columnData, compressors, ...given, ...rest }))
}

const rows = 40
const every = <T>(value: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => value(row))

function flatColumns(): ColumnSource[] {
  return [
    { name: 'id', type: 'INT64', nullable: false, data: every((row) => BigInt(row) * 1_000_003n) },
    { name: 'amount', type: 'INT32', data: every((row) => (row % 7 === 3 ? null : row - 20)) },
    { name: 'type', type: 'STRING', data: every((row) => ['Deposited', 'Withdrawn', 'Closed'][row % 3]) },
    { name: 'note', type: 'STRING', data: every((row) => (row % 5 === 0 ? null : `note number ${row * 7919}`)) },
    { name: 'rate', type: 'DOUBLE', data: every((row) => row / 3) },
    { name: 'open', type: 'BOOLEAN', data: every((row) => (row % 11 === 0 ? null : row % 2 === 0)) },
    { name: 'at', type: 'TIMESTAMP', data: every((row) => new Date(1_600_000_000_000 + row)) },
  ]
}

function encodedColumns(): ColumnSource[] {
  return [
    {
      name: 'delta32',
      type: 'INT32',
      encoding: 'DELTA_BINARY_PACKED',
      data: every((row) => (row % 9 === 0 ? null : row * row)),
    },
    { name: 'delta64', type: 'INT64', encoding: 'DELTA_BINARY_PACKED', data: every((row) => BigInt(row) ** 11n) },
    { name: 'lengths', type: 'STRING', encoding: 'DELTA_LENGTH_BYTE_ARRAY', data: every((row) => 'x'.repeat(row % 6)) },
    { name: 'prefixes', type: 'STRING', encoding: 'DELTA_BYTE_ARRAY', data: every((row) => `account-${1000 + row}`) },
    { name: 'split', type: 'DOUBLE', encoding: 'BYTE_STREAM_SPLIT', data: every((row) => Math.sqrt(row)) },
    { name: 'codes', type: 'INT32', encoding: 'RLE_DICTIONARY', data: every((row) => row % 4) },
  ]
}

/** Schema and values of a list, a map, a struct that holds a list, and a variant. */
function nestedSample(): Uint8Array {
  const schema: SchemaElement[] = [
    { name: 'tags', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    { name: 'counts', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP' },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    { name: 'key', repetition_type: 'REQUIRED', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    { name: 'value', repetition_type: 'OPTIONAL', type: 'INT64' },
    { name: 'payload', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'city', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    { name: 'lines', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type: 'INT32' },
  ]
  return writeSample(nestedColumns(), { schema, pageSize: 100 })
}

function nestedColumns(): ColumnSource[] {
  const tags = every((row) =>
    row % 4 === 0 ? null : Array.from({ length: row % 3 }, (_, i) => (i === 1 ? null : `tag${row}`)),
  )
  const counts = every((row) => (row % 5 === 0 ? null : { [`k${row}`]: BigInt(row), other: null }))
  const payload = every((row) =>
    row % 6 === 0 ? null : { city: row % 7 === 0 ? null : `city ${row}`, lines: row % 2 === 0 ? [row, null] : [] },
  )
  return [
    { name: 'tags', data: tags },
    { name: 'counts', data: counts },
    { name: 'payload', data: payload },
  ]
}

const type = (kind: Type['kind'], more: Partial<Type> = {}): Type => ({ kind, nullable: false, ...more })

/** A view file as we write it: version 1 pages of a few rows, with a page index. */
function ownSample(codec: 'UNCOMPRESSED' | 'SNAPPY'): Uint8Array {
  const validity = Uint8Array.of(0xff, 0xfe, 0x0f, 0xff, 0xaa)
  const nullCount = 1 + 4 + 4
  const texts = every((row) => `text ${row}`)
  const offsets = new Int32Array(rows + 1)
  for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
  const data: Column[] = [
    { kind: 'int64', length: rows, nullCount: 0, validity: null, values: BigInt64Array.from(every(BigInt)) },
    { kind: 'int32', length: rows, nullCount, validity, values: Int32Array.from(every((row) => row)) },
    { kind: 'bytes', length: rows, nullCount: 0, validity: null, offsets, data: Buffer.from(texts.join('')), gap: 0 },
    { kind: 'bool', length: rows, nullCount, validity, bits: Uint8Array.of(1, 2, 3, 4, 5) },
  ]
  const columns = [
    { name: 'id', type: type('int64') },
    { name: 'day', type: type('date', { nullable: true }) },
    { name: 'text', type: type('string') },
    { name: 'open', type: type('bool', { nullable: true }) },
  ]
  return new Uint8Array(Buffer.concat(encodeParquet(columns, data, { pageRows: 12, rowGroupRows: 30, codec })))
}

/** Small files that together hold every codec, encoding and shape. */
export function smallSamples(): Map<string, Uint8Array> {
  const codecs: CompressionCodec[] = ['SNAPPY', 'GZIP', 'ZSTD', 'BROTLI', 'LZ4_RAW']
  const variant = every((row) => ({ id: row, name: `n${row}`, list: [row, 'two'] }))
  return new Map([
    ['flat', writeSample(flatColumns(), { codec: 'UNCOMPRESSED', pageSize: 120, rowGroupSize: 30 })],
    ...codecs.map((codec): [string, Uint8Array] => [
      codec,
      writeSample(flatColumns().slice(1, 4), { codec, pageSize: 300 }),
    ]),
    ['encodings', writeSample(encodedColumns(), { codec: 'UNCOMPRESSED' })],
    ['nested', nestedSample()],
    ['variant', writeSample([{ name: 'document', type: 'VARIANT', data: variant }])],
    ['own', ownSample('UNCOMPRESSED')],
    ['own SNAPPY', ownSample('SNAPPY')],
  ])
}
