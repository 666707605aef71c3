import { withRoom } from './grow.ts'

/** Keys, their bytes one after the other. */
export interface KeyHeap {
  readonly count: number
  readonly bytes: Uint8Array
  /** First byte of each key. */
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

/** Keys of one bucket: the first `size` of a table, each with its first word and its length in bytes. */
export interface KeyWords {
  readonly size: number
  readonly words: Int32Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

/** A heap that takes over the keys of one bucket after the other. */
export class KeyHeapBuilder {
  #count = 0
  #used = 0
  #bytes = new Uint8Array(1 << 16)
  #starts = new Int32Array(1 << 10)
  #lengths = new Int32Array(1 << 10)

  get count(): number {
    return this.#count
  }

  get heap(): KeyHeap {
    return { count: this.#count, bytes: this.#bytes, starts: this.#starts, lengths: this.#lengths }
  }

  /**
   * @param chosen By key: 1 for those to take; null for all.
   * @returns The number of the first.
   */
  add(keys: KeyWords, chosen: Uint8Array | null = null): number {
    const first = this.#count
    this.#reserve(keys)
    const bytes = new Uint8Array(keys.words.buffer, keys.words.byteOffset, keys.words.byteLength)
    for (let slot = 0; slot < keys.size; slot++) {
      if (chosen !== null && chosen[slot] === 0) continue
      const start = keys.starts[slot]! * 4
      const length = keys.lengths[slot]!
      for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = bytes[start + i]!
      this.#starts[this.#count] = this.#used
      this.#lengths[this.#count] = length
      this.#used += length
      this.#count++
    }
    return first
  }

  #reserve({ size, words }: KeyWords): void {
    this.#starts = withRoom(this.#starts, this.#count + size)
    this.#lengths = withRoom(this.#lengths, this.#count + size)
    this.#bytes = withRoom(this.#bytes, this.#used + words.byteLength, this.#used)
  }
}
