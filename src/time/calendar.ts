import { ConfigurationError } from '../model/errors.ts'
import type { TimeUnit } from '../model/type.ts'
import {
  type Duration,
  durationProblem,
  durationUnits,
  exactMilliseconds,
  formatDuration,
  isCalendarUnit,
  parseDuration,
  stepsAMillisecond,
} from './duration.ts'
import { dayAfter, dayStarts, firstDayOfMonth, laterBy, monthOfDay, zoneProblem } from './zone.ts'

/**
 * Windows: all of time cut into pieces that follow each other without gaps, in a zone. A window is known by its index,
 * a whole number that grows with time; window 0 holds 1970-01-01T00:00 of the zone (of weeks, the Monday before it).
 *
 * Windows of days, weeks, months and years begin at the first moment at which the zone's clocks show their first date.
 * Where a zone left out a day, that day's window is empty. Windows of hours, minutes and seconds have one exact length
 * and are counted from the zone's 1970-01-01T00:00.
 *
 * Every edge is a whole millisecond. Moments are in the calendar's unit: numbers for `ms` and `us`, bigints for any.
 */
export interface Calendar {
  readonly every: Duration
  readonly zone: string
  readonly unit: TimeUnit
  /** What a window's key is: its first local day, or the moment at which it begins. */
  readonly keyKind: 'date' | 'timestamp'
  /** The window a moment lies in. @throws MomentRangeError */
  indexOf(moment: number | bigint): number
  /**
   * The windows of a whole column; NaN where validity has no bit.
   *
   * @param indexes Is filled and returned; as long as the column.
   * @throws MomentRangeError with the row.
   */
  indexesOf(moments: BigInt64Array, validity: Uint8Array | null, indexes: Float64Array): Float64Array
  /** The first moment of a window. */
  startOf(index: number): bigint
  /** The first moment after a window. */
  endOf(index: number): bigint
  /**
   * The last moment at which an event of the window is in time: its end and `lateness`, which is counted on the zone's
   * calendar if in days or longer.
   */
  deadlineOf(index: number, lateness: Duration): bigint
  /** Days since 1970-01-01, or the moment of the start as handlers see moments: a number of ms or us, a bigint of ns. */
  keyOf(index: number): number | bigint
  /** The window with this key. @throws RangeError where no window has it. */
  indexOfKey(key: number | bigint): number
  /** The window that holds the day or the moment that is written as a key. @throws MomentRangeError */
  indexAround(key: number | bigint): number
}

/** A moment beyond every calendar: more than 272,000 years from 1970. */
export class MomentRangeError extends RangeError {
  /** Its row in the column. */
  readonly row: number
  readonly moment: bigint
  constructor(row: number, moment: bigint) {
    super(`expected a moment within 272,000 years of 1970, found ${moment}`)
    this.name = 'MomentRangeError'
    this.row = row
    this.moment = moment
  }
}

export interface CalendarSpec {
  /** `hour`, `day`, `week`, `month`, or a duration as `6 hours`. */
  readonly every: string
  readonly zone: string
  readonly unit: TimeUnit
}

/** What is wrong with the length of windows, as `expected …, found …`; null where nothing is. */
export function everyProblem(every: unknown): string | null {
  if (isSingleUnit(every)) return null
  if (durationProblem(every) !== null) {
    const found = typeof every === 'string' ? JSON.stringify(every) : String(every)
    return `expected 'hour', 'day', 'week', 'month' or a duration, as '6 hours' or '10 days', found ${found}`
  }
  return parseDuration(every, '').count === 0 ? `expected windows longer than nothing, found '${every}'` : null
}

/** @throws ConfigurationError where the length or the zone can't be used. */
export function makeCalendar({ every: text, zone, unit }: CalendarSpec): Calendar {
  const problem = everyProblem(text) ?? zoneProblem(zone)
  if (problem !== null) throw new ConfigurationError(`Cannot make windows: ${problem}.`)
  const every = isSingleUnit(text) ? { count: 1, unit: text } : parseDuration(text, 'every')
  const edges = isCalendarUnit(every.unit) ? dayEdges(every, zone) : exactEdges(every, zone)
  return calendarOf(every, zone, unit, edges)
}

function isSingleUnit(every: unknown): every is Duration['unit'] {
  return durationUnits.some((unit) => unit === every)
}

/** Windows in milliseconds. */
interface Edges {
  /** A window at or near which the moment lies. */
  near(milliseconds: number): number
  start(index: number): number
  deadline(index: number, lateness: Duration): number
  /** Null where windows have an exact length. */
  readonly days: Days | null
}

/** Windows in days since 1970-01-01. */
interface Days {
  firstDay(index: number): number
  ofDay(day: number): number
}

const MILLISECONDS_A_DAY = 86_400_000
/** 1969-12-29, a Monday. */
const FIRST_MONDAY = -3

function dayEdges(every: Duration, zone: string): Edges {
  const starts = dayStarts(zone)
  const { firstDay, ofDay } = every.unit === 'month' || every.unit === 'year' ? runsOfMonths(every) : runsOfDays(every)
  // Near enough, though the zone's offset may have been another at the time.
  const offset = -starts(0)
  return {
    near: (milliseconds) => ofDay(Math.floor((milliseconds + offset) / MILLISECONDS_A_DAY)),
    start: (index) => starts(firstDay(index)),
    deadline(index, lateness) {
      const next = firstDay(index + 1)
      return isCalendarUnit(lateness.unit)
        ? starts(dayAfter(next, lateness))
        : starts(next) + exactMilliseconds(lateness)!
    },
    days: { firstDay, ofDay },
  }
}

