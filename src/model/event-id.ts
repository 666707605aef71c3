import { formatDay } from './moment.ts'
import { formatMoment } from './moment-text.ts'
import type { TimeUnit, Type } from './type.ts'

/** An id of several columns as one text: joined by `/`, with `\\` before each `/` and `\\` within a column. */
export function joinId(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : parts.map((part) => part.replace(/[\\/]/g, '\\$&')).join('/')
}

/**
 * A value of a column of an id as text: days and moments as ISO 8601, moments UTC with all digits of their unit; truth values as `true` and `false`; anything else as
 * it is.
 */
export function idColumnText({ kind, unit }: Type, value: unknown): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return String(value)
  if (kind === 'bool') return String(value !== 0)
  if (kind === 'uint64') return String(BigInt.asUintN(64, BigInt(value)))
  if (kind === 'date' && Math.abs(Number(value)) <= DAYS_MAX) return formatDay(Number(value))
  if (kind === 'timestamp' && withinDates(BigInt(value), unit!)) return formatMoment(BigInt(value), unit!)
  return String(value)
}

/** What a Date can hold. */
const DAYS_MAX = 100_000_000

function withinDates(moment: bigint, unit: TimeUnit): boolean {
  const days = moment / { ms: 86_400_000n, us: 86_400_000_000n, ns: 86_400_000_000_000n }[unit]
  return days < DAYS_MAX && days > -DAYS_MAX
}
