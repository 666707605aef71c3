import { TIE } from '../model/order.ts'
import type { Bucket } from './bucket.ts'
import type { CompareRows } from './compare-rows.ts'

/**
 * Puts every key's rows in the log's order. Logs mostly are in order already, so keys are checked first and only the
 * rows of those that are not are moved, among the places those rows have. Rows that compare equal keep their places.
 *
 * Of such a key, the rows that don't belong before an earlier row are in order as they are. Only the
 * others, mostly few, are sorted; then the two are merged.
 *
 * @returns By slot: 1 for each key with rows that nothing declared tells apart; null where there is none. Rows that are
 * neighbours at last were compared, whatever way they were sorted.
 */
export function orderRows(bucket: Bucket, compare: CompareRows): Uint8Array | null {
  const { rows, rowAt, slotOf, words, strings, table } = bucket
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  const last = new Int32Array(table.size).fill(-1)
  const disordered = new Uint8Array(table.size)
  const late = new Uint8Array(rows)
  let lateCount = 0
  let tied: Uint8Array | null = null
  const noteTie = (slot: number) => {
    tied ??= new Uint8Array(table.size)
    tied[slot] = 1
  }
  for (let i = 0; i < rows; i++) {
    const slot = slotOf[i]!
    const at = rowAt[i]!
    const before = last[slot]!
    const found = before < 0 ? -1 : compare(words, bytes, strings, before, at)
    if (found === TIE || found === -TIE) noteTie(slot)
    if (found > 0) {
      disordered[slot] = 1
      late[i] = 1
      lateCount++
    } else {
      last[slot] = at
    }
  }
  if (lateCount === 0) return tied
  const { places, starts } = placesBySlot(bucket, disordered)
  const order = (a: number, b: number) => {
    const found = compare(words, bytes, strings, rowAt[a]!, rowAt[b]!)
    if (found === TIE || found === -TIE) noteTie(slotOf[a]!)
    return found || a - b
  }
  const sorted = new Int32Array(places.length)
  for (let slot = 0; slot < table.size; slot++) {
    if (disordered[slot] === 1)
      sortKey(places.subarray(starts[slot]!, starts[slot + 1]!), late, order, sorted, starts[slot]!)
  }
  for (let i = 0; i < sorted.length; i++) sorted[i] = rowAt[sorted[i]!]!
  for (let i = 0; i < sorted.length; i++) rowAt[places[i]!] = sorted[i]!
  return tied
}

/**
 * The places of each key's rows, in their current order: those of slot s are `places[starts[s] … starts[s + 1])`.
 *
 * @param chosen By slot: 1 for the keys whose rows are wanted; null where all are.
 */
export function placesBySlot(bucket: Bucket, chosen: Uint8Array | null): { places: Int32Array; starts: Int32Array } {
  const { rows, slotOf, table } = bucket
  const starts = new Int32Array(table.size + 1)
  for (let i = 0; i < rows; i++) if (chosen === null || chosen[slotOf[i]!] === 1) starts[slotOf[i]! + 1]!++
  for (let slot = 0; slot < table.size; slot++) starts[slot + 1]! += starts[slot]!
  const cursors = starts.slice()
  const places = new Int32Array(starts[table.size]!)
  for (let i = 0; i < rows; i++) if (chosen === null || chosen[slotOf[i]!] === 1) places[cursors[slotOf[i]!]!++] = i
  return { places, starts }
}

/** Writes one key's places to `sorted` from `to` on, in the order of their rows. */
function sortKey(
  places: Int32Array,
  late: Uint8Array,
  order: (a: number, b: number) => number,
  sorted: Int32Array,
  to: number,
): void {
  const moved = places.filter((place) => late[place] === 1).sort(order)
  let next = 0
  let at = to
  for (const place of places) {
    if (late[place] === 1) continue
    while (next < moved.length && order(moved[next]!, place) < 0) sorted[at++] = moved[next++]!
    sorted[at++] = place
  }
  while (next < moved.length) sorted[at++] = moved[next++]!
}
