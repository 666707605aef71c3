import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { formatDecimal } from '../model/decimal-text.ts'
import type { TimeUnit } from '../model/type.ts'
import { compactJson } from './json.ts'

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
 * | json            | whatever it is; text where it can't be parsed             |
 * | binary          | text, hexadecimal                                         |
 */
export function valueReader(column: Column, type: LogicalType): ValueReader {
  const convert = converterOf(type)
  const raw = rawReader(column, type.kind === 'binary' || type.kind === 'uuid' ? 'hex' : 'utf8')
  return (row) => (isPresent(column, row) ? convert(raw(row)) : null)
}

/** The values as they lie in the column; whatever a null's place holds is given too. */
export function rawReader(column: Column, encoding: 'utf8' | 'hex'): ValueReader {
  switch (column.kind) {
    case 'bool':
      return (row) => (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
    case 'bytes':
      return bytesReader(column, encoding)
    case 'dictionary': {
      const entry = rawReader(column.dictionary, encoding)
      return (row) => entry(column.codes[row]!)
    }
    default:
      return (row) => column.values[row]
  }
}

function bytesReader({ data, offsets, gap }: BytesColumn, encoding: 'utf8' | 'hex'): ValueReader {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return (row) => buffer.toString(encoding, offsets[row]!, offsets[row + 1]! - gap)
}

/** Turns one value of a column, as it lies there, into what `valueReader` gives. */
export function converterOf(type: LogicalType): (raw: unknown) => unknown {
  switch (type.kind) {
    case 'int':
      return type.bits === 64 && !type.signed ? (raw) => BigInt.asUintN(64, BigInt(raw as bigint)) : (raw) => raw
    case 'decimal':
      return (raw) => (isInteger(raw) ? formatDecimal(BigInt(raw), type.scale) : raw)
    case 'date':
      return (raw) => (isInteger(raw) ? formatDate(Number(raw)) : raw)
    case 'timestamp':
      return (raw) => (isInteger(raw) ? formatTimestamp(BigInt(raw), type.unit, type.utc) : raw)
    case 'time':
      return (raw) => (isInteger(raw) ? formatTime(BigInt(raw), type.unit) : raw)
    case 'json':
      return (raw) => (typeof raw === 'string' ? parseJson(raw) : raw)
    case 'uuid':
      return (raw) =>
        typeof raw === 'string' ? raw.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : raw
    default:
      return (raw) => raw
  }
}

function isInteger(raw: unknown): raw is number | bigint {
  return typeof raw === 'bigint' || Number.isInteger(raw)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
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

/** A value in one cell of a table: null is empty. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? compactJson(value) : String(value)
}

/** A field of a CSV line, quoted where RFC 4180 asks for it. Null is nothing, an empty text is `""`. */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = cellText(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
