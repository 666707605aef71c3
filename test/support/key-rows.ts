import type { KeyTable } from '../../src/shuffle/key-table.ts'
import { HEADER_WORDS } from '../../src/view/row-layout.ts'

/**
 * The slot of a key as a bucket finds it: by a packed row that holds nothing else.
 *
 * @param words The key's bytes, the last word padded with zeros.
 */
export function slotOfRow(table: KeyTable, words: Int32Array, length: number, hash: number): number {
  const key = words.subarray(0, (length + 3) >> 2)
  const row = Int32Array.of(hash, HEADER_WORDS + key.length, length << 16, ...key)
  const slots = new Int32Array(1)
  table.indexRows(row, 0, row.length, HEADER_WORDS, 0, new Int32Array(1), slots)
  return slots[0]!
}
