import type { Bucket, CompareRows } from './bucket.ts'

/**
 * Puts every key's rows in the log's order. Logs mostly are in order already, so keys are looked at first and only the
 * rows of those that are not are sorted, among the places those rows have. Rows that compare equal keep their places.
 */
export function orderRows(bucket: Bucket, compare: CompareRows): void {
  const { rows, rowAt, slotOf, words, strings, table } = bucket
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  const last = new Int32Array(table.size).fill(-1)
  const disordered = new Uint8Array(table.size)
  let any = false
  for (let i = 0; i < rows; i++) {
    const slot = slotOf[i]!
    const at = rowAt[i]!
    const before = last[slot]!
    if (before >= 0 && compare(words, bytes, strings, before, at) > 0) {
      disordered[slot] = 1
      any = true
    } else {
      last[slot] = at
    }
  }
  if (!any) return
  const places: number[] = []
  for (let i = 0; i < rows; i++) if (disordered[slotOf[i]!] === 1) places.push(i)
  const bySlot = Int32Array.from(places).sort((a, b) => slotOf[a]! - slotOf[b]! || a - b)
  const sorted = Int32Array.from(places).sort(
    (a, b) => slotOf[a]! - slotOf[b]! || compare(words, bytes, strings, rowAt[a]!, rowAt[b]!) || a - b,
  )
  const moved = sorted.map((place) => rowAt[place]!)
  bySlot.forEach((place, i) => {
    rowAt[place] = moved[i]!
  })
}
