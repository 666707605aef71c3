/** Columns as Arrow's IPC stream: the buffers are handed over as they are wherever Arrow lays them out the same way. */
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  Timestamp,
  TimeUnit,
  Uint64,
  Utf8,
} from 'apache-arrow'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import type { NamedColumn } from '../read/named-column.ts'
import { valueReader } from '../read/values.ts'
import { cellText } from './cells.ts'

/**
 * The bytes of one stream; every batch has columns of the same names and types. Bodies are not compressed, because
 * other readers fail on what this library compresses; dictionaries are written out flat, because each row group has its
 * own and a stream has one.
 */
export function* arrowStream(batches: Iterable<readonly NamedColumn[]>): Generator<Uint8Array> {
  const writer = new ChunkWriter()
  let schema: Schema | undefined
  for (const columns of batches) {
    const data = columns.map(({ column, type }) => dataOf(column, type))
    schema ??= new Schema(columns.map(({ name }, index) => new Field(name, data[index]!.type, true)))
    const length = columns[0]?.column.length ?? 0
    const rows = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: data })
    writer.write(new RecordBatch(schema, rows))
    yield* writer.take()
  }
  writer.finish()
  yield* writer.take()
}

/** Hands out what was written so far; the library's own queue only does so all at once or through a Node stream. */
class ChunkWriter extends RecordBatchStreamWriter {
  #chunks: Uint8Array[] = []

  take(): Uint8Array[] {
    return this.#chunks.splice(0)
  }

  protected override _write(chunk: Uint8Array): this {
    this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this._position += chunk.byteLength
    return this
  }
}

function dataOf(column: Column, type: LogicalType): Data {
  const wide = wideData(column, type)
  if (wide !== undefined) return wide
  const flat = flatten(column, type)
  const { length, nullCount } = flat
  const common = { length, nullCount, nullBitmap: flat.validity ?? undefined }
  switch (flat.kind) {
    case 'bool':
      return makeData({ ...common, type: new Bool(), data: flat.bits })
    case 'float64':
      return makeData({ ...common, type: new Float64(), data: flat.values })
    case 'int32':
      return makeData({
        ...common,
        type: type.kind === 'date' ? new DateDay() : new Int32(),
        data: flat.values,
      } as never)
    case 'int64':
      return int64Data(flat.values, type, common)
    case 'bytes': {
      const text = type.kind !== 'binary' && type.kind !== 'uuid'
      return makeData({
        ...common,
        type: text ? new Utf8() : new Binary(),
        valueOffsets: flat.offsets,
        data: flat.data,
      } as never)
    }
  }
}

/** Integers that no signed 64 bits hold; undefined for a column of others. */
function wideData(column: Column, type: LogicalType): Data | undefined {
  if (column.kind !== 'values') return undefined
  const { length, nullCount, validity } = column
  const common = { length, nullCount, nullBitmap: validity ?? undefined }
  const valueAt = (row: number) => (isPresent(column, row) ? (column.values[row] as bigint) : 0n)
  if (type.kind === 'int' && type.bits === 64) {
    const data = BigUint64Array.from({ length }, (_, row) => valueAt(row))
    return makeData({ ...common, type: new Uint64(), data } as never)
  }
  if (type.kind !== 'decimal' || type.precision > 38) return undefined
  const halves = new BigInt64Array(length * 2)
  for (let row = 0; row < length; row++) {
    halves[2 * row] = valueAt(row)
    halves[2 * row + 1] = valueAt(row) >> 64n
  }
  const decimal = new Decimal(type.scale, type.precision, 128)
  return makeData({ ...common, type: decimal, data: new Uint32Array(halves.buffer) } as never)
}

function int64Data(values: BigInt64Array, type: LogicalType, common: object): Data {
  if (type.kind === 'decimal') {
    const decimal = new Decimal(type.scale, type.precision, 128)
    return makeData({ ...common, type: decimal, data: widen(values) } as never)
  }
  const unsigned = type.kind === 'int' && type.bits === 64 && !type.signed
  const data = unsigned ? new BigUint64Array(values.buffer, values.byteOffset, values.length) : values
  return makeData({ ...common, type: int64Type(type, unsigned), data } as never)
}

