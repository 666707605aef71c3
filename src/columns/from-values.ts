import type { BytesColumn, Column } from '../model/column.ts'
import { formatDay } from '../model/moment.ts'
import { isMomentNumber } from '../model/moment-number.ts'
import { fitsWide, isWide, storageOf, wideExpected } from '../model/slots.ts'
import type { Type } from '../model/type.ts'
import { midnightSteps } from '../time/zone.ts'
import { momentOfText, tooFar } from './moment-text.ts'
import { expectedText, type Origin, textOf } from './text-values.ts'
import { encodableText, firstNotEncodable } from './utf8.ts'

/** A value that doesn't fit its declared type; the caller adds the place. */
export class MisfitError extends Error {
  readonly row: number
  readonly expected: string
  readonly found: string
  constructor(row: number, expected: string, found: string) {
    super(`expected ${expected}, found ${found}`)
    this.row = row
    this.expected = expected
    this.found = found
  }
}

const encoder = new TextEncoder()

/**
 * A column of JavaScript values, as they come out of JSON, of a Hive folder's name, or of an upcaster. Integers may be
 * written as strings of digits, moments as ISO 8601 strings with a zone or as numbers in the type's unit.
 *
 * @param origin `handler`: decimals are unscaled integers, as handlers see them; `outside`: they have their point.
 */
export function columnFromValues(
  type: Type,
  values: readonly unknown[],
  origin: 'outside' | 'handler' = 'outside',
): Column {
  const length = values.length
  const { validity, nullCount } = validityOf(values)
  const base = { length, validity, nullCount }
  switch (storageOf(type)) {
    case 'i32': {
      const column = new Int32Array(length)
      each(values, (value, row) => {
        column[row] = type.kind === 'date' ? toDay(value, row) : toInt32(value, row)
      })
      return { kind: 'int32', ...base, values: column }
    }
    case 'i64': {
      const column = new BigInt64Array(length)
      const words = new Int32Array(column.buffer)
      const isPlain = type.kind !== 'decimal' && type.kind !== 'uint64'
      each(values, (value, row) => {
        if (isPlain && Number.isSafeInteger(value)) {
          // By its two halves, so that no bigint is made.
          words[2 * row] = (value as number) % 4294967296
          words[2 * row + 1] = Math.floor((value as number) / 4294967296)
        } else column[row] = to64(type, value, row, origin)
      })
      return { kind: 'int64', ...base, values: column }
    }
    case 'f64': {
      const column = new Float64Array(length)
      each(values, (value, row) => {
        const number = typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
        if (typeof number !== 'number') throw misfit(row, 'a number', value)
        // Of one pattern of bits.
        column[row] = Number.isNaN(number) ? Number.NaN : number
      })
      return { kind: 'float64', ...base, values: column }
    }
    case 'bool': {
      const bits = new Uint8Array((length + 7) >> 3)
      each(values, (value, row) => {
        if (typeof value !== 'boolean') throw misfit(row, 'true or false', value)
        if (value) bits[row >> 3]! |= 1 << (row & 7)
      })
      return { kind: 'bool', ...base, bits }
    }
    case 'str':
      return { ...bytesFromValues(type, values, origin), ...base }
  }
}

function validityOf(values: readonly unknown[]): { validity: Uint8Array | null; nullCount: number } {
  let nullCount = 0
  for (const value of values) if (value === null || value === undefined) nullCount++
  if (nullCount === 0) return { validity: null, nullCount }
  const validity = new Uint8Array((values.length + 7) >> 3)
  values.forEach((value, row) => {
    if (value !== null && value !== undefined) validity[row >> 3]! |= 1 << (row & 7)
  })
  return { validity, nullCount }
}

function each(values: readonly unknown[], take: (value: unknown, row: number) => void): void {
  values.forEach((value, row) => {
    if (value !== null && value !== undefined) take(value, row)
  })
}

