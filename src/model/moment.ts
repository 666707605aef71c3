/** Moments and days as handlers see them: numbers since 1970 UTC. */

const MICROSECONDS_A_DAY = 86_400_000_000
const MICROSECONDS_AN_HOUR = 3_600_000_000

/** The day a moment in microseconds lies in, UTC, as days since 1970-01-01. */
export function dayOf(microseconds: number): number {
  return Math.floor(microseconds / MICROSECONDS_A_DAY)
}

/** The hour a moment in microseconds lies in, UTC, as the moment it begins, in microseconds. */
export function hourOf(microseconds: number): number {
  return Math.floor(microseconds / MICROSECONDS_AN_HOUR) * MICROSECONDS_AN_HOUR
}

/** The first day of the month a moment in microseconds lies in, UTC, as days since 1970-01-01. */
export function monthOf(microseconds: number): number {
  return firstOfMonth(dayOf(microseconds))
}

/**
 * Days from civil and back, proleptic Gregorian calendar, without a Date object.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
function firstOfMonth(day: number): number {
  const z = day + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  return day - (dayOfYear - Math.floor((153 * month + 2) / 5))
}

/** `2021-05-22` for a number of days since 1970-01-01. */
export function formatDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, -14)
}
