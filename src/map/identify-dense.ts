import { InputError } from '../model/errors.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import type { FilePlan, LogPlan } from '../plan/plan.ts'
import type { DuplicateSet, RowPlace } from '../shuffle/duplicates.ts'
import { readBatch } from './batch.ts'
import { wordsOf } from './to-slot.ts'

/**
 * Finding duplicates among ids that are integers close to each other, as positions in a log are: one bit an id, shared
 * by all threads. A bit that was set already marks a repeated id; where there are any, a second look at the ids finds
 * all rows that have one. The bitmap of ten million ids fits a CPU's cache; hashing them would not.
 */
export interface DenseIds {
  readonly min: bigint
  /** Bits of the bitmap: the largest id less the smallest, plus one. */
  readonly span: number
}

export function newBitmap(span: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(((span + 31) >> 5) * 4))
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

/** Rows of a split whose ids are in the bitmap: three numbers a row: id less the smallest, row group, row. */
export function collectRows(
  log: LogPlan,
  split: number,
  dense: DenseIds,
  bitmap: Int32Array,
  open: (file: FilePlan) => ParquetFile,
): Float64Array {
  const found: number[] = []
  visitIds(log, split, dense, open, (offsets, rowGroup) => {
    for (let row = 0; row < offsets.length; row++) {
      const offset = offsets[row]!
      if ((bitmap[Math.floor(offset / 32)]! & (1 << (offset & 31))) !== 0) found.push(offset, rowGroup, row)
    }
  })
  return Float64Array.from(found)
}

/** The sets of rows with equal ids, from `collectRows` of every split in order. */
export function setsOfRows(collected: readonly Float64Array[]): DuplicateSet[] {
  const sets = new Map<number, RowPlace[]>()
  collected.forEach((numbers, split) => {
    for (let i = 0; i < numbers.length; i += 3) {
      const place = { split, rowGroup: numbers[i + 1]!, row: numbers[i + 2]! }
      const set = sets.get(numbers[i]!)
      if (set === undefined) sets.set(numbers[i]!, [place])
      else set.push(place)
    }
  })
  return [...sets.values()]
}

function visitIds(
  log: LogPlan,
  splitIndex: number,
  dense: DenseIds,
  open: (file: FilePlan) => ParquetFile,
  visit: (offsets: Float64Array, rowGroup: number) => void,
): void {
  const split = log.splits[splitIndex]!
  const file = log.files[split.file]!
  const slot = log.roles.id[0]!
  const minHigh = Number(dense.min >> 32n)
  const minLow = Number(BigInt.asUintN(32, dense.min))
  const memory = new BatchMemory()
  for (const { index } of split.rowGroups) {
    memory.reset()
    const column = readBatch(log, file, open(file), index, new Set([slot]), memory).columns[slot]!
    if (column.kind !== 'int64') throw new Error('dense ids lie in an int64 column')
    visit(offsetsFrom(wordsOf(column.values), minHigh, minLow, dense.span, file.path), index)
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
      `Cannot read ${path}: expected ids within the bounds in its statistics, found one outside. The file's footer is wrong; write the file anew.`,
      { file: path },
    )
  return offsets
}
