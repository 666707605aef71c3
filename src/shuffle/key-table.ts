import { grown } from '../columns/grow.ts'
import { hashOf, keyLengthOf, rowWords } from '../view/row-layout.ts'

/** Words in front of a key in the heap: its slot and its length in bytes. */
const HEADER_WORDS = 2

/**
 * Maps keys (bytes) to dense slots 0, 1, 2 … in the order they are first seen. Open addressing with linear probing over
 * a power-of-two table. An entry is a key's hash, and where the key lies in the heap, after its slot and length; its
 * bytes are padded to whole 32-bit words, so that two keys are compared word by word. A look-up thus touches two lines of
 * the CPU's cache, which is most of what it costs where the keys don't fit that cache.
 */
export class KeyTable {
  /** Number of keys. */
  size = 0
  /** Hash of each slot's key. */
  hashes: Int32Array
  /** First word of each slot's key in `words`. */
  starts: Int32Array
  /** Length of each slot's key in bytes. */
  lengths: Int32Array
  /** The heap of keys. */
  words: Int32Array
  // The heap begins with a word that is no key, so that 0 is an entry that is free.
  #used = 1
  /** Two words an entry: hash, and first word of the key's header in the heap. */
  #table: Int32Array
  /** Of the table's words, those at which an entry begins. */
  #mask: number

  constructor(expectedKeys = 1024) {
    const capacity = Math.max(16, 2 ** Math.ceil(Math.log2(expectedKeys)))
    this.hashes = new Int32Array(capacity)
    this.starts = new Int32Array(capacity)
    this.lengths = new Int32Array(capacity)
    this.words = new Int32Array(capacity * 6)
    this.#table = new Int32Array(capacity * 4)
    this.#mask = capacity * 4 - 2
  }

  /** Forgets all keys; keeps the memory. */
  clear(): void {
    this.size = 0
    this.#used = 1
    this.#table.fill(0)
  }

  /**
   * Goes through consecutive packed rows: notes where each begins, and its key's slot.
   *
   * @param row Number of the first of them; `rowAt` and `slotOf` must have room for all.
   * @returns Number of the row after the last.
   */
  indexRows(
    words: Int32Array,
    from: number,
    to: number,
    fixedWords: number,
    row: number,
    rowAt: Int32Array,
    slotOf: Int32Array,
  ): number {
    let table = this.#table
    let mask = this.#mask
    let heap = this.words
    for (let at = from; at < to; at += rowWords(words, at)) {
      const hash = hashOf(words, at)
      const length = keyLengthOf(words, at)
      const key = at + fixedWords
      let place = (hash << 1) & mask
      let slot = -1
      for (let entry = table[place + 1]!; entry !== 0; entry = table[place + 1]!) {
        if (table[place] === hash && heap[entry + 1] === length) {
          const first = entry + HEADER_WORDS
          const count = (length + 3) >> 2
          let same = 0
          while (same < count && heap[first + same] === words[key + same]) same++
          if (same === count) {
            slot = heap[entry]!
            break
          }
        }
        place = (place + 2) & mask
      }
      if (slot < 0) {
        slot = this.#insert(place, words, key, length, hash)
        table = this.#table
        mask = this.#mask
        heap = this.words
      }
      rowAt[row] = at
      slotOf[row] = slot
      row++
    }
    return row
  }

  /**
   * The slots of keys whose bytes lie where they were read: key i is `data[starts[i] … + lengths[i])`.
   *
   * @param slots Gets them; has room for `count`.
   */
  slotsOf(
    data: Uint8Array,
    keyStarts: Int32Array,
    keyLengths: Int32Array,
    keyHashes: Int32Array,
    count: number,
    slots: Int32Array,
  ): void {
    const bytes = new DataView(data.buffer, data.byteOffset, data.byteLength)
    let table = this.#table
    let mask = this.#mask
    let heap = this.words
    for (let i = 0; i < count; i++) {
      const hash = keyHashes[i]!
      const length = keyLengths[i]!
      const start = keyStarts[i]!
      const whole = length >> 2
      let place = (hash << 1) & mask
      let slot = -1
      for (let entry = table[place + 1]!; entry !== 0; entry = table[place + 1]!) {
        if (table[place] === hash && heap[entry + 1] === length) {
          const first = entry + HEADER_WORDS
          let same = 0
          while (same < whole && heap[first + same] === bytes.getInt32(start + same * 4, true)) same++
          if (same === whole && ((length & 3) === 0 || heap[first + whole] === restOf(data, start, length))) {
            slot = heap[entry]!
            break
          }
        }
        place = (place + 2) & mask
      }
      if (slot < 0) {
        slot = this.#insert(place, paddedWords(bytes, data, start, length), 0, length, hash)
        table = this.#table
        mask = this.#mask
        heap = this.words
      }
      slots[i] = slot
    }
  }

  #insert(at: number, words: Int32Array, start: number, length: number, hash: number): number {
    const slot = this.size
    if (slot === this.hashes.length) {
      this.#grow()
      at = this.#freePlace(hash)
    }
    const count = (length + 3) >> 2
    const entry = this.#used
    const end = entry + HEADER_WORDS + count
    if (end > this.words.length) this.words = grown(this.words, end)
    const heap = this.words
    heap[entry] = slot
    heap[entry + 1] = length
    const first = entry + HEADER_WORDS
    for (let i = 0; i < count; i++) heap[first + i] = words[start + i]!
    this.hashes[slot] = hash
    this.starts[slot] = first
    this.lengths[slot] = length
    this.#table[at] = hash
    this.#table[at + 1] = entry
    this.#used = end
    this.size = slot + 1
    return slot
  }

  #freePlace(hash: number): number {
    let at = (hash << 1) & this.#mask
    while (this.#table[at + 1] !== 0) at = (at + 2) & this.#mask
    return at
  }

  #grow(): void {
    const capacity = this.hashes.length * 2
    this.hashes = grown(this.hashes, capacity)
    this.starts = grown(this.starts, capacity)
    this.lengths = grown(this.lengths, capacity)
    this.#table = new Int32Array(capacity * 4)
    this.#mask = capacity * 4 - 2
    for (let slot = 0; slot < this.size; slot++) {
      const at = this.#freePlace(this.hashes[slot]!)
      this.#table[at] = this.hashes[slot]!
      this.#table[at + 1] = this.starts[slot]! - HEADER_WORDS
    }
  }
}

/** The bytes after a key's whole words as the key's last word, padded with zeros. */
function restOf(data: Uint8Array, start: number, length: number): number {
  let rest = 0
  for (let at = start + (length & ~3), shift = 0; at < start + length; at++, shift += 8) rest |= data[at]! << shift
  return rest
}

let padded = new Int32Array(16)

/** A key's bytes as words; valid until the next call. */
function paddedWords(bytes: DataView, data: Uint8Array, start: number, length: number): Int32Array {
  const whole = length >> 2
  if (whole + 1 > padded.length) padded = new Int32Array(whole * 2)
  for (let i = 0; i < whole; i++) padded[i] = bytes.getInt32(start + i * 4, true)
  if ((length & 3) > 0) padded[whole] = restOf(data, start, length)
  return padded
}
