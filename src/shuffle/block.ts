import type { BytesColumn } from '../model/column.ts'
import type { Runs } from './run-reader.ts'

/**
 * The packed rows that one row group sends to all buckets: one run of words a bucket, in the order of the rows. Lies in
 * shared memory, so that any thread can reduce any bucket without a copy, or in a file where memory had no room.
 */
export interface Block extends Runs {
  /** Of a view of several logs: which of them the split is of; else 0. */
  readonly member: number
  readonly split: number
  /** Which of the split's blocks for its group this is. */
  readonly ordinal: number
  readonly rows: number
  /** By slot of the layout: the strings that codes of this block stand for. */
  readonly strings: readonly (BytesColumn | null)[]
}

/**
 * Counts distinct keys by their hashes, in 4,096 registers of the longest run of leading zeros seen (HyperLogLog, P.
 * Flajolet et al., 2007). Merging takes the larger of two registers, so the result depends on the set of keys alone and
 * not on how the log is split.
 */
export function newSketch(): Uint8Array {
  return new Uint8Array(4096)
}

export function sketchHashes(sketch: Uint8Array, hashes: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const hash = hashes[i]!
    const register = hash & 4095
    const rank = Math.clz32(((hash >>> 12) << 12) | 2048) + 1
    if (sketch[register]! < rank) sketch[register] = rank
  }
}

export function mergeSketch(into: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < into.length; i++) if (from[i]! > into[i]!) into[i] = from[i]!
}

/** About how many keys there are; within a few percent above 10,000, too high below. Exact arithmetic, no logarithms. */
export function estimateKeys(sketch: Uint8Array): number {
  let sum = 0
  for (const rank of sketch) sum += 2 ** -rank
  return Math.round((0.7213 / (1 + 1.079 / sketch.length)) * ((sketch.length * sketch.length) / sum))
}
