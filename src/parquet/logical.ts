import { parseFloat16 } from 'hyparquet/src/convert.js'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { PageError } from './page-error.ts'

/** Decimals of at most this many digits fit 64 bits. */
const DIGITS_OF_64_BITS = 18

/** Gives physical values the layout of what they mean: unsigned integers, decimals in bytes, half floats. */
export function finishLogical(column: Column, type: LogicalType): Column {
  if (type.kind === 'int' && !type.signed && type.bits === 32) return onValues(column, widenUnsigned)
  if (type.kind === 'int' && !type.signed && type.bits === 64) return unsigned64(column)
  if (type.kind === 'float' && type.bits === 16) return onValues(column, halfFloats)
  const inBytes = (column.kind === 'dictionary' ? column.dictionary.kind : column.kind) === 'bytes'
  if (type.kind !== 'decimal' || !inBytes) return column
  if (type.precision <= DIGITS_OF_64_BITS) return onValues(column, decimals64)
  return wideDecimals(withoutDictionary(column))
}

/** Decimals of more than 64 bits. */
function wideDecimals(column: Column): Column {
  if (column.kind !== 'bytes') return column
  const { data, offsets, gap } = column
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const values = new Array<bigint | null>(column.length).fill(null)
  for (let row = 0; row < column.length; row++) {
    if (isPresent(column, row)) values[row] = bigEndianAt(view, offsets[row]!, offsets[row + 1]! - gap)
  }
  return { kind: 'values', ...baseOf(column), values }
}

/** Applies to the dictionary where there is one. */
function onValues(column: Column, change: (column: Column) => Column): Column {
  return column.kind === 'dictionary'
    ? ({ ...column, dictionary: change(column.dictionary) } as Column)
    : change(column)
}

function baseOf({ length, nullCount, validity }: Column) {
  return { length, nullCount, validity }
}

function widenUnsigned(column: Column): Column {
  if (column.kind !== 'int32') return column
  const values = new BigInt64Array(column.length)
  const words = new Int32Array(values.buffer)
  for (let row = 0; row < column.length; row++) words[2 * row] = column.values[row]!
  return { kind: 'int64', ...baseOf(column), values }
}

/** Values up to 2^63 − 1 lie in an int64 column; one column with larger ones holds bigints. */
function unsigned64(column: Column): Column {
  const values = column.kind === 'dictionary' ? column.dictionary : column
  if (values.kind !== 'int64' || !hasNegative(values.values)) return column
  const plain = withoutDictionary(column)
  if (plain.kind !== 'int64') return column
  return {
    kind: 'values',
    ...baseOf(plain),
    values: Array.from(plain.values, (value, row) => (isPresent(plain, row) ? BigInt.asUintN(64, value) : null)),
  }
}

function hasNegative(values: BigInt64Array): boolean {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  for (let i = 1; i < words.length; i += 2) if (words[i]! < 0) return true
  return false
}

function halfFloats(column: Column): Column {
  if (column.kind !== 'bytes') return column
  const values = new Float64Array(column.length)
  for (let row = 0; row < column.length; row++)
    if (isPresent(column, row)) values[row] = parseFloat16(bytesAt(column, row)) ?? 0
  return { kind: 'float64', ...baseOf(column), values }
}

function decimals64(column: Column): Column {
  if (column.kind !== 'bytes') return column
  const values = new BigInt64Array(column.length)
  const words = new Int32Array(values.buffer)
  const { data, offsets, gap } = column
  for (let row = 0; row < column.length; row++) {
    if (!isPresent(column, row)) continue
    const start = offsets[row]!
    const end = offsets[row + 1]! - gap
    const sign = start < end && data[start]! >= 128 ? -1 : 0
    let low = sign
    let high = sign
    // More than eight bytes only repeat the sign, or the digits are more than the schema says.
    for (let at = start; at < end - 8; at++) if (data[at] !== (sign & 0xff)) throw tooManyDigits(column, row)
    for (let at = Math.max(start, end - 8); at < end; at++) {
      high = (high << 8) | (low >>> 24)
      low = (low << 8) | data[at]!
    }
    if (end - start > 8 && high >> 31 !== sign) throw tooManyDigits(column, row)
    words[2 * row] = low
    words[2 * row + 1] = high
  }
  return { kind: 'int64', ...baseOf(column), values }
}

