import { Temporal } from 'temporal-polyfill'
import type { Duration } from './duration.ts'

/** What is wrong with the name of a zone, as `expected …, found …`; null where nothing is. */
export function zoneProblem(zone: unknown): string | null {
  const expected = "expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30'"
  if (typeof zone !== 'string') return `${expected}, found ${zone === undefined ? 'nothing' : typeof zone}`
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone)
    return null
  } catch {
    return `${expected}, found ${JSON.stringify(zone)}`
  }
}

const MILLISECONDS_A_DAY = 86_400_000

/** Where the days of a zone begin: the moment, in milliseconds, at which its clocks first show that date. */
export type DayStarts = (day: number) => number

/** Days whose beginnings lie in one table. */
const TABLE_DAYS = 1024

/**
 * The beginnings of days, each looked up in the zone's rules once. A day that a zone left out begins where the next
 * does.
 */
export function dayStarts(zone: string): DayStarts {
  const fixed = fixedOffset(zone)
  if (fixed !== null) return (day) => day * MILLISECONDS_A_DAY - fixed
  const tables = new Map<number, Float64Array>()
  return (day) => {
    const number = Math.floor(day / TABLE_DAYS)
    let table = tables.get(number)
    if (table === undefined) {
      table = new Float64Array(TABLE_DAYS).fill(Number.NaN)
      tables.set(number, table)
    }
    const place = day - number * TABLE_DAYS
    const known = table[place]!
    if (!Number.isNaN(known)) return known
    const start = dateOf(day).toZonedDateTime(zone).epochMilliseconds
    table[place] = start
    return start
  }
}

/** The offset of a zone that has one for all time, in milliseconds; null for zones with a history. */
export function fixedOffset(zone: string): number | null {
  if (!/^(UTC|[+-].*)$/i.test(zone)) return null
  return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).offsetNanoseconds / 1_000_000
}

const epoch = Temporal.PlainDate.from('1970-01-01')

/** The day that a duration of days, weeks, months or years later is. From the 31st, a month ends on its last day. */
export function dayAfter(day: number, { count, unit }: Duration): number {
  if (unit === 'day') return day + count
  if (unit === 'week') return day + 7 * count
  return epoch.until(dateOf(day).add({ [`${unit}s`]: count })).days
}

function dateOf(day: number): Temporal.PlainDate {
  return epoch.add({ days: day })
}

/** A moment in milliseconds, moved by a duration on the clocks of a zone. */
export function laterBy(milliseconds: number, duration: Duration, zone: string): number {
  const moment = Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO(zone)
  return moment.add({ [`${duration.unit}s`]: duration.count }).epochMilliseconds
}

/** Months since January 1970 of a day. */
export function monthOfDay(day: number): number {
  const date = new Date(day * MILLISECONDS_A_DAY)
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
}

/** The first day of the month that is so many months after January 1970. */
export function firstDayOfMonth(month: number): number {
  // setUTCFullYear takes the years 0 to 99 as they are.
  return new Date(0).setUTCFullYear(1970, month, 1) / MILLISECONDS_A_DAY
}