function int64Type(type: LogicalType, unsigned: boolean): DataType {
  if (type.kind === 'timestamp') {
    const unit = { ms: TimeUnit.MILLISECOND, us: TimeUnit.MICROSECOND, ns: TimeUnit.NANOSECOND }[type.unit]
    return new Timestamp(unit, type.utc ? 'UTC' : null)
  }
  if (type.kind === 'time')
    return { ms: new TimeMillisecond(), us: new TimeMicrosecond(), ns: new TimeNanosecond() }[type.unit]
  return unsigned ? new Uint64() : new Int64()
}

/** Arrow's decimals have 128 bits, as four little-endian words. */
function widen(values: BigInt64Array): Uint32Array {
  const wide = new BigInt64Array(values.length * 2)
  for (let row = 0; row < values.length; row++) {
    wide[2 * row] = values[row]!
    wide[2 * row + 1] = values[row]! < 0n ? -1n : 0n
  }
  return new Uint32Array(wide.buffer)
}

type FlatColumn = Exclude<Column, { kind: 'dictionary' | 'values' }>

function flatten(column: Column, type: LogicalType): FlatColumn {
  if (column.kind === 'values' || (column.kind === 'int32' && type.kind === 'decimal')) return textOf(column, type)
  if (column.kind === 'bytes') return column.gap === 0 ? column : takeBytes(column, column, null)
  if (column.kind !== 'dictionary') return column
  const { dictionary, codes, length, nullCount, validity } = column
  if (dictionary.kind === 'bytes') return takeBytes(column, dictionary, codes)
  const common = { length, nullCount, validity }
  switch (dictionary.kind) {
    case 'int32':
      return { ...common, kind: 'int32', values: Int32Array.from(codes, (code) => dictionary.values[code] ?? 0) }
    case 'int64':
      return {
        ...common,
        kind: 'int64',
        values: BigInt64Array.from(Array.from(codes, (code) => dictionary.values[code] ?? 0n)),
      }
    case 'float64':
      return { ...common, kind: 'float64', values: Float64Array.from(codes, (code) => dictionary.values[code] ?? 0) }
  }
}

/** Copies the bytes of each present row, without what may lie between them. */
function takeBytes(column: Column, from: BytesColumn, codes: Int32Array | null): FlatColumn {
  const { length, nullCount, validity } = column
  const offsets = new Int32Array(length + 1)
  const entry = (row: number): number => (codes === null ? row : codes[row]!)
  const sizeOf = (at: number): number => from.offsets[at + 1]! - from.gap - from.offsets[at]!
  for (let row = 0; row < length; row++) {
    offsets[row + 1] = offsets[row]! + (isPresent(column, row) ? sizeOf(entry(row)) : 0)
  }
  const data = new Uint8Array(offsets[length]!)
  for (let row = 0; row < length; row++) {
    const start = from.offsets[entry(row)]!
    data.set(from.data.subarray(start, start + offsets[row + 1]! - offsets[row]!), offsets[row]!)
  }
  return { kind: 'bytes', length, nullCount, validity, offsets, data, gap: 0 }
}

/** What has no flat layout travels as text: JSON for nested values. */
function textOf(column: Column, type: LogicalType): FlatColumn {
  const read = valueReader(column, type)
  const { length, nullCount, validity } = column
  const encoder = new TextEncoder()
  const texts = Array.from({ length }, (_, row) => encoder.encode(cellText(read(row))))
  const offsets = new Int32Array(length + 1)
  texts.forEach((text, row) => {
    offsets[row + 1] = offsets[row]! + text.length
  })
  const data = new Uint8Array(offsets[length]!)
  texts.forEach((text, row) => {
    data.set(text, offsets[row]!)
  })
  return { kind: 'bytes', length, nullCount, validity, offsets, data, gap: 0 }
}
