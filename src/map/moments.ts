import type { Column } from '../model/column.ts'
import type { LogPlan } from '../plan/plan.ts'
import type { Batch } from './batch.ts'
import { wordsOf } from './to-slot.ts'

/** Marks rows recorded after known-at or occurred after as-of, or without that moment; null where all are within. */
export function rowsOutside(log: LogPlan, batch: Batch): Uint8Array | null {
  if (log.knownAt === null && log.asOf === null) return null
  const outside = new Uint8Array(batch.rows)
  if (log.knownAt !== null) markLater(batch.columns[log.roles.recordedAt], log.knownAt, outside)
  if (log.asOf !== null) markLater(batch.columns[log.roles.occurredAt], log.asOf, outside)
  return outside
}

function markLater(column: Column | undefined, until: bigint, outside: Uint8Array): void {
  if (column?.kind !== 'int64') throw new Error('moments lie in an int64 column')
  const words = wordsOf(column.values)
  const untilHigh = Number(BigInt.asIntN(32, until >> 32n))
  const untilLow = Number(BigInt.asUintN(32, until))
  for (let row = 0; row < column.length; row++) {
    const high = words[2 * row + 1]!
    if (high > untilHigh || (high === untilHigh && words[2 * row]! >>> 0 > untilLow)) outside[row] = 1
  }
  if (column.validity === null) return
  for (let row = 0; row < column.length; row++) {
    if ((column.validity[row >> 3]! & (1 << (row & 7))) === 0) outside[row] = 1
  }
}
