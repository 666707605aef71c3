import type { BytesColumn } from '../model/column.ts'
import type { Block } from './block.ts'
import type { Runs } from './run-reader.ts'

/**
 * All blocks as tasks are given them. Each task is copied to its thread, and a log has as many blocks as row groups: as
 * thousands of objects they would take milliseconds a task. So their contents by bucket lie in a few arrays, from which a
 * thread makes blocks again. Where memory is shared, all tasks are given the same arrays, which are never copied; where it
 * isn't, each is given arrays of its own buckets only.
 */
export interface RunList {
  readonly count: number
  /** Of the blocks. */
  readonly buckets: number
  /** The buckets that the list covers: this one, */
  readonly from: number
  /** and all before this. */
  readonly to: number
  /** `to − from + 1` words a block. */
  readonly starts: Int32Array
  /** `to − from` words a block; those of blocks in memory have no meaning. */
  readonly checksums: Int32Array
  /** By block: which of the paths, or −1 for a block in memory. */
  readonly pathOf: Int32Array
  readonly byteOffsets: Float64Array
  readonly paths: readonly string[]
  /** Of the blocks in memory, in their order. */
  readonly inMemory: readonly Int32Array[]
}

export interface BlockList extends RunList {
  /** Log, split, ordinal and rows of each block. */
  readonly places: Int32Array
  /** By block and slot; empty where no block has strings. */
  readonly strings: readonly (readonly (BytesColumn | null)[])[]
}

/** The list that a task is given which reads these buckets. */
export type ListOf<List> = (from: number, to: number) => List

const PLACE_NUMBERS = 4

/** @param sharesMemory Whether tasks can be given shared memory. */
export function listRuns(blocks: readonly Runs[], sharesMemory: boolean): ListOf<RunList> {
  if (!sharesMemory) return (from, to) => runList(blocks, from, to, false)
  const whole = runList(blocks, 0, bucketsOf(blocks), true)
  return () => whole
}

/** @param sharesMemory Whether tasks can be given shared memory. */
export function listBlocks(blocks: readonly Block[], sharesMemory: boolean): ListOf<BlockList> {
  const places = numbers(blocks.length * PLACE_NUMBERS, sharesMemory)
  for (const [index, { member, split, ordinal, rows }] of blocks.entries())
    places.set([member, split, ordinal, rows], index * PLACE_NUMBERS)
  const anyStrings = blocks.some(({ strings }) => strings.some((column) => column !== null))
  const strings = anyStrings ? blocks.map((block) => block.strings) : []
  const runsOfBuckets = listRuns(blocks, sharesMemory)
  return (from, to) => ({ ...runsOfBuckets(from, to), places, strings })
}

function bucketsOf(blocks: readonly Runs[]): number {
  return blocks.length === 0 ? 0 : blocks[0]!.starts.length - 1
}

function runList(blocks: readonly Runs[], from: number, to: number, shared: boolean): RunList {
  const count = blocks.length
  const width = to - from
  const starts = numbers(count * (width + 1), shared)
  const checksums = numbers(count * width, shared)
  const pathOf = numbers(count, shared)
  const byteOffsets = new Float64Array(room(count * 8, shared))
  const paths = new Map<string, number>()
  const inMemory: Int32Array[] = []
  for (const [index, { words, starts: own }] of blocks.entries()) {
    starts.set(own.subarray(from, to + 1), index * (width + 1))
    if (words.kind === 'memory') {
      pathOf[index] = -1
      inMemory.push(words.words)
      continue
    }
    if (!paths.has(words.path)) paths.set(words.path, paths.size)
    pathOf[index] = paths.get(words.path)!
    byteOffsets[index] = words.byteOffset
    checksums.set(words.checksums.subarray(from, to), index * width)
  }
  const buckets = bucketsOf(blocks)
  return { count, buckets, from, to, starts, checksums, pathOf, byteOffsets, paths: [...paths.keys()], inMemory }
}

/** The blocks of a list; they hold nothing of buckets that the list doesn't cover. */
export function runsOf(list: RunList): Runs[] {
  const { count, buckets, from, to, pathOf, byteOffsets, paths, inMemory } = list
  const width = to - from
  // Where all buckets are listed, views of the list suffice.
  const spread = (values: Int32Array, index: number, length: number) => {
    const own = values.subarray(index * length, (index + 1) * length)
    if (width === buckets) return own
    const all = new Int32Array(buckets + length - width)
    all.set(own, from)
    return all
  }
  let nextInMemory = 0
  return Array.from({ length: count }, (_, index): Runs => {
    const starts = spread(list.starts, index, width + 1)
    if (pathOf[index] === -1) return { words: { kind: 'memory', words: inMemory[nextInMemory++]! }, starts }
    const checksums = spread(list.checksums, index, width)
    const path = paths[pathOf[index]!]!
    return { words: { kind: 'file', path, byteOffset: byteOffsets[index]!, checksums }, starts }
  })
}

export function blocksOf(list: BlockList): Block[] {
  const { places, strings } = list
  return runsOf(list).map((runs, index) => {
    const at = index * PLACE_NUMBERS
    return {
      ...runs,
      member: places[at]!,
      split: places[at + 1]!,
      ordinal: places[at + 2]!,
      rows: places[at + 3]!,
      strings: strings[index] ?? [],
    }
  })
}

function numbers(count: number, shared: boolean): Int32Array {
  return new Int32Array(room(count * 4, shared))
}

function room(bytes: number, shared: boolean): ArrayBuffer | SharedArrayBuffer {
  return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
}
