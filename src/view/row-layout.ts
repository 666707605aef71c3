import type { Slot } from '../model/slots.ts'

/**
 * A packed row is one event on its way to one key, as 32-bit words:
 *
 *     0                    hash of the key
 *     1                    words in this row
 *     2                    type code (low 16 bits), length of the key in bytes (high 16 bits)
 *     3 … 3+nullWords      one bit a slot that may be null, set where it is
 *     …    fixedWords      the slots, in layout order
 *     fixedWords …         the key's bytes, padded with zeros to whole words
 *     …                    bytes of the strings that have no code, in slot order, padded at the end
 *
 * Rows stand one behind the other and hold all they need, so that a bucket is read from front to back.
 */
export interface RowLayout {
  readonly slots: readonly PackedSlot[]
  readonly nullWords: number
  readonly fixedWords: number
}

export interface PackedSlot extends Slot {
  /** First word of the slot in a row. */
  readonly word: number
  /** Index of the slot's null bit, or −1 where it can't be null. */
  readonly nullBit: number
}

export const HEADER_WORDS = 3
export const KEY_BYTES_MAX = 0xffff
export const TYPE_CODE_MAX = 0xffff

export function layoutRows(slots: readonly Slot[]): RowLayout {
  const nullable = slots.filter((slot) => slot.mayBeNull).length
  const nullWords = (nullable + 31) >> 5
  let word = HEADER_WORDS + nullWords
  let nullBit = 0
  const packed = slots.map((slot): PackedSlot => {
    const at = word
    word += slot.storage === 'i64' || slot.storage === 'f64' ? 2 : 1
    return { ...slot, word: at, nullBit: slot.mayBeNull ? nullBit++ : -1 }
  })
  return { slots: packed, nullWords, fixedWords: word }
}