function bytesFromValues(type: Type, values: readonly unknown[], origin: Origin) {
  const pieces: Uint8Array[] = []
  const offsets = new Int32Array(values.length + 1)
  let total = 0
  values.forEach((value, row) => {
    if (value !== null && value !== undefined) {
      const text = encodedText(type, value, row, origin)
      if (text === undefined) throw misfit(row, expectedText(type, origin), value)
      const piece = encoder.encode(text)
      pieces.push(piece)
      total += piece.length
    }
    offsets[row + 1] = total
  })
  const data = new Uint8Array(total)
  let at = 0
  for (const piece of pieces) {
    data.set(piece, at)
    at += piece.length
  }
  const lossy = type.kind === 'string' ? firstNotEncodable(data, values) : -1
  if (lossy >= 0) throw misfit(lossy, encodableText, values[lossy])
  return { kind: 'bytes' as const, offsets, data, gap: 0 as const }
}

function encodedText(type: Type, value: unknown, row: number, origin: Origin): string | undefined {
  if (type.kind === 'json') return jsonOf(value, row)
  if (!isWide(type)) return textOf(type, value, origin)
  const unscaled = origin === 'outside' ? toDecimal(type, value, row) : value
  if (!fitsWide(type, unscaled)) throw misfit(row, wideExpected(type), value)
  return String(unscaled)
}

/**
 * A column of messages and of texts that come from columns. All are encoded at once: one by one it takes several times as
 * long. U+FFFD takes the place of what UTF-8 can't encode, as a message may quote it.
 */
export function textColumn(given: readonly (string | null)[]): BytesColumn {
  const length = given.length
  const whole = given.join('')
  const texts = given.every((text) => text === null || text.isWellFormed())
    ? given
    : given.map((text) => text?.toWellFormed() ?? null)
  const joined = texts === given ? whole : texts.join('')
  const data = Buffer.from(joined)
  const isAscii = data.length === joined.length
  const offsets = new Int32Array(length + 1)
  const validity = new Uint8Array((length + 7) >> 3)
  let nullCount = 0
  for (const [row, text] of texts.entries()) {
    const bytes = text === null ? 0 : isAscii ? text.length : Buffer.byteLength(text)
    offsets[row + 1] = offsets[row]! + bytes
    if (text === null) nullCount++
    else validity[row >> 3]! |= 1 << (row & 7)
  }
  return { kind: 'bytes', length, nullCount, validity: nullCount === 0 ? null : validity, offsets, data, gap: 0 }
}

/** JSON of a nested value: bigints as numbers where they are exact and as strings where not, bytes as base64; throws for NaN. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner === 'bigint') return Number.isSafeInteger(Number(inner)) ? Number(inner) : String(inner)
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('base64')
    if (typeof inner === 'number' && !Number.isFinite(inner)) throw new TypeError(`${inner} is no JSON number`)
    return inner
  })
}

/** JSON escapes half of a surrogate pair and no whole one; other engines refuse the file that has such a text. */
const halfEscaped = /(?<!\\)(?:\\\\)*\\ud/

/** As `jsonText`; what JSON can't say is a MisfitError. */
export function jsonOf(value: unknown, row: number): string {
  let reason = `a ${typeof value}`
  try {
    // A function, for one, is nothing in JSON.
    const text = jsonText(value) as string | undefined
    if (text?.includes('\\ud') && halfEscaped.test(text)) throw new TypeError('half of a surrogate pair')
    if (text !== undefined) return text
  } catch (error) {
    reason = `what JSON can't say (${(error as Error).message.split('\n', 1)[0]})`
  }
  throw new MisfitError(row, 'a JSON value', reason)
}

function misfit(row: number, expected: string, value: unknown): MisfitError {
  const found =
    value !== null && typeof value === 'object'
      ? jsonText(value)
      : typeof value === 'string'
        ? JSON.stringify(value)
        : String(value)
  return new MisfitError(row, expected, found.length > 100 ? `${found.slice(0, 100)}…` : found)
}

function toInt32(value: unknown, row: number): number {
  const isInteger = typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value))
  const number = isInteger ? Number(value) : value
  if (typeof number !== 'number' || (number | 0) !== number) throw misfit(row, 'an integer of 32 bits', value)
  return number
}

