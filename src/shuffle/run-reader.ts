import { crc32 } from 'node:zlib'
import { OutputError } from '../model/errors.ts'
import type { ReadableFile, Store } from '../storage/store.ts'
import type { BlockWords } from './block-memory.ts'

/** Words in runs, one a bucket. */
export interface Runs {
  readonly words: BlockWords
  /** First word of each bucket, and the end of the last. */
  readonly starts: Int32Array
}

/** Files that a reader keeps open at once: each task that spilled has one, and a process may open only some hundred. */
const OPEN_FILES_MAX = 128

/**
 * Reads buckets of blocks, wherever they lie, one bucket after the other. The runs of neighbouring buckets are neighbours
 * in a spill file, so those of as many buckets as there is room for are read at once.
 */
export class RunReader {
  readonly #blocks: readonly Runs[]
  readonly #files: Store
  readonly #opened = new Map<string, ReadableFile>()
  readonly #until: number
  readonly #roomWords: number
  /** Buckets of the window, and what of each block lies in it from which word on. */
  #windowFrom = 0
  #windowTo = 0
  #windowHolds = false
  #window = new Int32Array(0)
  readonly #windowAt: Float64Array

  /**
   * @param until The bucket after the last that will be read.
   * @param roomWords Words that may be read ahead.
   */
  constructor(blocks: readonly Runs[], until: number, roomWords: number, files: Store) {
    this.#blocks = blocks
    this.#files = files
    this.#until = until
    this.#roomWords = roomWords
    this.#windowAt = new Float64Array(blocks.length)
  }

  /** Words of a bucket in all blocks. */
  wordsIn(bucket: number): number {
    let words = 0
    for (const { starts } of this.#blocks) words += starts[bucket + 1]! - starts[bucket]!
    return words
  }

  /**
   * Copies words of a block to `target[at]`.
   *
   * @param from First word, within the block's run of the bucket; so is `to`.
   */
  copy(block: number, bucket: number, from: number, to: number, target: Int32Array, at: number): void {
    const { words, starts } = this.#blocks[block]!
    const first = starts[bucket]! + from
    if (words.kind === 'memory') {
      target.set(words.words.subarray(first, starts[bucket]! + to), at)
      return
    }
    if (bucket < this.#windowFrom || bucket >= this.#windowTo) this.#readAhead(bucket)
    if (this.#windowHolds) {
      const start = this.#windowAt[block]! + first - starts[this.#windowFrom]!
      target.set(this.#window.subarray(start, start + to - from), at)
    } else {
      this.#read(words, first, bytesOf(target, at, at + to - from))
    }
  }

  /**
   * Continues the checksum of a block's run.
   *
   * @param sum Of the words before; 0 at the run's first.
   */
  checksum(block: number, words: Int32Array, from: number, to: number, sum: number): number {
    return this.#blocks[block]!.words.kind === 'memory' ? 0 : crc32(bytesOf(words, from, to), sum)
  }

  /** Refuses a run that isn't as it was written. */
  check(block: number, bucket: number, sum: number): void {
    const { words } = this.#blocks[block]!
    if (words.kind === 'file' && (sum | 0) !== words.checksums[bucket]) this.refuse(block, bucket)
  }

  /** @throws OutputError that says which bytes aren't as they were written. */
  refuse(block: number, bucket: number): never {
    const { words, starts } = this.#blocks[block]!
    if (words.kind === 'memory') throw new Error(`the rows of bucket ${bucket} of a block in memory are damaged`)
    const [from, to] = [starts[bucket]!, starts[bucket + 1]!].map((word) => words.byteOffset + word * 4)
    throw new OutputError(
      `Cannot read back what was spilled to ${words.path}: expected bytes ${from} to ${to} as they were written, found others. Something else wrote to the file, or the disk is failing.`,
      { file: words.path },
    )
  }

  close(): void {
    for (const file of this.#opened.values()) file.close()
    this.#opened.clear()
  }

  /** Fills the window from `bucket` on; it holds nothing where not even that bucket has room. */
  #readAhead(bucket: number): void {
    let to = bucket
    let words = 0
    for (; to < this.#until; to++) {
      const more = this.#spilledWords(to)
      if (words + more > this.#roomWords) break
      words += more
    }
    this.#windowFrom = bucket
    this.#windowTo = Math.max(to, bucket + 1)
    this.#windowHolds = to > bucket
    if (words > this.#window.length) this.#window = new Int32Array(Math.min(this.#roomWords, Math.ceil(words * 1.25)))
    if (!this.#windowHolds) return
    let at = 0
    for (const [index, block] of this.#blocks.entries()) {
      if (block.words.kind === 'memory') continue
      const first = block.starts[bucket]!
      const length = block.starts[to]! - first
      this.#windowAt[index] = at
      if (length > 0) this.#read(block.words, first, bytesOf(this.#window, at, at + length))
      at += length
    }
  }

  #spilledWords(bucket: number): number {
    let words = 0
    for (const block of this.#blocks)
      if (block.words.kind === 'file') words += block.starts[bucket + 1]! - block.starts[bucket]!
    return words
  }

  #read(words: Extract<BlockWords, { kind: 'file' }>, first: number, target: Uint8Array): void {
    this.#open(words.path).readInto(words.byteOffset + first * 4, target)
  }

  #open(path: string): ReadableFile {
    const known = this.#opened.get(path)
    if (known !== undefined) return known
    if (this.#opened.size === OPEN_FILES_MAX) {
      // Blocks are read in turn, so the one that was opened first comes again last.
      const [oldest, file] = this.#opened.entries().next().value!
      file.close()
      this.#opened.delete(oldest)
    }
    const file = this.#files.openForReading(path)
    this.#opened.set(path, file)
    return file
  }
}

function bytesOf(words: Int32Array, from: number, to: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + from * 4, (to - from) * 4)
}
