import { grown } from '../columns/grow.ts'
import { encodableText } from '../columns/utf8.ts'
import { isHexText, isUuidText } from '../model/byte-text.ts'
import { isMomentNumber } from '../model/moment-number.ts'
import { decimalLimit, fitsWide, isWide, wideExpected } from '../model/slots.ts'
import type { Fields, Type } from '../model/type.ts'
import { describeResult } from './results.ts'

/**
 * Keys as bytes whose unsigned lexicographic order is the order of the key columns, so that views are sorted by
 * comparing bytes. Columns follow each other:
 *
 * - integers, days and moments: 4 or 8 bytes, big-endian, sign bit flipped;
 * - uint64: 8 bytes, big-endian; decimals of more than 18 digits: 16 bytes, big-endian, sign bit flipped;
 * - float64: 8 bytes, big-endian, all bits flipped if negative, else the sign bit; −0 is stored as 0, NaN refused;
 * - bool: 1 byte;
 * - string, and bytes and uuid as the texts that functions see: UTF-8; where another column follows, 00 becomes 00 FF and 00 00 ends the string;
 * - a nullable column begins with 00 for null (and ends there) or 01.
 *
 * The scheme of strings is that of FoundationDB's tuple layer.
 */
export interface KeyCodec {
  readonly names: readonly string[]
  readonly types: readonly Type[]
  /** Appends the key's bytes to the writer. Throws a KeyValueError where a value doesn't fit its column. */
  write(key: Readonly<Record<string, unknown>>, writer: ByteWriter): void
  read(bytes: Uint8Array, start: number, end: number): Record<string, unknown>
}

/** A key's value that doesn't fit its column; the caller adds the place. */
export class KeyValueError extends Error {}

/** A growing run of bytes. */
export class ByteWriter {
  bytes = new Uint8Array(1024)
  length = 0

  /** Makes room for `count` more bytes and returns where they begin. */
  reserve(count: number): number {
    const start = this.length
    if (start + count > this.bytes.length) this.bytes = grown(this.bytes, start + count)
    this.length = start + count
    return start
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const number = new DataView(new ArrayBuffer(8))

export function makeKeyCodec(fields: Fields): KeyCodec {
  const names = Object.keys(fields)
  const types = names.map((name) => fields[name]!)
  const last = names.length - 1
  return {
    names,
    types,
    write(key, writer) {
      for (let i = 0; i <= last; i++) writeValue(names[i]!, types[i]!, key[names[i]!], i === last, writer)
    },
    read(bytes, start, end) {
      const key: Record<string, unknown> = {}
      const cursor = { at: start }
      for (let i = 0; i <= last; i++) key[names[i]!] = readValue(types[i]!, bytes, cursor, end, i === last)
      return key
    },
  }
}

function writeValue(name: string, type: Type, value: unknown, isLast: boolean, writer: ByteWriter): void {
  if (type.nullable) {
    writeByte(value === null ? 0 : 1, writer)
    if (value === null) return
  }
  switch (type.kind) {
    case 'string':
      if (typeof value !== 'string') throw wrong(name, 'a string', value)
      if (!value.isWellFormed()) throw wrong(name, encodableText, value)
      writeString(value, isLast, writer)
      break
    case 'bytes':
      if (!isHexText(value)) throw wrong(name, 'bytes as lower-case hexadecimal digits', value)
      writeString(value, isLast, writer)
      break
    case 'uuid':
      if (!isUuidText(value)) throw wrong(name, 'a UUID in lower case', value)
      writeString(value, isLast, writer)
      break
    case 'int32':
    case 'date':
      if (typeof value !== 'number' || (value | 0) !== value) throw wrong(name, integerExpected(type), value)
      number.setInt32(0, value ^ 0x80000000)
      writeNumber(4, writer)
      break
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
      writeByte(value ? 1 : 0, writer)
      break
    case 'float64':
      if (typeof value !== 'number' || Number.isNaN(value)) throw wrong(name, 'a number that is not NaN', value)
      writeFloat(value, writer)
      break
    case 'uint64':
      if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
        throw wrong(name, 'a bigint of 64 bits without a sign', value)
      }
      number.setBigUint64(0, value)
      writeNumber(8, writer)
      break
    default:
      if (isWide(type)) writeWide(name, type, value, writer)
      else {
        number.setBigInt64(0, toBigInt(name, type, value) ^ -0x8000000000000000n)
        writeNumber(8, writer)
      }
  }
}

function writeWide(name: string, type: Type, value: unknown, writer: ByteWriter): void {
  if (!fitsWide(type, value)) throw wrong(name, wideExpected(type), value)
  number.setBigInt64(0, (value >> 64n) ^ -0x8000000000000000n)
  writeNumber(8, writer)
  number.setBigUint64(0, BigInt.asUintN(64, value))
  writeNumber(8, writer)
}

function toBigInt(name: string, type: Type, value: unknown): bigint {
  if (type.kind === 'bigint' || type.unit === 'ns') {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw wrong(name, 'a bigint of 64 bits', value)
    return value
  }
  if (type.kind === 'timestamp' && isMomentNumber(value)) return BigInt(value)
  if (!Number.isSafeInteger(value)) throw wrong(name, 'an integer within ±(2^53 − 1)', value)
  if (type.kind === 'decimal' && Math.abs(value as number) >= decimalLimit(type)) {
    throw wrong(name, `an unscaled integer of at most ${type.precision} digits`, value)
  }
  return BigInt(value as number)
}

function integerExpected({ kind }: Type): string {
  return kind === 'date' ? 'days since 1970-01-01, as dayOf() gives them' : 'an integer of 32 bits'
}

function wrong(name: string, expected: string, found: unknown): KeyValueError {
  const shown = typeof found === 'object' || typeof found === 'string' ? describeResult(found) : String(found)
  return new KeyValueError(`key column "${name}": expected ${expected}, found ${shown}`)
}

/** A key's values, for messages. */
export function showKey(key: unknown): string {
  const values = Object.values(key as object)
  return values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value))).join(', ')
}

