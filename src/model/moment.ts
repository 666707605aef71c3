/** Days as handlers see them: numbers since 1970-01-01. */

/**
 * The first day of the month a day lies in. Days from civil and back, proleptic Gregorian calendar, without a Date object.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
export function firstOfMonth(day: number): number {
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
