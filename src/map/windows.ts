import type { Int64Column } from '../model/column.ts'
import { describePlace, InputError } from '../model/errors.ts'
import { isMomentNumber } from '../model/moment-number.ts'
import type { LogPlan } from '../model/plan.ts'
import type { WindowDefinition } from '../model/view.ts'
import type { Batch } from '../scan/event-batch.ts'
import { placeOf } from '../scan/places.ts'
import { type Calendar, MomentRangeError } from '../time/calendar.ts'
import { parseDuration } from '../time/duration.ts'
import { deadlines, describeLate, markLate } from '../time/lateness.ts'
import { windowCalendar } from '../view/view-set.ts'

/** The windows of a batch's rows, by row of the batch. */
export interface BatchWindows {
  /** Number of the row's window among those of the batch. */
  readonly of: Int32Array
  /** The windows of the batch, as the calendar numbers them. */
  readonly indexes: readonly number[]
  /** What those are as key columns. */
  readonly keys: readonly (number | bigint)[]
  /** 1 where the event was recorded after its window's deadline; null where none was. */
  readonly late: Uint8Array | null
  /** The window in which the event was recorded, as the calendar numbers it. */
  readonly recordedIn: Float64Array
}

/** Finds the windows of events, and which events are late. */
export interface WindowReader {
  read(batch: Batch): BatchWindows
  /** `recorded 9 d 3 h after the window 2021-05-16 closed` */
  describeLate(batch: Batch, windows: BatchWindows, row: number): string
}

export function makeWindowReader(log: LogPlan, window: WindowDefinition): WindowReader {
  const calendar = windowCalendar(log, window)
  const lateness = parseDuration(window.allowedLateness, 'allowedLateness')
  const deadlineOf = deadlines(calendar, lateness)
  return {
    read(batch) {
      const occurredIn = windowsOf(calendar, log.roles.occurredAt, batch)
      const recordedIn = windowsOf(calendar, log.roles.recordedAt, batch)
      const { of, indexes } = numbered(occurredIn)
      const late = new Uint8Array(batch.rows)
      const recorded = momentsOf(batch, log.roles.recordedAt).values
      const anyLate = markLate(occurredIn, recorded, deadlineOf, late) > 0
      const keys = indexes.map((index) => calendar.keyOf(index))
      keys.forEach((key, window) => {
        if (typeof key === 'number' && !isExactKey(calendar, indexes[window]!, key)) {
          refuseFarWindow(batch, of.indexOf(window), key)
        }
      })
      return { of, indexes, keys, late: anyLate ? late : null, recordedIn }
    },
    describeLate(batch, { of, indexes }, row) {
      return describeLate(calendar, indexes[of[row]!]!, momentsOf(batch, log.roles.recordedAt).values[row]!)
    },
  }
}

/** Beyond 2^53 a number holds some moments and not others. */
function isExactKey(calendar: Calendar, index: number, key: number): boolean {
  return Number.isSafeInteger(key) || (isMomentNumber(key) && BigInt(key) === calendar.startOf(index))
}

/** A number holds all microseconds of about 285 years on either side of 1970. */
function refuseFarWindow(batch: Batch, row: number, key: number): never {
  const place = placeOf(batch, row)
  throw new InputError(
    `Cannot read ${describePlace(place)}: expected an event whose window begins at a moment that a number holds exactly, found ${key}. Declare timeUnit: 'ms' or 'ns' on the log, or windows of days.`,
    place,
  )
}

export function momentsOf(batch: Batch, slot: number): Int64Column {
  const column = batch.columns[slot]
  if (column?.kind !== 'int64') throw new Error('moments lie in an int64 column')
  return column
}

/** The calendar's windows of a column of moments. */
export function windowsOf(calendar: Calendar, slot: number, batch: Batch): Float64Array {
  const { values, validity, length } = momentsOf(batch, slot)
  try {
    return calendar.indexesOf(values, validity, new Float64Array(length))
  } catch (error) {
    if (!(error instanceof MomentRangeError)) throw error
    const place = placeOf(batch, error.row)
    throw new InputError(`Cannot read ${describePlace(place)}: ${error.message}.`, place)
  }
}

/** Numbers the distinct values of a column 0, 1, 2 … as they come. Neighbours mostly have the same. */
export function numbered(values: Float64Array): { of: Int32Array; indexes: number[] } {
  const of = new Int32Array(values.length)
  const indexes: number[] = []
  const numbers = new Map<number, number>()
  let last = Number.NaN
  let number = 0
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value !== last) {
      last = value
      const known = numbers.get(value)
      if (known === undefined) {
        number = indexes.length
        indexes.push(value)
        numbers.set(value, number)
      } else {
        number = known
      }
    }
    of[row] = number
  }
  return { of, indexes }
}
