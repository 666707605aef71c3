import { createRequire } from 'node:module'
import type { Temporal } from 'temporal-polyfill'
import type { TimeUnit } from '../model/type.ts'
import { type Duration, stepsAMillisecond } from './duration.ts'

/**
 * Zones and their days. Temporal computes each edge once; the results stay in tables, so that no event costs a look-up
 * in a zone's rules. What is in UTC or at one offset needs no rules, and Temporal isn't even loaded: it takes 18 ms, in
 * every thread.
 */

type TemporalModule = typeof import('temporal-polyfill')['Temporal']
let loaded: TemporalModule | undefined

function temporal(): TemporalModule {
  loaded ??= (createRequire(import.meta.url)('temporal-polyfill') as typeof import('temporal-polyfill')).Temporal
  return loaded
}

/** What is wrong with the name of a zone, as `expected …, found …`; null where nothing is. */
export function zoneProblem(zone: unknown): string | null {
  const expected = "expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30'"
  if (typeof zone !== 'string') return `${expected}, found ${zone === undefined ? 'nothing' : typeof zone}`
  if (fixedOffset(zone) !== null) return null
  try {
    inZone(0, zone)
    return null
  } catch {
    return `${expected}, found ${JSON.stringify(zone)}`
  }
}

const MINUTE = 60_000
const DAY = 86_400_000

/** The offset, in milliseconds, of a zone without rules: UTC, `+05:30`; null for others. */
export function fixedOffset(zone: string): number | null {
  if (zone === 'UTC') return 0
  const parts = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/.exec(zone)
  return parts === null ? null : (parts[1] === '-' ? -MINUTE : MINUTE) * (Number(parts[2]) * 60 + Number(parts[3]))
}

function inZone(milliseconds: number, zone: string): Temporal.ZonedDateTime {
  return temporal().Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO(zone)
}

/** A zone's offset at a moment, both in milliseconds. */
export function offsetAt(milliseconds: number, zone: string): number {
  return inZone(milliseconds, zone).offsetNanoseconds / 1_000_000
}

/** When a day, counted since 1970-01-01, begins: in milliseconds, the first moment at which clocks show its date. */
export type DayStarts = (day: number) => number

const known = new Map<string, DayStarts>()

/** The beginnings of a zone's days, looked up once for all. A day that the zone left out begins where the next does. */
export function dayStarts(zone: string): DayStarts {
  let starts = known.get(zone)
  if (starts === undefined) {
    const offset = fixedOffset(zone)
    starts = offset === null ? startsByRules(zone) : (day) => day * DAY - offset
    known.set(zone, starts)
  }
  return starts
}

/** Days that one table holds. */
const TABLE_DAYS = 1024

function startsByRules(zone: string): DayStarts {
  const epoch = temporal().PlainDate.from('1970-01-01')
  const tables = new Map<number, Float64Array>()
  return (day) => {
    const number = Math.floor(day / TABLE_DAYS)
    let table = tables.get(number)
    if (table === undefined) {
      table = new Float64Array(TABLE_DAYS).fill(Number.NaN)
      tables.set(number, table)
    }
    const place = day - number * TABLE_DAYS
    if (Number.isNaN(table[place])) table[place] = epoch.add({ days: day }).toZonedDateTime(zone).epochMilliseconds
    return table[place]!
  }
}

/** The days that calendars know, on either side of 1970. */
const DAYS_MAX = 100_000_000

/** The moment at which a day begins; null where 64 bits or the calendar don't hold it. */
export function midnightSteps(zone: string, unit: TimeUnit): (day: number) => bigint | null {
  const starts = dayStarts(zone)
  const steps = BigInt(stepsAMillisecond[unit])
  return (day) => {
    if (Math.abs(day) >= DAYS_MAX && fixedOffset(zone) === null) return null
    const moment = BigInt(starts(day)) * steps
    return BigInt.asIntN(64, moment) === moment ? moment : null
  }
}

/** The day that lies a duration of days, weeks, months or years later: of a month without such a day, the last. */
export function dayAfter(day: number, { count, unit }: Duration): number {
  if (unit === 'day') return day + count
  if (unit === 'week') return day + 7 * count
  const month = monthOfDay(day)
  const later = month + (unit === 'year' ? 12 * count : count)
  return Math.min(firstDayOfMonth(later) + (day - firstDayOfMonth(month)), firstDayOfMonth(later + 1) - 1)
}

/** Months since January 1970 of a day. */
export function monthOfDay(day: number): number {
  const date = new Date(day * DAY)
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
}

/** The first day of a month, counted in months since January 1970. */
export function firstDayOfMonth(month: number): number {
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(1970, month, 1) / DAY
}

/** A moment in milliseconds, moved on by a duration on the clocks of a zone. */
export function laterBy(milliseconds: number, duration: Duration, zone: string): number {
  const offset = fixedOffset(zone)
  if (offset === null) {
    return inZone(milliseconds, zone).add({ [`${duration.unit}s`]: duration.count }).epochMilliseconds
  }
  const day = Math.floor((milliseconds + offset) / DAY)
  return milliseconds + (dayAfter(day, duration) - day) * DAY
}

/** What a zone's clocks show at a moment in milliseconds, with the offset: `2021-05-16T13:00:00+08:00`. */
export function localText(milliseconds: number, zone: string): string {
  return inZone(milliseconds, zone).toString({ timeZoneName: 'never' })
}

/** The moments, in milliseconds, that a local time may mean. */
export interface Readings {
  /** How often a zone's clocks show it: `none` where they skipped it, `two` where they were set back over it. */
  readonly count: 'none' | 'one' | 'two'
  readonly earlier: number
  readonly later: number
}

/**
 * When clocks show a local time, as `2021-05-22T14:00:00`. Where they never do, the readings are those with the offsets before
 * and after the gap.
 *
 * @throws RangeError where the calendar has no such time.
 */
export function readingsOf(local: string, zone: string): Readings {
  const wanted = temporal().PlainDateTime.from(local, { overflow: 'reject' })
  const earlier = wanted.toZonedDateTime(zone, { disambiguation: 'earlier' })
  const later = wanted.toZonedDateTime(zone, { disambiguation: 'later' })
  const shown = earlier.toPlainDateTime().equals(wanted)
  const count = !shown ? 'none' : earlier.epochMilliseconds === later.epochMilliseconds ? 'one' : 'two'
  return { count, earlier: earlier.epochMilliseconds, later: later.epochMilliseconds }
}
