import { grown, resized } from '../columns/grow.ts'
import type { Block } from '../shuffle/block.ts'
import { KeyTable } from '../shuffle/key-table.ts'
import type { RunReader } from '../shuffle/run-reader.ts'
import { HEADER_WORDS, isSameRow, type RowLayout, rowWords } from '../view/row-layout.ts'
import { BucketStrings } from './bucket-strings.ts'

/** A bucket as it lies in blocks. */
export interface BucketSource {
  readonly blocks: readonly Block[]
  readonly bucket: number
  readonly reader: RunReader
}

/**
 * One bucket's rows, copied from all blocks consecutively, with the key slot of each. A bucket that is larger than
 * its room comes in pieces; keys keep their slots from piece to piece. Its memory is reused from bucket to bucket.
 */
export class Bucket {
  rows = 0
  words = new Int32Array(1 << 10)
  rowAt = new Int32Array(1 << 8)
  slotOf = new Int32Array(1 << 8)
  readonly table = new KeyTable(1 << 12)
  readonly layout: RowLayout
  /** Words that a piece may have; only a single row may have more. */
  readonly roomWords: number
  readonly #strings: BucketStrings
  #used = 0
  /** Where the loaded rows came from, run by run. */
  #origins: { readonly at: number; readonly block: number; readonly nth: number }[] = []
  #source: BucketSource | null = null
  /** How far the source was read: block, words and rows of its run, checksum of those words. */
  #block = 0
  #runWords = 0
  #runRows = 0
  #runSum = 0

  constructor(layout: RowLayout, roomWords: number) {
    this.layout = layout
    this.roomWords = roomWords
    this.#strings = new BucketStrings(layout)
  }

  /** By slot of the layout: the strings that codes in its rows stand for. */
  get strings(): readonly (readonly string[])[] {
    return this.#strings.texts
  }

  /** Begins a bucket, whose rows `next` loads. @returns Whether it has room in one piece. */
  open(source: BucketSource): boolean {
    this.#source = source
    this.table.clear()
    this.#block = 0
    this.#beginRun()
    const size = source.reader.wordsIn(source.bucket)
    this.#reserve(Math.min(size, this.roomWords))
    return size <= this.roomWords
  }

  /** Loads the bucket's next rows, as many as have room. False where there are no more. */
  next(): boolean {
    this.clear()
    const { blocks, bucket } = this.#source!
    while (this.#block < blocks.length) {
      const { starts } = blocks[this.#block]!
      const rest = starts[bucket + 1]! - starts[bucket]! - this.#runWords
      if (rest > 0 && !this.#loadRun(rest)) return true
      this.#block++
      this.#beginRun()
    }
    return this.rows > 0
  }

  /** Forgets the rows; keys stay. */
  clear(): void {
    this.rows = 0
    this.#used = 0
    this.#origins = []
  }

  /**
   * Takes a row that lies elsewhere: another's words, or this bucket's own of an earlier piece.
   *
   * @returns False where the row has no room.
   */
  append(words: Int32Array, at: number, slot: number): boolean {
    const length = rowWords(words, at)
    if (this.rows > 0 && this.#used + length > this.roomWords) return false
    this.#reserve(this.#used + length)
    const to = this.#used
    for (let i = 0; i < length; i++) this.words[to + i] = words[at + i]!
    if (this.rows === this.rowAt.length) this.#grow(this.rows + 1)
    this.rowAt[this.rows] = to
    this.slotOf[this.rows++] = slot
    this.#used += length
    return true
  }

  /**
   * Where the row at a word came from: its block, and which of the block's rows in this bucket it is. For a message: the
   * bucket may hold other rows afterwards.
   */
  originOf(at: number, source: BucketSource): { block: number; nth: number } {
    const origin = this.#origins.findLast((candidate) => candidate.at <= at)
    if (origin === undefined) return this.#find(this.words.slice(at, at + rowWords(this.words, at)), source)
    let nth = origin.nth
    for (let row = origin.at; row < at; row += rowWords(this.words, row)) nth++
    return { block: origin.block, nth }
  }

  /** Rows taken from elsewhere have no origin: all are read again until one is the same. */
  #find(row: Int32Array, source: BucketSource): { block: number; nth: number } {
    this.open(source)
    while (this.next()) {
      for (let i = 0; i < this.rows; i++) {
        const at = this.rowAt[i]!
        if (isSameRow(row, this.words, at)) return this.originOf(at, source)
      }
    }
    throw new Error('a row that failed is not in the bucket it was folded from')
  }

  #beginRun(): void {
    this.#runWords = 0
    this.#runRows = 0
    this.#runSum = 0
  }

  /** Loads what has room of the rest of a run. @returns Whether that was all of it. */
  #loadRun(rest: number): boolean {
    const { blocks, bucket, reader } = this.#source!
    const room = this.roomWords - this.#used
    // A run is torn only where it is the first of a piece, so that pieces end with runs if they can.
    if (rest > room && this.rows > 0) return false
    const from = this.#used
    let length = Math.min(rest, Math.max(room, HEADER_WORDS))
    const read = () => {
      this.#reserve(from + length)
      reader.copy(this.#block, bucket, this.#runWords, this.#runWords + length, this.words, from)
    }
    read()
    if (rowWords(this.words, from) > length) {
      // A row that is longer than the whole room.
      length = Math.min(rest, rowWords(this.words, from))
      read()
    }
    const end = length === rest ? from + length : this.#lastWholeRow(from, from + length)
    if (end === from) reader.refuse(this.#block, bucket)
    this.#origins.push({ at: from, block: this.#block, nth: this.#runRows })
    this.#runSum = reader.checksum(this.#block, this.words, from, end, this.#runSum)
    const isAll = end - from === rest
    if (isAll) reader.check(this.#block, bucket, this.#runSum)
    const before = this.rows
    this.#index(from, end, this.#strings.codesOf(blocks[this.#block]!))
    this.#used = end
    this.#runWords += end - from
    this.#runRows += this.rows - before
    return isAll
  }

  /** The word after the last row that ends at or before `to`. */
  #lastWholeRow(from: number, to: number): number {
    let at = from
    while (at + 1 < to) {
      const length = rowWords(this.words, at)
      // A row this short isn't what was written; the checksum, which comes with the last piece, would be too late.
      if (length < this.layout.fixedWords) return from
      if (at + length > to) break
      at += length
    }
    return at
  }

  /** Finds each row and its key's slot; writes codes of the bucket in place of the block's. */
  #index(from: number, to: number, remap: readonly (Int32Array | null)[]): void {
    const { words, table } = this
    const { fixedWords, slots } = this.layout
    // A row has at least its fixed words.
    const most = this.rows + Math.ceil((to - from) / fixedWords)
    if (most > this.rowAt.length) this.#grow(most)
    const row = table.indexRows(words, from, to, fixedWords, this.rows, this.rowAt, this.slotOf)
    for (let index = 0; index < remap.length; index++) {
      const codes = remap[index]
      if (codes === null || codes === undefined) continue
      const word = slots[index]!.word
      for (let i = this.rows; i < row; i++) {
        const code = words[this.rowAt[i]! + word]!
        if (code >= 0) words[this.rowAt[i]! + word] = codes[code]!
      }
    }
    this.rows = row
  }

  /** Makes room for words, keeping those there are. */
  #reserve(words: number): void {
    if (words <= this.words.length) return
    this.words = resized(this.words, Math.max(words, Math.min(this.words.length * 2, this.roomWords)), this.#used)
  }

  #grow(rows: number): void {
    this.rowAt = grown(this.rowAt, rows)
    this.slotOf = grown(this.slotOf, rows)
  }
}
