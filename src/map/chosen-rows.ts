import type { ReadMemory } from '../parquet/read-memory.ts'
import type { Batch } from '../scan/event-batch.ts'
import type { BatchTypes } from '../scan/types.ts'

/** Rows of a batch that are mapped together: neither duplicates nor outside the requested moments. */
export interface ChosenRows {
  readonly batch: Batch
  readonly rows: Int32Array
  readonly types: BatchTypes
  /** By local type code: the group's code. */
  readonly codeOf: Uint16Array
}

/** Those rows whose type is marked. */
export function selectRows(rows: Int32Array, codes: Int32Array, isWanted: Uint8Array, memory: ReadMemory): Int32Array {
  if (isWanted.every((flag) => flag === 1)) return rows
  const selected = memory.int32(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) if (isWanted[codes[rows[i]!]!] === 1) selected[count++] = rows[i]!
  return selected.subarray(0, count)
}

/** The events that rows were made of. Rows of one event are next to each other. */
export function countDistinct(rows: Int32Array, origin: Int32Array | null, include?: (row: number) => boolean): number {
  if (include === undefined && origin === null) return rows.length
  let count = 0
  let last = -1
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (include !== undefined && !include(row)) continue
    const event = origin === null ? row : origin[row]!
    if (event !== last) count++
    last = event
  }
  return count
}

export function distinctEvents(
  rows: Int32Array,
  origin: Int32Array | null,
  include: (row: number) => boolean,
): ReadonlySet<number> {
  const events = new Set<number>()
  for (const row of rows) if (include(row)) events.add(origin === null ? row : origin[row]!)
  return events
}
