import type { Block } from '../shuffle/block.ts'
import type { BlockReader } from '../shuffle/block-memory.ts'
import { grown, KeyTable } from '../shuffle/key-table.ts'
import { stringStart } from '../view/event-source.ts'
import { stringsOf } from '../view/fold.ts'
import type { RowLayout } from '../view/row-layout.ts'

/**
 * One bucket's rows, copied from all blocks behind each other, with the key slot of each. Its memory is reused from
 * bucket to bucket.
 */
export class Bucket {
  rows = 0
  words = new Int32Array(1 << 16)
  rowAt = new Int32Array(1 << 12)
  slotOf = new Int32Array(1 << 12)
  readonly table = new KeyTable(1 << 12)
  /** By slot of the layout: the strings that codes stand for, of all blocks together. */
  readonly strings: string[][]
  /** By block: its first word in this bucket. */
  readonly blockStarts: number[] = []
  readonly #layout: RowLayout
  readonly #codes: Map<string, number>[]
  readonly #remaps = new Map<string, (Int32Array | null)[]>()

  constructor(layout: RowLayout) {
    this.#layout = layout
    this.strings = layout.slots.map(() => [])
    this.#codes = layout.slots.map(() => new Map())
  }

  load(blocks: readonly Block[], bucket: number, reader: BlockReader): void {
    let size = 0
    for (const { starts, firstBucket } of blocks)
      size += starts[bucket - firstBucket + 1]! - starts[bucket - firstBucket]!
    if (size > this.words.length) this.words = new Int32Array(Math.max(size, this.words.length * 2))
    this.rows = 0
    this.table.clear()
    this.blockStarts.length = 0
    let at = 0
    for (const block of blocks) {
      const from = block.starts[bucket - block.firstBucket]!
      const to = block.starts[bucket - block.firstBucket + 1]!
      this.blockStarts.push(at)
      if (from === to) continue
      reader.copy(block.words, from, to, bucket - block.firstBucket, this.words, at)
      this.#index(at, at + to - from, this.#remapOf(block))
      at += to - from
    }
  }

  /** Finds each row and its key's slot; writes codes of the bucket in place of the block's. */
  #index(from: number, to: number, remap: readonly (Int32Array | null)[]): void {
    const { words, table } = this
    const { fixedWords, slots } = this.#layout
    // A row has its fixed words at the least.
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

  /** Where the row at a word came from: its block, and which of the block's rows in this bucket it is. */
  originOf(at: number): { block: number; nth: number } {
    let block = 0
    while (block + 1 < this.blockStarts.length && this.blockStarts[block + 1]! <= at) block++
    let nth = 0
    for (let row = this.blockStarts[block]!; row < at; row += this.words[row + 1]!) nth++
    return { block, nth }
  }

  #grow(rows: number): void {
    this.rowAt = grown(this.rowAt, rows)
    this.slotOf = grown(this.slotOf, rows)
  }

  #remapOf(block: Block): (Int32Array | null)[] {
    const name = `${block.split}:${block.ordinal}`
    const known = this.#remaps.get(name)
    if (known !== undefined) return known
    const remap = block.strings.map((strings, index) => {
      if (strings === null) return null
      const codes = this.#codes[index]!
      return Int32Array.from(stringsOf(strings), (text) => {
        let code = codes.get(text)
        if (code === undefined) {
          code = this.strings[index]!.length
          this.strings[index]!.push(text)
          codes.set(text, code)
        }
        return code
      })
    })
    this.#remaps.set(name, remap)
    return remap
  }
}

/** Compares two packed rows by the log's order: negative, zero or positive. */
export type CompareRows = (
  words: Int32Array,
  bytes: Uint8Array,
  strings: readonly (readonly string[])[],
  a: number,
  b: number,
) => number

/** @param order Indexes of the layout's slots, most significant first. Integers and strings (by UTF-8 bytes). */
export function compileCompare(layout: RowLayout, order: readonly number[]): CompareRows {
  const steps = order.map((index) => {
    const { word, storage } = layout.slots[index]!
    const field = (row: string, more = 0) => `w[${row} + ${word + more}]`
    if (storage === 'i32' || storage === 'bool')
      return `if (${field('a')} !== ${field('b')}) return ${field('a')} < ${field('b')} ? -1 : 1;`
    if (storage === 'i64') {
      return `if (${field('a', 1)} !== ${field('b', 1)}) return ${field('a', 1)} < ${field('b', 1)} ? -1 : 1;
if (${field('a')} !== ${field('b')}) return (${field('a')} >>> 0) < (${field('b')} >>> 0) ? -1 : 1;`
    }
    const text = (row: string) =>
      `(${field(row)} >= 0 ? Buffer.from(strings[${index}][${field(row)}]) : bytes.subarray(${stringStart(layout, index, row)}, ${stringStart(layout, index, row)} - 1 - ${field(row)}))`
    return `{ const order = Buffer.compare(${text('a')}, ${text('b')}); if (order !== 0) return order; }`
  })
  return new Function('w', 'bytes', 'strings', 'a', 'b', `'use strict'; ${steps.join('\n')} return 0;`) as CompareRows
}