function runsOfDays({ count, unit }: Duration): Days {
  const length = unit === 'week' ? 7 * count : count
  const first = unit === 'week' ? FIRST_MONDAY : 0
  return {
    firstDay: (index) => first + index * length,
    ofDay: (day) => Math.floor((day - first) / length),
  }
}

function runsOfMonths({ count, unit }: Duration): Days {
  const length = unit === 'year' ? 12 * count : count
  return {
    firstDay: (index) => firstDayOfMonth(index * length),
    ofDay: (day) => Math.floor(monthOfDay(day) / length),
  }
}

function exactEdges(every: Duration, zone: string): Edges {
  const length = exactMilliseconds(every)!
  const origin = dayStarts(zone)(0)
  return {
    near: (milliseconds) => Math.floor((milliseconds - origin) / length),
    start: (index) => origin + index * length,
    deadline(index, lateness) {
      const end = origin + (index + 1) * length
      return isCalendarUnit(lateness.unit) ? laterBy(end, lateness, zone) : end + exactMilliseconds(lateness)!
    },
    days: null,
  }
}

/** A window, from `start` to before `end`, in milliseconds. */
interface Window {
  readonly index: number
  readonly start: number
  readonly end: number
}

const noWindow: Window = { index: 0, start: 0, end: 0 }

function windowAt(edges: Edges, milliseconds: number): Window {
  let index = edges.near(milliseconds)
  let start = edges.start(index)
  while (milliseconds < start) start = edges.start(--index)
  let end = edges.start(index + 1)
  while (milliseconds >= end) {
    start = end
    end = edges.start(++index + 1)
  }
  return { index, start, end }
}

function calendarOf(every: Duration, zone: string, unit: TimeUnit, edges: Edges): Calendar {
  const steps = stepsAMillisecond[unit]
  const bigSteps = BigInt(steps)
  const inSteps = (milliseconds: number) => BigInt(milliseconds) * bigSteps
  // 2^32 steps are `whole` milliseconds and `rest` steps; so all numbers below are exact, up to the last bigint of ns.
  const whole = Math.floor(WORD / steps)
  const rest = WORD % steps

  // The window found last: logs are nearly in order.
  let { index, start, end } = noWindow

  function find(milliseconds: number): void {
    ;({ index, start, end } = windowAt(edges, milliseconds))
  }

  function indexOf(moment: number | bigint): number {
    const milliseconds = typeof moment === 'number' ? Math.floor(moment / steps) : floorDivided(moment, bigSteps)
    if (milliseconds >= start && milliseconds < end) return index
    if (!(Math.abs(milliseconds) <= REACH)) throw new MomentRangeError(0, BigInt(moment))
    find(milliseconds)
    return index
  }

  function indexesOf(moments: BigInt64Array, validity: Uint8Array | null, indexes: Float64Array): Float64Array {
    const words = new Int32Array(moments.buffer, moments.byteOffset, 2 * moments.length)
    for (let row = 0; row < moments.length; row++) {
      const high = words[2 * row + 1]!
      const low = words[2 * row]! >>> 0
      const milliseconds = high * whole + Math.floor((high * rest + low) / steps)
      if (milliseconds >= start && milliseconds < end) {
        indexes[row] = index
      } else if (validity === null || isSet(validity, row)) {
        if (Math.abs(milliseconds) > REACH) throw new MomentRangeError(row, moments[row]!)
        find(milliseconds)
        indexes[row] = index
      }
    }
    if (validity !== null) markAbsent(validity, indexes)
    return indexes
  }

  function indexAround(key: number | bigint): number {
    return edges.days === null ? indexOf(key) : edges.days.ofDay(Number(key))
  }

  return {
    every,
    zone,
    unit,
    keyKind: edges.days === null ? 'timestamp' : 'date',
    indexOf,
    indexesOf,
    startOf: (index) => inSteps(edges.start(index)),
    endOf: (index) => inSteps(edges.start(index + 1)),
    deadlineOf: (index, lateness) => inSteps(edges.deadline(index, lateness)),
    keyOf(index) {
      if (edges.days !== null) return edges.days.firstDay(index)
      return unit === 'ns' ? inSteps(edges.start(index)) : edges.start(index) * steps
    },
    indexOfKey(key) {
      const index = indexAround(key)
      const exact =
        edges.days === null ? inSteps(edges.start(index)) === BigInt(key) : edges.days.firstDay(index) === Number(key)
      if (!exact) throw new RangeError(`no window of ${formatDuration(every)} begins at ${key}`)
      return index
    },
    indexAround,
  }
}

function floorDivided(moment: bigint, steps: bigint): number {
  return Number((moment - (((moment % steps) + steps) % steps)) / steps)
}

const WORD = 2 ** 32
/** Moments beyond are refused, in milliseconds: dates end 1,267 years later. */
const REACH = 8.6e15

function markAbsent(validity: Uint8Array, indexes: Float64Array): void {
  for (let row = 0; row < indexes.length; row++) if (!isSet(validity, row)) indexes[row] = Number.NaN
}

function isSet(validity: Uint8Array, row: number): boolean {
  return (validity[row >> 3]! & (1 << (row & 7))) !== 0
}
