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
 * Rows are consecutive and hold all they need, so that a bucket is read from front to back.
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

/** The header of the row that begins at word `at`: nothing else reads or writes these words. */
export function hashOf(words: Int32Array, at: number): number {
  return words[at]!
}

/** A row that waits to be sorted has its key's slot where its hash was. */
export function putSlot(words: Int32Array, at: number, slot: number): void {
  words[at] = slot
}

export function slotIn(words: Int32Array, at: number): number {
  return words[at]!
}

/** Whether two rows are the same but for their hash, for which there may be a slot. */
export function isSameRow(row: Int32Array, words: Int32Array, at: number): boolean {
  return row.every((word, index) => index === 0 || words[at + index] === word)
}

export function rowWords(words: Int32Array, at: number): number {
  return words[at + 1]!
}

export function typeCodeOf(words: Int32Array, at: number): number {
  return words[at + 2]! & TYPE_CODE_MAX
}

/** Length of the row's key, in bytes. */
export function keyLengthOf(words: Int32Array, at: number): number {
  return words[at + 2]! >>> 16
}

/** Header and null bits in the source of generated functions: `words` and `at` are expressions. */
export const rowSource = {
  /** Statements that write a header. */
  writeHeader: (words: string, at: string, of: { hash: string; size: string; typeCode: string; keyLength: string }) =>
    `${words}[${at}] = ${of.hash}; ${words}[${at} + 1] = ${of.size}; ${words}[${at} + 2] = ${of.typeCode} | (${of.keyLength} << 16);`,
  typeCode: (words: string, at: string) => `(${words}[${at} + 2] & ${TYPE_CODE_MAX})`,
  keyLength: (words: string, at: string) => `(${words}[${at} + 2] >>> 16)`,
  /** The word that has the null bits `32 * index … 32 * index + 31`. */
  nullWord: (words: string, at: string, index: number) => `${words}[${at} + ${HEADER_WORDS + index}]`,
} as const

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
