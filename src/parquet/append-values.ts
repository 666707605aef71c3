import { isHexText, isUuidText } from '../model/byte-text.ts'
import { OutputError } from '../model/errors.ts'
import { fitsWide, isWide, wideExpected } from '../model/slots.ts'
import type { TypeKind } from '../model/type.ts'
import type { OutputColumn } from './write-schema.ts'

/** How parquetjs-lite stores the values of a kind, and what it is given for one value. */
export interface AppendedKind {
  readonly type: 'BOOLEAN' | 'INT32' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY'
  readonly typeLength?: number
  /** `undefined` where `value` isn't of the kind. */
  readonly encode: (value: unknown) => unknown
  readonly expected: string
}

const wholeNumber = 'a whole number between -(2^53 - 1) and 2^53 - 1'

/**
 * 64-bit values are handed over as the eight bytes that Parquet stores, because parquetjs-lite's own INT64 goes through
 * a floating-point number (9007199254740993 becomes …992) and its DOUBLE refuses NaN. Its dates and timestamps refuse
 * everything before 1970, so both are given as the integers that they are.
 */
const kinds: Readonly<Record<TypeKind, AppendedKind>> = {
  int32: { type: 'INT32', encode: int32, expected: 'a whole number of 32 bits' },
  date: { type: 'INT32', encode: int32, expected: 'a whole number of days since 1970-01-01' },
  int64: eightBytes(safeInteger, wholeNumber),
  decimal: eightBytes(safeInteger, `the unscaled integer, ${wholeNumber}`),
  timestamp: eightBytes(safeInteger, `a moment since 1970, ${wholeNumber}`),
  bigint: eightBytes(longInteger, 'a whole number between -2^63 and 2^63 - 1'),
  uint64: eightBytes(unsignedInteger, 'a whole number between 0 and 2^64 - 1'),
  float64: eightBytes(float64, 'a number'),
  bool: { type: 'BOOLEAN', encode: (value) => (typeof value === 'boolean' ? value : undefined), expected: 'a boolean' },
  string: {
    type: 'BYTE_ARRAY',
    encode: (value) => (typeof value === 'string' && value.isWellFormed() ? Buffer.from(value) : undefined),
    expected: 'a string that UTF-8 can encode',
  },
  bytes: {
    type: 'BYTE_ARRAY',
    encode: (value) => (isHexText(value) ? Buffer.from(value, 'hex') : undefined),
    expected: 'bytes as lower-case hexadecimal digits',
  },
  uuid: {
    type: 'FIXED_LEN_BYTE_ARRAY',
    typeLength: 16,
    encode: (value) => (isUuidText(value) ? Buffer.from(value.replaceAll('-', ''), 'hex') : undefined),
    expected: 'a UUID in lower case',
  },
  json: { type: 'BYTE_ARRAY', encode: json, expected: 'a value that JSON can hold' },
}

const nanoseconds = eightBytes(longInteger, 'a bigint of nanoseconds since 1970')

export function appendedKindOf({ type }: OutputColumn): AppendedKind {
  if (isWide(type)) {
    const encode = (value: unknown) => (fitsWide(type, value) ? sixteenBytes(value) : undefined)
    return { type: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16, encode, expected: wideExpected(type) }
  }
  return type.kind === 'timestamp' && type.unit === 'ns' ? nanoseconds : kinds[type.kind]
}

/** What parquetjs-lite is given for `value`; an OutputError where the column can't hold it. */
export function encodeValue(
  column: OutputColumn,
  kind: AppendedKind,
  value: unknown,
  place: { file: string; row: number },
) {
  if (value === null || value === undefined) {
    if (column.type.nullable) return null
    throw refusal(column, kind.expected, value, place)
  }
  const encoded = kind.encode(value)
  if (encoded === undefined) throw refusal(column, kind.expected, value, place)
  return encoded
}

function refusal(
  { name }: OutputColumn,
  expected: string,
  value: unknown,
  { file, row }: { file: string; row: number },
) {
  return new OutputError(
    `Cannot append row ${row} to ${file}, column "${name}": expected ${expected}, found ${describeValue(value)}.`,
    { file, row, column: name },
  )
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'bigint') return `the bigint ${value}`
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value)
  return `a value of type ${typeof value}`
}

function eightBytes(write: (value: unknown, view: DataView) => boolean, expected: string): AppendedKind {
  const encode = (value: unknown): Buffer | undefined => {
    const bytes = Buffer.alloc(8)
    return write(value, new DataView(bytes.buffer, bytes.byteOffset, 8)) ? bytes : undefined
  }
  return { type: 'FIXED_LEN_BYTE_ARRAY', typeLength: 8, encode, expected }
}

function safeInteger(value: unknown, view: DataView): boolean {
  if (typeof value !== 'number' && typeof value !== 'bigint') return false
  if (!Number.isSafeInteger(Number(value))) return false
  view.setBigInt64(0, BigInt(value), true)
  return true
}

function longInteger(value: unknown, view: DataView): boolean {
  if (typeof value !== 'bigint') return safeInteger(value, view)
  if (BigInt.asIntN(64, value) !== value) return false
  view.setBigInt64(0, value, true)
  return true
}

function sixteenBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64BE(value >> 64n)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8)
  return bytes
}

function unsignedInteger(value: unknown, view: DataView): boolean {
  const big = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof big !== 'bigint' || BigInt.asUintN(64, big) !== big) return false
  view.setBigUint64(0, big, true)
  return true
}

function float64(value: unknown, view: DataView): boolean {
  if (typeof value !== 'number') return false
  view.setFloat64(0, value, true)
  return true
}

function int32(value: unknown): number | undefined {
  return typeof value === 'number' && (value | 0) === value ? value : undefined
}

function json(value: unknown): Buffer | undefined {
  try {
    const text = JSON.stringify(value)
    return text === undefined ? undefined : Buffer.from(text)
  } catch {
    // A bigint or a cycle inside; the caller says where.
    return undefined
  }
}