function toDay(value: unknown, row: number): number {
  if (typeof value === 'number' && (value | 0) === value) return value
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) {
    if (isDay(value)) return Date.parse(value) / 86_400_000
  }
  throw misfit(row, 'a day as 2021-05-22', value)
}

/** Date.parse takes 31 February for 3 March. */
function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function to64(type: Type, value: unknown, row: number, origin: 'outside' | 'handler'): bigint {
  if (type.kind === 'uint64') return toUnsigned(value, row)
  const big = toInteger(type, value, row, origin)
  if (type.kind === 'decimal' && (big < 0n ? -big : big) >= 10n ** BigInt(type.precision ?? 18)) {
    throw misfit(row, `a decimal of at most ${type.precision} digits`, value)
  }
  return big
}

/** The same 64 bits. */
function toUnsigned(value: unknown, row: number): bigint {
  const isDigits = typeof value === 'string' && /^\d+$/.test(value)
  const big =
    typeof value === 'bigint' ? value : isDigits || Number.isSafeInteger(value) ? BigInt(value as number) : -1n
  if (BigInt.asUintN(64, big) !== big) throw misfit(row, 'an integer of 64 bits without a sign', value)
  return BigInt.asIntN(64, big)
}

function toInteger(type: Type, value: unknown, row: number, origin: 'outside' | 'handler'): bigint {
  if (type.kind === 'decimal' && origin === 'outside') return toDecimal(type, value, row)
  if (type.kind === 'timestamp' && typeof value === 'string') return toMoment(type, value, row)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (type.kind === 'timestamp' && isMomentNumber(value)) return BigInt(value)
  const big =
    typeof value === 'bigint' ? value : typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : null
  if (big === null || BigInt.asIntN(64, big) !== big)
    throw misfit(
      row,
      type.kind === 'timestamp' ? 'a moment' : `an integer of 64 bits${big === null ? '' : unsignedRemedy(type, big)}`,
      value,
    )
  return big
}

/** For an integer that only a type without a sign holds. */
function unsignedRemedy(type: Type, value: bigint): string {
  return type.kind !== 'decimal' && BigInt.asUintN(64, value) === value
    ? ' with a sign (declare uint64() for one without)'
    : ''
}

/** 12.34, or "12.34", of scale 2 as 1234. A JSON number is taken by its shortest decimal form, which is what was written. */
function toDecimal(type: Type, value: unknown, row: number): bigint {
  const { scale = 0 } = type
  const parts = /^(-?)(\d+)(?:\.(\d*))?$/.exec(
    typeof value === 'bigint' || typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '',
  )
  const fraction = (parts?.[3] ?? '').replace(/0+$/, '')
  if (
    parts === null ||
    fraction.length > scale ||
    (typeof value === 'number' && Math.abs(value) * 10 ** scale > Number.MAX_SAFE_INTEGER)
  ) {
    throw misfit(row, `a decimal number with at most ${scale} digits after the point`, value)
  }
  const unscaled = BigInt(parts[2]! + fraction.padEnd(scale, '0')) * (parts[1] === '-' ? -1n : 1n)
  if (!isWide(type) && BigInt.asIntN(64, unscaled) !== unscaled) {
    throw misfit(row, 'a decimal of at most 18 digits', value)
  }
  return unscaled
}

/** A day in place of a moment is the midnight it begins with. */
export function midnightOf(type: Type, day: number, row: number): bigint {
  const unit = type.unit ?? 'us'
  const moment = midnightSteps(type.zone ?? 'UTC', unit)(day)
  if (moment !== null) return moment
  const { expected } = tooFar(unit, '')
  throw new MisfitError(
    row,
    expected.replace('a moment', 'a day'),
    Math.abs(day) <= 1e8 ? formatDay(day) : `day ${day}`,
  )
}

function toMoment(type: Type, value: string, row: number): bigint {
  const moment = momentOfText(value, type, (day) => midnightOf(type, day, row))
  if (typeof moment === 'object') throw new MisfitError(row, moment.expected, moment.found)
  return BigInt(moment)
}
