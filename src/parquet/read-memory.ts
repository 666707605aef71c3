/**
 * Where columns are decoded to. New memory costs more than what is written to it: each page of it is first mapped and
 * zeroed, and all of it brings the next garbage collection closer.
 */
export interface ReadMemory {
  /** Room for bytes, whose contents are undefined. */
  bytes(length: number): Uint8Array
  uint16(length: number): Uint16Array
  int32(length: number): Int32Array
  int64(length: number): BigInt64Array
  float64(length: number): Float64Array
}

/** Memory of its own for each column: for columns that are kept. */
export const newMemory: ReadMemory = {
  bytes: (length) => new Uint8Array(length),
  uint16: (length) => new Uint16Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  float64: (length) => new Float64Array(length),
}

/** More isn't held on to between two batches. */
const HELD_BYTES_MAX = 2 ** 28

/** A cache line, and as wide as any SIMD register. */
const ALIGNMENT = 64

/**
 * One block of memory, used again for each batch of columns. It grows to what the batches before needed; what does
 * not fit is allocated.
 */
export class BatchMemory implements ReadMemory {
  #block = new ArrayBuffer(0)
  #used = 0
  #wanted = 0
  readonly #heldMax: number

  /** @param heldMax Bytes that are held at most. */
  constructor(heldMax = HELD_BYTES_MAX) {
    this.#heldMax = heldMax
  }

  /** Begins a new batch: all that was given out before is overwritten from now on. */
  reset(): void {
    const size = Math.min(this.#heldMax, Math.ceil(this.#wanted * 1.125))
    if (this.#wanted > this.#block.byteLength && size > this.#block.byteLength) {
      // The old block goes first, so that there are never both.
      this.#block = new ArrayBuffer(0)
      this.#block = new ArrayBuffer(size)
    }
    this.#used = 0
    this.#wanted = 0
  }

  /** Holds on to nothing. */
  release(): void {
    this.#block = new ArrayBuffer(0)
    this.#used = 0
    this.#wanted = 0
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return at < 0 ? new Uint8Array(length) : new Uint8Array(this.#block, at, length)
  }

  uint16(length: number): Uint16Array {
    const at = this.#take(length * 2)
    return at < 0 ? new Uint16Array(length) : new Uint16Array(this.#block, at, length)
  }

  int32(length: number): Int32Array {
    const at = this.#take(length * 4)
    return at < 0 ? new Int32Array(length) : new Int32Array(this.#block, at, length)
  }

  int64(length: number): BigInt64Array {
    const at = this.#take(length * 8)
    return at < 0 ? new BigInt64Array(length) : new BigInt64Array(this.#block, at, length)
  }

  float64(length: number): Float64Array {
    const at = this.#take(length * 8)
    return at < 0 ? new Float64Array(length) : new Float64Array(this.#block, at, length)
  }

  /** @returns Where in the block the bytes begin; −1 where it has no room for them. */
  #take(bytes: number): number {
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
    const at = this.#used
    this.#wanted += size
    if (at + size > this.#block.byteLength) return -1
    this.#used = at + size
    return at
  }
}
