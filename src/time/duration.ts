import { ConfigurationError } from '../model/errors.ts'
import type { TimeUnit } from '../model/type.ts'

/**
 * Durations as people write them. Days, weeks, months and years are counted on the calendar of a zone, where a day may
 * have 23 or 25 hours; seconds, minutes and hours are exact time.
 */

export const durationUnits = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const
export type DurationUnit = (typeof durationUnits)[number]

/** A whole number of one unit, zero or more. */
export interface Duration {
  readonly count: number
  readonly unit: DurationUnit
}

/** Longer durations are taken for mistakes; a window or a lateness of less is within the calendar of any moment. */
const YEARS_MAX = 500

const daysIn: Readonly<Record<DurationUnit, number>> = {
  second: 1 / 86_400,
  minute: 1 / 1440,
  hour: 1 / 24,
  day: 1,
  week: 7,
  month: 365.2425 / 12,
  year: 365.2425,
}

const millisecondsIn: Readonly<Partial<Record<DurationUnit, number>>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

/**
 * Reads `7 days`, `36 hours`, `1 month`: a whole number and one of `durationUnits`, singular or plural.
 *
 * @param place Names the option in the message, as `allowedLateness`.
 * @throws ConfigurationError that says what was expected and found.
 */
export function parseDuration(value: unknown, place: string): Duration {
  const read = readDuration(value)
  if (typeof read === 'string') throw new ConfigurationError(`${place}: ${read}.`)
  return read
}

/** What is wrong with a duration, as `expected …, found …`; null where nothing is. */
export function durationProblem(value: unknown): string | null {
  const read = readDuration(value)
  return typeof read === 'string' ? read : null
}

function readDuration(value: unknown): Duration | string {
  const isPlain = typeof value === 'number' || value === null
  const found = typeof value === 'string' ? JSON.stringify(value) : isPlain ? String(value) : typeof value
  const expected = (what: string) => `expected ${what}, found ${found}`
  const parts = typeof value === 'string' ? /^\s*(-?)(\d+)(\.\d+)?\s*(\p{L}*)\s*$/u.exec(value) : null
  if (parts === null) {
    return expected(
      typeof value === 'number' ? `a unit too, as '${value} days'` : "a number and a unit, as '7 days' or '36 hours'",
    )
  }
  const [, minus, digits, fraction, name] = parts as unknown as [string, string, string, string | undefined, string]
  const unit = durationUnits.find((unit) => name === unit || name === `${unit}s`)
  if (name === '') return expected(`a unit too, as '${digits} days'`)
  if (minus !== '') return expected('a duration of zero or more')
  if (unit === undefined) return expected(`one of the units ${durationUnits.map((unit) => `${unit}s`).join(', ')}`)
  if (fraction !== undefined) return expected(`a whole number of ${unit}s; a smaller unit may do`)
  const count = Number(digits)
  if (count * daysIn[unit] > YEARS_MAX * daysIn.year) return expected(`at most ${YEARS_MAX} years`)
  return { count, unit }
}

/** `7 days`: reads back to the same duration. */
export function formatDuration({ count, unit }: Duration): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** Whether a duration is counted in days of a calendar; else it is exact time. */
export function isCalendarUnit(unit: DurationUnit): boolean {
  return daysIn[unit] >= 1
}

/** Exact milliseconds, with days of 24 hours; null for months and years, which have no length of their own. */
export function exactMilliseconds({ count, unit }: Duration): number | null {
  const each = millisecondsIn[unit]
  return each === undefined ? null : count * each
}

/** Steps of a time unit in a millisecond. */
export const stepsAMillisecond: Readonly<Record<TimeUnit, number>> = { ms: 1, us: 1000, ns: 1_000_000 }

/** Elapsed time, for people: its two largest units, rounded down, as `9 d 3 h`, `15 min`, `2 s 5 ms`. */
export function formatElapsed(steps: bigint, unit: TimeUnit): string {
  if (steps < 0n) return `-${formatElapsed(-steps, unit)}`
  const nanoseconds = steps * BigInt(1_000_000 / stepsAMillisecond[unit])
  const first = elapsedUnits.findIndex(([, size]) => nanoseconds >= size)
  if (first === -1) return `0 ${unit === 'us' ? 'µs' : unit}`
  let rest = nanoseconds
  const words: string[] = []
  for (const [name, size] of elapsedUnits.slice(first, first + 2)) {
    if (rest >= size) words.push(`${inThousands(rest / size)} ${name}`)
    rest %= size
  }
  return words.join(' ')
}

/** `12,345`: days may be many. */
function inThousands(count: bigint): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

const elapsedUnits = [
  ['d', 86_400_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['min', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['µs', 1000n],
  ['ns', 1n],
] as const
