import { wordsOf } from '../columns/slot-column.ts'
import { type Column, isPresent } from '../model/column.ts'
import { describePlace, InputError } from '../model/errors.ts'
import type { LogPlan, RecordedSpan } from '../model/plan.ts'
import type { Batch } from './event-batch.ts'

/** Marks rows recorded or occurred outside the plan's moments, or without that moment; null where all are within. */
export function rowsOutside(log: LogPlan, batch: Batch): Uint8Array | null {
  const span = log.recorded?.[batch.file]
  if (log.knownAt === null && log.asOf === null && span === undefined) return null
  const outside = new Uint8Array(batch.rows)
  if (log.knownAt !== null) markLater(batch.columns[log.roles.recordedAt], log.knownAt, outside)
  if (log.asOf !== null) markLater(batch.columns[log.roles.occurredAt], log.asOf, outside)
  if (span !== undefined) markOutside(batch.columns[log.roles.recordedAt], span, outside)
  return outside
}

/** What was recorded up to the span's beginning is all that is not later than it. */
function markOutside(column: Column | undefined, { after, until }: RecordedSpan, outside: Uint8Array): void {
  if (until !== null) markLater(column, until, outside)
  if (after === null) return
  const later = new Uint8Array(outside.length)
  markLater(column, after, later)
  for (let row = 0; row < later.length; row++) if (later[row] === 0) outside[row] = 1
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

function markLater(column: Column | undefined, until: bigint, outside: Uint8Array): void {
  if (column?.kind !== 'int64') throw new Error('moments lie in an int64 column')
  const words = wordsOf(column.values)
  // A day of 9999 lies beyond what 64 bits hold in nanoseconds.
  const held = until > INT64_MAX ? INT64_MAX : until < INT64_MIN ? INT64_MIN : until
  const untilHigh = Number(held >> 32n)
  const untilLow = Number(BigInt.asUintN(32, held))
  for (let row = 0; row < column.length; row++) {
    const high = words[2 * row + 1]!
    if (high > untilHigh || (high === untilHigh && words[2 * row]! >>> 0 > untilLow)) outside[row] = 1
  }
  if (column.validity === null) return
  for (let row = 0; row < column.length; row++) {
    if ((column.validity[row >> 3]! & (1 << (row & 7))) === 0) outside[row] = 1
  }
}

/** Whether all moments certainly lie within bounds. Most show it by their high word alone. */
function liesWithin(moments: BigInt64Array, { min, max }: { min: bigint; max: bigint }): boolean {
  const words = wordsOf(moments)
  const [least, most] = [Number(min >> 32n), Number(max >> 32n)]
  for (let row = 0; row < moments.length; row++) {
    const high = words[2 * row + 1]!
    if (high > least && high < most) continue
    const moment = moments[row]!
    if (moment < min || moment > max) return false
  }
  return true
}

/**
 * Refuses an event that was recorded outside of the row group's statistics: how far its partition had come was taken from
 * them.
 *
 * @param bounds In the log's unit.
 */
export function refuseOutside(bounds: { min: bigint; max: bigint }, log: LogPlan, batch: Batch): void {
  const column = batch.columns[log.roles.recordedAt]
  if (column?.kind !== 'int64') return
  if (liesWithin(column.values, bounds)) return
  for (let row = 0; row < batch.rows; row++) {
    const moment = column.values[row]!
    if ((moment >= bounds.min && moment <= bounds.max) || !isPresent(column, row)) continue
    const place = { file: batch.file, rowGroup: batch.rowGroup, row, column: log.slots[log.roles.recordedAt]!.name }
    throw new InputError(
      `Cannot read ${describePlace(place)}: expected a moment from ${bounds.min} to ${bounds.max}, as the file's statistics say, found ${column.values[row]}. The file's footer is wrong; write the file again.`,
      place,
    )
  }
}
