import { ConfigurationError } from '../model/errors.ts'
import { formatDay } from '../model/moment.ts'
import type { TimeUnit } from '../model/type.ts'
import type { Calendar } from './calendar.ts'
import { type Duration, exactMilliseconds, formatDuration, formatElapsed, stepsAMillisecond } from './duration.ts'
import { localText } from './zone.ts'

/** Which events are late: those recorded after the deadline of their window. */

/** A window's deadline by its index, in the calendar's unit: computed once for each window. */
export type Deadlines = (index: number) => bigint

export function deadlines(calendar: Calendar, allowedLateness: Duration): Deadlines {
  const known = new Map<number, bigint>()
  return (index) => {
    let deadline = known.get(index)
    if (deadline === undefined) {
      deadline = calendar.deadlineOf(index, allowedLateness)
      known.set(index, deadline)
    }
    return deadline
  }
}

/**
 * Marks the events that were recorded after the deadline of their window.
 *
 * @param indexes Windows of the events, as `indexesOf` gives them; where NaN, nothing is marked.
 * @param recorded When they were recorded, in the calendar's unit.
 * @param late Is set to 1 where an event is late and left alone elsewhere.
 * @returns How many are late.
 */
export function markLate(
  indexes: Float64Array,
  recorded: BigInt64Array,
  deadlineOf: Deadlines,
  late: Uint8Array,
): number {
  const words = new Int32Array(recorded.buffer, recorded.byteOffset, 2 * recorded.length)
  let index = Number.NaN
  let deadlineHigh = 0
  let deadlineLow = 0
  let count = 0
  for (let row = 0; row < indexes.length; row++) {
    if (indexes[row] !== index) {
      index = indexes[row]!
      if (Number.isNaN(index)) continue
      const deadline = deadlineOf(index)
      const held = deadline > INT64_MAX ? INT64_MAX : deadline
      deadlineHigh = Number(held >> 32n)
      deadlineLow = Number(BigInt.asUintN(32, held))
    }
    const high = words[2 * row + 1]!
    if (high > deadlineHigh || (high === deadlineHigh && words[2 * row]! >>> 0 > deadlineLow)) {
      late[row] = 1
      count++
    }
  }
  return count
}

const INT64_MAX = 2n ** 63n - 1n

/** A window in words: its first day, or its beginning as the zone's clocks show it. */
export function formatWindow(calendar: Calendar, index: number): string {
  const key = calendar.keyOf(index)
  if (calendar.keyKind === 'date') return formatDay(Number(key))
  return clockText(calendar, calendar.startOf(index))
}

/** Where a window ends, in words: its last day, or the moment after it. */
export function formatWindowEnd(calendar: Calendar, index: number): string {
  if (calendar.keyKind === 'date') return formatDay(Number(calendar.keyOf(index + 1)) - 1)
  return clockText(calendar, calendar.endOf(index))
}

function clockText({ unit, zone }: Calendar, moment: bigint): string {
  return localText(Number(moment / BigInt(stepsAMillisecond[unit])), zone)
}

/**
 * `2021-03-15 is in the window 2021-03-01`: which window holds a day or a moment given in place of a window's key;
 * null where it begins one.
 *
 * @throws MomentRangeError
 */
export function describeWithinWindow(calendar: Calendar, key: number | bigint): string | null {
  const index = calendar.indexAround(key)
  const isDay = calendar.keyKind === 'date'
  if (isDay ? Number(key) === Number(calendar.keyOf(index)) : BigInt(key) === calendar.startOf(index)) return null
  const text = isDay ? formatDay(Number(key)) : clockText(calendar, BigInt(key))
  return `${text} is in the window ${formatWindow(calendar, index)}`
}

/** `recorded 9 d 3 h after the window 2021-05-16 closed`: how long after its window's end an event was recorded. */
export function describeLate(calendar: Calendar, index: number, recordedAt: bigint): string {
  const elapsed = formatElapsed(recordedAt - calendar.endOf(index), calendar.unit)
  return `recorded ${elapsed} after the window ${formatWindow(calendar, index)} closed`
}

/** How many events several thresholds would call late. */
export interface LateCounts {
  readonly events: number
  /** Recorded before they occurred: clocks that differ, or events that were scheduled. */
  readonly early: number
  /** For each threshold, in the order given. */
  readonly late: readonly number[]
}

/**
 * Counts how many events each of several thresholds would send to the exceptions. With a calendar, an event is late after its
 * window's end and the threshold; without, after the moment it occurred and the threshold, a day counting 24 hours.
 *
 * @param occurred Moments in the calendar's unit, or in the unit given in its place; as many as `recorded`.
 */
export function lateCounts(
  occurred: BigInt64Array,
  recorded: BigInt64Array,
  thresholds: readonly Duration[],
  by: Calendar | TimeUnit,
): LateCounts {
  const deadlinesOf = typeof by === 'string' ? deadlinesFrom(thresholds, by) : deadlinesIn(thresholds, by)
  const late = new Array<number>(thresholds.length).fill(0)
  let early = 0
  for (let row = 0; row < occurred.length; row++) {
    const moment = recorded[row]!
    if (moment < occurred[row]!) early++
    for (const [i, deadline] of deadlinesOf(occurred[row]!).entries()) if (moment > deadline) late[i]!++
  }
  return { events: occurred.length, early, late }
}

function deadlinesFrom(thresholds: readonly Duration[], unit: TimeUnit): (occurred: bigint) => readonly bigint[] {
  const allowed = thresholds.map((threshold) => {
    const milliseconds = exactMilliseconds(threshold)
    if (milliseconds === null) {
      throw new ConfigurationError(
        `Cannot count late events: expected thresholds in weeks or a smaller unit, found '${formatDuration(threshold)}'; only windows have months.`,
      )
    }
    return BigInt(milliseconds) * BigInt(stepsAMillisecond[unit])
  })
  return (occurred) => allowed.map((steps) => occurred + steps)
}

function deadlinesIn(thresholds: readonly Duration[], calendar: Calendar): (occurred: bigint) => readonly bigint[] {
  const known = new Map<number, readonly bigint[]>()
  return (occurred) => {
    const index = calendar.indexOf(occurred)
    let found = known.get(index)
    if (found === undefined) {
      found = thresholds.map((threshold) => calendar.deadlineOf(index, threshold))
      known.set(index, found)
    }
    return found
  }
}

/** The counts of two sets of events together. */
export function addLateCounts(a: LateCounts, b: LateCounts): LateCounts {
  return {
    events: a.events + b.events,
    early: a.early + b.early,
    late: a.late.map((count, i) => count + b.late[i]!),
  }
}
