/** The rows of each key, in order: those of slot s are `rows[starts[s] … starts[s + 1])`. */
export interface RowsBySlot {
  readonly starts: Int32Array
  readonly rows: Int32Array
}

export function rowsBySlot(slotOf: Int32Array, count: number, slots: number): RowsBySlot {
  const starts = new Int32Array(slots + 1)
  for (let row = 0; row < count; row++) starts[slotOf[row]! + 1]!++
  for (let slot = 0; slot < slots; slot++) starts[slot + 1]! += starts[slot]!
  const cursors = starts.slice()
  const rows = new Int32Array(count)
  for (let row = 0; row < count; row++) rows[cursors[slotOf[row]!]!++] = row
  return { starts, rows }
}
