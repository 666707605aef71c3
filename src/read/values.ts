import { parseJson } from '../columns/exact-json.ts'
import { uuidOfHex } from '../model/byte-text.ts'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { formatDecimal } from '../model/decimal-text.ts'
import type { ManifestColumn } from '../model/manifest.ts'
import type { TimeUnit, Type } from '../model/type.ts'

/** The values of a column as a reader of JSON wants them: nothing is rounded, moments and decimals are text. */
export type ValueReader = (row: number) => unknown

/**
 * | logical type    | value                                                     |
 * | --------------- | --------------------------------------------------------- |
 * | integers        | number, bigint where the column has 64 bits               |
 * | decimal         | text, `-12.50`                                            |
 * | date            | text, `2021-05-22`                                        |
 * | timestamp       | text, `2021-05-22T06:00:00.000000Z`; no `Z` for local time |
 * | time            | text, `06:00:00.000000`                                   |
 * | json            | whatever it is, its integers beyond 2^53 as bigints; text where it can't be parsed |
 * | binary          | text, hexadecimal                                         |
 * | uuid            | text, `6ba7b810-9dad-11d1-80b4-00c04fd430c8`              |
 */
export function valueReader(column: Column, type: LogicalType): ValueReader {
  const convert = converterOf(type)
  const raw = rawReader(column, spellingOf(type))
  return (row) => (isPresent(column, row) ? convert(raw(row)) : null)
}

/** How bytes of a column are read as text. */
type Spelling = 'utf8' | 'hex' | 'uuid'

export function spellingOf({ kind }: LogicalType): Spelling {
  return kind === 'uuid' ? 'uuid' : kind === 'binary' ? 'hex' : 'utf8'
}

/** The values as they lie in the column; whatever a null's place holds is given too. */
export function rawReader(column: Column, spelling: Spelling): ValueReader {
  switch (column.kind) {
    case 'bool':
      return (row) => (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
    case 'bytes':
      return bytesReader(column, spelling)
    case 'dictionary': {
      const entry = rawReader(column.dictionary, spelling)
      return (row) => entry(column.codes[row]!)
    }
    default:
      return (row) => column.values[row]
  }
}

function bytesReader({ data, offsets, gap }: BytesColumn, spelling: Spelling): ValueReader {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const encoding = spelling === 'utf8' ? 'utf8' : 'hex'
  if (spelling === 'uuid') return (row) => uuidOfHex(buffer.toString('hex', offsets[row]!, offsets[row + 1]! - gap))
  return (row) => buffer.toString(encoding, offsets[row]!, offsets[row + 1]! - gap)
}

/** Turns one value of a column, as it lies there, into what `valueReader` gives. */
export function converterOf(type: LogicalType): (raw: unknown) => unknown {
  switch (type.kind) {
    case 'int':
      return type.bits === 64 && !type.signed ? (raw) => BigInt.asUintN(64, BigInt(raw as bigint)) : (raw) => raw
    case 'decimal':
      // Of more than 18 digits they lie in memory as digits.
      return (raw) => (isInteger(raw) || typeof raw === 'string' ? formatDecimal(BigInt(raw), type.scale) : raw)
    case 'date':
      return (raw) => (isInteger(raw) ? formatDate(Number(raw)) : raw)
    case 'timestamp':
      return (raw) => (isInteger(raw) ? formatTimestamp(BigInt(raw), type.unit, type.utc) : raw)
    case 'time':
      return (raw) => (isInteger(raw) ? formatTime(BigInt(raw), type.unit) : raw)
    case 'json':
      return (raw) => (typeof raw === 'string' ? jsonValue(raw) : raw)
    default:
      return (raw) => raw
  }
}

/** What the values of a declared type mean, as far as reading them goes. */
export function logicalOf({ kind, unit = 'us', precision = 18, scale = 0 }: DeclaredType): LogicalType {
  switch (kind) {
    case 'int32':
      return { kind: 'int', bits: 32, signed: true }
    case 'int64':
    case 'bigint':
      return { kind: 'int', bits: 64, signed: true }
    case 'uint64':
      return { kind: 'int', bits: 64, signed: false }
    case 'float64':
      return { kind: 'float', bits: 64 }
    case 'timestamp':
      return { kind: 'timestamp', unit, utc: true }
    case 'decimal':
      return { kind: 'decimal', precision, scale }
    case 'bytes':
      return { kind: 'binary' }
    default:
      return { kind }
  }
}

/** A declared type as types and manifests name its parts. */
export type DeclaredType = Pick<Type, 'kind'> & Partial<Pick<Type, 'unit' | 'precision' | 'scale'>>

/** The declared type of a column as a manifest describes it. */
export function declaredTypeOf({ type, ...rest }: ManifestColumn): DeclaredType {
  return { kind: type, ...rest }
}

/**
 * Turns one value as it is stored into what programs get: as `valueReader` gives it, but `int64` as a number wherever that is
 * exact. `bigint` is always a bigint.
 */
export function declaredConverter(type: DeclaredType): (raw: unknown) => unknown {
  const convert = converterOf(logicalOf(type))
  return type.kind === 'int64' ? (raw) => numberIfExact(convert(raw)) : convert
}

/** The values of a column of a declared type, as `declaredConverter` gives them; null where there is none. */
export function declaredReader(column: Column, type: DeclaredType): ValueReader {
  const convert = declaredConverter(type)
  const raw = rawReader(column, spellingOf(logicalOf(type)))
  return (row) => (isPresent(column, row) ? convert(raw(row)) : null)
}

function numberIfExact(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function isInteger(raw: unknown): raw is number | bigint {
  return typeof raw === 'bigint' || Number.isInteger(raw)
}

function jsonValue(text: string): unknown {
  try {
    return parseJson(text, (digits) => BigInt(digits))
  } catch {
    return text
  }
}

const unitsASecond: Readonly<Record<TimeUnit, bigint>> = { ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n }
const fractionDigits: Readonly<Record<TimeUnit, number>> = { ms: 3, us: 6, ns: 9 }
/** What a Date can hold, in seconds since 1970. */
const dateSecondsMax = 8_640_000_000_000n

export function formatTimestamp(moment: bigint, unit: TimeUnit, utc: boolean): string {
  const [seconds, fraction] = splitSeconds(moment, unit)
  // A sentinel such as the largest integer is no date; it is shown as it is.
  if (seconds > dateSecondsMax || seconds < -dateSecondsMax) return `${moment} ${unit}`
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, -5)
  return `${text}.${fraction}${utc ? 'Z' : ''}`
}

function formatTime(moment: bigint, unit: TimeUnit): string {
  const [seconds, fraction] = splitSeconds(moment, unit)
  return `${new Date(Number(seconds % 86_400n) * 1000).toISOString().slice(11, 19)}.${fraction}`
}

function splitSeconds(moment: bigint, unit: TimeUnit): [seconds: bigint, fraction: string] {
  const scale = unitsASecond[unit]
  const fraction = ((moment % scale) + scale) % scale
  return [(moment - fraction) / scale, String(fraction).padStart(fractionDigits[unit], '0')]
}

function formatDate(days: number): string {
  return Math.abs(days) > 100_000_000 ? `day ${days}` : new Date(days * 86_400_000).toISOString().slice(0, -14)
}