function writeByte(byte: number, writer: ByteWriter): void {
  // First of all the place: making room may replace `bytes`.
  const at = writer.reserve(1)
  writer.bytes[at] = byte
}

function writeNumber(width: 4 | 8, writer: ByteWriter): void {
  const at = writer.reserve(width)
  for (let i = 0; i < width; i++) writer.bytes[at + i] = number.getUint8(i)
}

function writeFloat(value: number, writer: ByteWriter): void {
  number.setFloat64(0, value === 0 ? 0 : value)
  const negative = number.getUint8(0) > 127
  const at = writer.reserve(8)
  for (let i = 0; i < 8; i++) writer.bytes[at + i] = number.getUint8(i) ^ (negative ? 0xff : i === 0 ? 0x80 : 0)
}

function writeString(value: string, isLast: boolean, writer: ByteWriter): void {
  const start = writer.reserve(value.length * 3)
  const { written } = encoder.encodeInto(value, writer.bytes.subarray(start))
  writer.length = start + written
  if (isLast) return
  escapeZeros(start, writer)
  const end = writer.reserve(2)
  writer.bytes[end] = 0
  writer.bytes[end + 1] = 0
}

function escapeZeros(start: number, writer: ByteWriter): void {
  let zeros = 0
  for (let i = start; i < writer.length; i++) if (writer.bytes[i] === 0) zeros++
  if (zeros === 0) return
  let from = writer.length - 1
  let to = writer.reserve(zeros) + zeros - 1
  for (; from >= start; from--) {
    if (writer.bytes[from] === 0) writer.bytes[to--] = 0xff
    writer.bytes[to--] = writer.bytes[from]!
  }
}

function readValue(type: Type, bytes: Uint8Array, cursor: { at: number }, end: number, isLast: boolean): unknown {
  if (type.nullable && bytes[cursor.at++] === 0) return null
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'uuid':
      return readString(bytes, cursor, end, isLast)
    case 'int32':
    case 'date':
      return takeNumber(bytes, cursor, 4).getInt32(0) ^ 0x80000000
    case 'bool':
      return bytes[cursor.at++] === 1
    case 'float64': {
      const positive = bytes[cursor.at]! > 127
      const view = takeNumber(bytes, cursor, 8)
      for (let i = 0; i < 8; i++) view.setUint8(i, view.getUint8(i) ^ (positive ? (i === 0 ? 0x80 : 0) : 0xff))
      return view.getFloat64(0)
    }
    case 'uint64':
      return takeNumber(bytes, cursor, 8).getBigUint64(0)
    default: {
      if (isWide(type)) {
        const high = takeNumber(bytes, cursor, 8).getBigInt64(0) ^ -0x8000000000000000n
        return (high << 64n) | takeNumber(bytes, cursor, 8).getBigUint64(0)
      }
      const value = takeNumber(bytes, cursor, 8).getBigInt64(0) ^ -0x8000000000000000n
      return type.kind === 'bigint' || type.unit === 'ns' ? value : Number(value)
    }
  }
}

function takeNumber(bytes: Uint8Array, cursor: { at: number }, width: number): DataView {
  for (let i = 0; i < width; i++) number.setUint8(i, bytes[cursor.at + i]!)
  cursor.at += width
  return number
}

function readString(bytes: Uint8Array, cursor: { at: number }, end: number, isLast: boolean): string {
  if (isLast) {
    const text = decoder.decode(bytes.subarray(cursor.at, end))
    cursor.at = end
    return text
  }
  const unescaped: number[] = []
  for (;;) {
    const byte = bytes[cursor.at++]!
    if (byte === 0 && bytes[cursor.at++] === 0) break
    unescaped.push(byte)
  }
  return decoder.decode(Uint8Array.from(unescaped))
}
