import type { GatheredRows } from '../columns/gather.ts'
import type { Batch } from '../scan/event-batch.ts'

/** Some of a batch's events and the numbers of their keys. */
export interface KeyedEvents {
  readonly batch: Batch
  readonly rows: Int32Array
  readonly slots: Int32Array
  readonly typeCodes: Uint16Array
}

/** The events of keys that don't wait. @param waits By key: 1 where it does. */
export function withoutWaiting({ batch, rows, slots, typeCodes }: KeyedEvents, waits: Uint8Array): KeyedEvents {
  const keptRows = new Int32Array(rows.length)
  const keptSlots = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    if (waits[slots[i]!] === 1) continue
    keptRows[count] = rows[i]!
    keptSlots[count++] = slots[i]!
  }
  return { batch, rows: keptRows.subarray(0, count), slots: keptSlots.subarray(0, count), typeCodes }
}

/** All events of chosen keys, in the order in which they were read. @param chosen By key: 1 where it is. */
export function gatherKeys(
  events: readonly KeyedEvents[],
  chosen: Uint8Array,
): { gathered: GatheredRows; slots: Int32Array; typeCodes: Uint16Array } {
  let count = 0
  for (const { slots } of events) for (let i = 0; i < slots.length; i++) count += chosen[slots[i]!]!
  const gathered = { count, batches: new Int32Array(count), rows: new Int32Array(count) }
  const keys = new Int32Array(count)
  const codes = new Uint16Array(count)
  let at = 0
  for (const [batch, { rows, slots, typeCodes }] of events.entries()) {
    for (let i = 0; i < slots.length; i++) {
      if (chosen[slots[i]!] === 0) continue
      gathered.batches[at] = batch
      gathered.rows[at] = rows[i]!
      keys[at] = slots[i]!
      codes[at++] = typeCodes[rows[i]!]!
    }
  }
  return { gathered, slots: keys, typeCodes: codes }
}
