import type { BytesColumn } from '../model/column.ts'
import type { Block } from './block.ts'
import type { Runs } from './run-reader.ts'

/**
 * All blocks as tasks are given them. Each task is copied to its thread, and a log has as many blocks as row groups: as
 * thousands of objects they would take milliseconds a task. So what they say of buckets lies in a few pieces of shared
 * memory, and a thread makes blocks of it again, which costs no more than views of those.
 */
export interface RunList {
  readonly count: number
  readonly buckets: number
  /** `buckets + 1` words a block. */
  readonly starts: Int32Array
  /** `buckets` words a block; those of blocks in memory mean nothing. */
  readonly checksums: Int32Array
  /** By block: which of the paths, or −1 for a block in memory. */
  readonly pathOf: Int32Array
  readonly byteOffsets: Float64Array
  readonly paths: readonly string[]
  /** Of the blocks in memory, in their order. */
  readonly inMemory: readonly Int32Array[]
}

export interface BlockList extends RunList {
  /** Split, ordinal and rows of each block. */
  readonly places: Int32Array
  /** By block and slot; empty where no block has strings. */
  readonly strings: readonly (readonly (BytesColumn | null)[])[]
}

const PLACE_NUMBERS = 3

export function listRuns(blocks: readonly Runs[]): RunList {
  const count = blocks.length
  const buckets = count === 0 ? 0 : blocks[0]!.starts.length - 1
  const starts = sharedNumbers(count * (buckets + 1))
  const checksums = sharedNumbers(count * buckets)
  const pathOf = sharedNumbers(count)
  const byteOffsets = new Float64Array(new SharedArrayBuffer(count * 8))
  const paths: string[] = []
  const inMemory: Int32Array[] = []
  for (const [index, { words, starts: own }] of blocks.entries()) {
    starts.set(own, index * (buckets + 1))
    if (words.kind === 'memory') {
      pathOf[index] = -1
      inMemory.push(words.words)
      continue
    }
    if (!paths.includes(words.path)) paths.push(words.path)
    pathOf[index] = paths.indexOf(words.path)
    byteOffsets[index] = words.byteOffset
    checksums.set(words.checksums, index * buckets)
  }
  return { count, buckets, starts, checksums, pathOf, byteOffsets, paths, inMemory }
}

export function runsOf(list: RunList): Runs[] {
  const { count, buckets, pathOf, byteOffsets, paths, inMemory } = list
  let nextInMemory = 0
  return Array.from({ length: count }, (_, index): Runs => {
    const starts = list.starts.subarray(index * (buckets + 1), (index + 1) * (buckets + 1))
    if (pathOf[index] === -1) return { words: { kind: 'memory', words: inMemory[nextInMemory++]! }, starts }
    const checksums = list.checksums.subarray(index * buckets, (index + 1) * buckets)
    const path = paths[pathOf[index]!]!
    return { words: { kind: 'file', path, byteOffset: byteOffsets[index]!, checksums }, starts }
  })
}

export function listBlocks(blocks: readonly Block[]): BlockList {
  const places = sharedNumbers(blocks.length * PLACE_NUMBERS)
  for (const [index, { split, ordinal, rows }] of blocks.entries())
    places.set([split, ordinal, rows], index * PLACE_NUMBERS)
  const anyStrings = blocks.some(({ strings }) => strings.some((column) => column !== null))
  return { ...listRuns(blocks), places, strings: anyStrings ? blocks.map(({ strings }) => strings) : [] }
}

export function blocksOf(list: BlockList): Block[] {
  const { places, strings } = list
  return runsOf(list).map((runs, index) => {
    const at = index * PLACE_NUMBERS
    return {
      ...runs,
      split: places[at]!,
      ordinal: places[at + 1]!,
      rows: places[at + 2]!,
      strings: strings[index] ?? [],
    }
  })
}

function sharedNumbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * 4))
}
