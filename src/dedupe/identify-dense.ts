import { wordsOf } from '../columns/slot-column.ts'
import { InputError } from '../model/errors.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import { readBatch } from '../scan/batch.ts'
import type { SplitMembers } from './duplicates.ts'

/**
 * Finding duplicates among ids that are integers close to each other, as positions in a log are: one bit an id, shared
 * by all threads. A bit that was set already marks a repeated id; where there are any, a second pass over the ids finds
 * all rows that have one. The bitmap of ten million ids fits a CPU's cache; hashing them would not.
 */
export interface DenseIds {
  readonly min: bigint
  /** Bits of the bitmap: the largest id less the smallest, plus one. */
  readonly span: number
}

export function newBitmap(span: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Math.ceil(span / 32) * 4))
}

/** Of the two bitmaps: of all ids, and of those that are repeated. */
export function bytesForBitmaps({ span }: DenseIds): number {
  return 2 * Math.ceil(span / 32) * 4
}

/** Marks a split's ids. @returns Those that were marked before, less the smallest id. */
export function markIds(
  log: LogPlan,
  split: number,
  dense: DenseIds,
  bitmap: Int32Array,
  open: (file: FilePlan) => ParquetFile,
): Float64Array {
  const repeated: number[] = []
  visitIds(log, split, dense, open, (offsets) => markAll(offsets, bitmap, repeated))
  return Float64Array.from(repeated)
}

function markAll(offsets: Float64Array, bitmap: Int32Array, repeated: number[]): void {
  for (let row = 0; row < offsets.length; row++) {
    const offset = offsets[row]!
    const bit = 1 << (offset & 31)
    if ((Atomics.or(bitmap, Math.floor(offset / 32), bit) & bit) !== 0) repeated.push(offset)
  }
}

/** Rows of a split whose ids are in the bitmap: two numbers a row: id less the smallest, row in the split. */
export function collectRows(
  log: LogPlan,
  split: number,
  dense: DenseIds,
  bitmap: Int32Array,
  open: (file: FilePlan) => ParquetFile,
): Float64Array {
  const found: number[] = []
  let first = 0
  visitIds(log, split, dense, open, (offsets) => {
    for (let row = 0; row < offsets.length; row++) {
      const offset = offsets[row]!
      if ((bitmap[Math.floor(offset / 32)]! & (1 << (offset & 31))) !== 0) found.push(offset, first + row)
    }
    first += offsets.length
  })
  return Float64Array.from(found)
}

/**
 * The members of each split, from what `collectRows` gave for it. The number of a set is that of its id among the
 * bitmap's.
 */
export function membersOf(
  collected: readonly Float64Array[],
  bitmap: Int32Array,
): { members: SplitMembers[]; sets: number } {
  const before = new Int32Array(Math.ceil(bitmap.length / RANK_WORDS) + 1)
  for (let word = 0; word < bitmap.length; word++) before[Math.floor(word / RANK_WORDS) + 1]! += bitsIn(bitmap[word]!)
  for (let i = 1; i < before.length; i++) before[i]! += before[i - 1]!
  const rankOf = (offset: number): number => {
    const word = Math.floor(offset / 32)
    let rank = before[Math.floor(word / RANK_WORDS)]!
    for (let i = word - (word % RANK_WORDS); i < word; i++) rank += bitsIn(bitmap[i]!)
    return rank + bitsIn(bitmap[word]! & ((1 << (offset & 31)) - 1))
  }
  const members = collected.map((numbers): SplitMembers => {
    const rows = new Int32Array(numbers.length / 2)
    const sets = new Int32Array(numbers.length / 2)
    for (let i = 0; i < rows.length; i++) {
      sets[i] = rankOf(numbers[2 * i]!)
      rows[i] = numbers[2 * i + 1]!
    }
    return { rows, sets }
  })
  return { members, sets: before.at(-1)! }
}

/** Words of the bitmap whose bits are counted together. */
const RANK_WORDS = 16

function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function visitIds(
  log: LogPlan,
  splitIndex: number,
  dense: DenseIds,
  open: (file: FilePlan) => ParquetFile,
  visit: (offsets: Float64Array) => void,
): void {
  const split = log.splits[splitIndex]!
  const file = log.files[split.file]!
  const slot = log.roles.id[0]!
  const minHigh = Number(dense.min >> 32n)
  const minLow = Number(BigInt.asUintN(32, dense.min))
  const memory = new BatchMemory()
  for (const { index } of split.rowGroups) {
    memory.reset()
    const column = readBatch(log, file, open, index, new Set([slot]), memory).columns[slot]!
    if (column.kind !== 'int64') throw new Error('dense ids lie in an int64 column')
    visit(offsetsFrom(wordsOf(column.values), minHigh, minLow, dense.span, file.path))
  }
}

function offsetsFrom(words: Int32Array, minHigh: number, minLow: number, span: number, path: string): Float64Array {
  const offsets = new Float64Array(words.length >> 1)
  let outside = false
  for (let row = 0; row < offsets.length; row++) {
    const offset = (words[2 * row + 1]! - minHigh) * 4294967296 + (words[2 * row]! >>> 0) - minLow
    offsets[row] = offset
    if (!(offset >= 0 && offset < span)) outside = true
  }
  if (outside)
    throw new InputError(
      `Cannot read ${path}: expected ids within the bounds in its statistics, found one outside. The file's footer is wrong; write the file again.`,
      { file: path },
    )
  return offsets
}