function tooManyDigits(column: BytesColumn, row: number): PageError {
  return new PageError(
    `expected decimals of at most ${DIGITS_OF_64_BITS} digits, found ${bigEndian(bytesAt(column, row))}`,
  )
}

/** Bytes as one signed integer, big-endian two's complement. */
export function bigEndian(bytes: Uint8Array): bigint {
  return bigEndianAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length)
}

/** Eight bytes at a time, because each step makes a new BigInt. */
function bigEndianAt(view: DataView, start: number, end: number): bigint {
  const head = (end - start) % 8
  let at = start
  let value = at < end && head > 0 ? BigInt(view.getInt8(at++)) : 0n
  for (let i = 1; i < head; i++) value = (value << 8n) | BigInt(view.getUint8(at++))
  if (head === 0 && at < end) {
    value = view.getBigInt64(at)
    at += 8
  }
  for (; at < end; at += 8) value = (value << 64n) | view.getBigUint64(at)
  return value
}

export function bytesAt(column: BytesColumn, row: number): Uint8Array {
  return column.data.subarray(column.offsets[row]!, column.offsets[row + 1]! - column.gap)
}

/** A dictionary column with its values written out; zeros under nulls. */
export function withoutDictionary(column: Column): Column {
  if (column.kind !== 'dictionary') return column
  const { dictionary, codes } = column
  const base = baseOf(column)
  switch (dictionary.kind) {
    case 'int32':
      return { kind: 'int32', ...base, values: valuesOf(codes, dictionary.values, new Int32Array(codes.length)) }
    case 'int64':
      return { kind: 'int64', ...base, values: longValuesOf(codes, dictionary.values) }
    case 'float64':
      return { kind: 'float64', ...base, values: valuesOf(codes, dictionary.values, new Float64Array(codes.length)) }
    case 'bytes':
      return { kind: 'bytes', ...base, ...gathered(dictionary, codes, column) }
  }
}

function valuesOf<T extends Int32Array | Float64Array>(codes: Int32Array, from: T, values: T): T {
  for (let row = 0; row < codes.length; row++) values[row] = from[codes[row]!] ?? 0
  return values
}

/** By halves, so that no bigint is made. */
function longValuesOf(codes: Int32Array, dictionary: BigInt64Array): BigInt64Array {
  const values = new BigInt64Array(codes.length)
  const to = new Int32Array(values.buffer)
  const from = new Int32Array(dictionary.buffer, dictionary.byteOffset, dictionary.length * 2)
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!
    to[2 * row] = from[2 * code] ?? 0
    to[2 * row + 1] = from[2 * code + 1] ?? 0
  }
  return values
}

function gathered(dictionary: BytesColumn, codes: Int32Array, column: Column) {
  const offsets = new Int32Array(codes.length + 1)
  for (let row = 0; row < codes.length; row++)
    offsets[row + 1] = offsets[row]! + (isPresent(column, row) ? bytesAt(dictionary, codes[row]!).length : 0)
  const data = new Uint8Array(offsets[codes.length]!)
  for (let row = 0; row < codes.length; row++)
    if (isPresent(column, row)) data.set(bytesAt(dictionary, codes[row]!), offsets[row]!)
  return { offsets, data, gap: 0 as const }
}

/** Rows `from … to` of a column, sharing its memory where the layout allows. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  if (from === 0 && to === column.length) return column
  const length = to - from
  const validity = column.validity === null ? null : sliceBits(column.validity, from, length)
  let nullCount = 0
  if (validity !== null)
    for (let row = 0; row < length; row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) nullCount++
  const base = { length, validity: nullCount === 0 ? null : validity, nullCount }
  switch (column.kind) {
    case 'bool':
      return { ...column, ...base, bits: sliceBits(column.bits, from, length) }
    case 'bytes':
      return { ...column, ...base, offsets: column.offsets.subarray(from, to + 1) }
    case 'dictionary':
      return { ...column, ...base, codes: column.codes.subarray(from, to) }
    case 'values':
      return { ...column, ...base, values: column.values.slice(from, to) }
    default:
      return { ...column, ...base, values: column.values.subarray(from, to) } as Column
  }
}

function sliceBits(bits: Uint8Array, from: number, length: number): Uint8Array {
  const sliced = new Uint8Array((length + 7) >> 3)
  for (let row = 0; row < length; row++)
    if ((bits[(from + row) >> 3]! & (1 << ((from + row) & 7))) !== 0) sliced[row >> 3]! |= 1 << (row & 7)
  return sliced
}
