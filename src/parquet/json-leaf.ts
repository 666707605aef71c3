import type { LogicalType } from '../model/column.ts'
import { formatDecimal } from '../model/decimal-text.ts'
import { formatDay } from '../model/moment.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { TimeUnit } from '../model/type.ts'

/**
 * A leaf's value within JSON, where it needs no unit or scale to be read: decimals with their point, days and moments
 * as ISO 8601.
 *
 * @throws RangeError for a moment or day that no calendar has.
 */
export function jsonLeaf(value: unknown, type: LogicalType): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'decimal':
      return jsonDecimal(value as bigint, type.scale)
    case 'timestamp':
      return formatMoment(BigInt(value as bigint), type.unit)
    case 'time':
      return jsonTime(BigInt(value as bigint | number), type.unit)
    case 'date':
      return formatDay(Number(value))
    default:
      return value
  }
}

/** Decimals of at most this many digits are the number that is written with just these digits. */
const DIGITS_OF_A_NUMBER = 15

/** A number where that has all digits, text where not. */
export function jsonDecimal(unscaled: bigint, scale: number): number | string {
  const text = formatDecimal(unscaled, scale)
  const digits = String(unscaled).replace('-', '').replace(/0+$/, '')
  return digits.length <= DIGITS_OF_A_NUMBER ? Number(text) : text
}

/** A time of day. */
export function jsonTime(time: bigint, unit: TimeUnit): string {
  return formatMoment(time, unit).slice('1970-01-01T'.length, -1)
}

/** A moment of no zone. */
export function localMoment(moment: bigint, unit: TimeUnit): string {
  return formatMoment(moment, unit).slice(0, -1)
}
