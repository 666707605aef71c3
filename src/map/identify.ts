import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import type { FilePlan, LogPlan, SplitPlan } from '../plan/plan.ts'
import { readBatch } from './batch.ts'
import { identityBucket, identityWords } from './identity.ts'
import type { SlotColumn } from './to-slot.ts'

/**
 * Finding duplicates takes two steps. First each split spreads the identities of its events over buckets, four words an
 * event: identity (2), row group, row. Then the runs of one bucket from all splits are searched for equal identities.
 */
export interface IdentityBlock {
  readonly split: number
  readonly words: Int32Array
  /** First word of each bucket, and behind the last. */
  readonly starts: Int32Array
}

const ENTRY_WORDS = 4

export function identifySplit(log: LogPlan, splitIndex: number, open: (file: FilePlan) => ParquetFile): IdentityBlock {
  const split = log.splits[splitIndex]!
  const file = log.files[split.file]!
  const needed = new Set(log.roles.id)
  const memory = new BatchMemory()
  const batches = split.rowGroups.map(({ index, rows }) => {
    memory.reset()
    const batch = readBatch(log, file, open(file), index, needed, memory)
    const identities = identityWords(
      log.roles.id.map((slot) => batch.columns[slot] as SlotColumn),
      rows,
    )
    return { rowGroup: index, rows, identities }
  })
  return spread(splitIndex, split, batches, identityBits(log))
}

/** Sized by the log, so that a bucket of about 64 Ki entries fits the CPU's cache. */
export function identityBits(log: LogPlan): number {
  return Math.min(12, Math.max(0, Math.ceil(Math.log2(log.rows / 65_536))))
}

interface Identities {
  readonly rowGroup: number
  readonly rows: number
  readonly identities: Int32Array
}

function spread(splitIndex: number, split: SplitPlan, batches: readonly Identities[], bits: number): IdentityBlock {
  const starts = new Int32Array(2 ** bits + 1)
  for (const { identities, rows } of batches) {
    for (let row = 0; row < rows; row++)
      starts[identityBucket(identities[2 * row]!, identities[2 * row + 1]!, bits) + 1]! += ENTRY_WORDS
  }
  for (let bucket = 0; bucket < starts.length - 1; bucket++) starts[bucket + 1]! += starts[bucket]!
  const words = new Int32Array(new SharedArrayBuffer(split.rows * ENTRY_WORDS * 4))
  const cursors = starts.slice()
  for (const { identities, rows, rowGroup } of batches) {
    for (let row = 0; row < rows; row++) {
      const first = identities[2 * row]!
      const second = identities[2 * row + 1]!
      const bucket = identityBucket(first, second, bits)
      const at = cursors[bucket]!
      cursors[bucket] = at + ENTRY_WORDS
      words[at] = first
      words[at + 1] = second
      words[at + 2] = rowGroup
      words[at + 3] = row
    }
  }
  return { split: splitIndex, words, starts }
}

/** Rows that have the same identity as another, as four words a row: number of their set, split, row group, row. */
export function findDuplicates(blocks: readonly IdentityBlock[], fromBucket: number, toBucket: number): Int32Array {
  const found: number[] = []
  let sets = 0
  for (let bucket = fromBucket; bucket < toBucket; bucket++) sets = searchBucket(blocks, bucket, found, sets)
  return Int32Array.from(found)
}

function searchBucket(blocks: readonly IdentityBlock[], bucket: number, found: number[], setsBefore: number): number {
  let entries = 0
  for (const { starts } of blocks) entries += (starts[bucket + 1]! - starts[bucket]!) / ENTRY_WORDS
  const capacity = 2 ** Math.max(4, Math.ceil(Math.log2(entries * 2)))
  const firsts = new Int32Array(entries)
  const seconds = new Int32Array(entries)
  const table = new Int32Array(capacity)
  const repeats: { earlier: number; blockIndex: number; at: number }[] = []
  const origins: [number, number][] = []
  let count = 0
  blocks.forEach((block, blockIndex) => {
    origins.push([count, block.starts[bucket]!])
    for (let at = block.starts[bucket]!; at < block.starts[bucket + 1]!; at += ENTRY_WORDS) {
      const first = block.words[at]!
      const second = block.words[at + 1]!
      let place = (first ^ Math.imul(second, 0x85ebca6b) ^ (first >>> 15)) & (capacity - 1)
      let entry = table[place]!
      while (entry !== 0 && (firsts[entry - 1] !== first || seconds[entry - 1] !== second)) {
        place = (place + 1) & (capacity - 1)
        entry = table[place]!
      }
      if (entry === 0) table[place] = count + 1
      else repeats.push({ earlier: entry - 1, blockIndex, at })
      firsts[count] = first
      seconds[count] = second
      count++
    }
  })
  return setsBefore + writeSets(blocks, origins, repeats, found, setsBefore)
}

function writeSets(
  blocks: readonly IdentityBlock[],
  origins: readonly [number, number][],
  repeats: readonly { earlier: number; blockIndex: number; at: number }[],
  found: number[],
  setsBefore: number,
): number {
  const setOf = new Map<number, number>()
  const write = (set: number, blockIndex: number, at: number) => {
    const { split, words } = blocks[blockIndex]!
    found.push(setsBefore + set, split, words[at + 2]!, words[at + 3]!)
  }
  for (const { earlier, blockIndex, at } of repeats) {
    let set = setOf.get(earlier)
    if (set === undefined) {
      set = setOf.size
      setOf.set(earlier, set)
      const block = lastAtOrBefore(origins, earlier)
      write(set, block, origins[block]![1] + (earlier - origins[block]![0]) * ENTRY_WORDS)
    }
    write(set, blockIndex, at)
  }
  return setOf.size
}

function lastAtOrBefore(origins: readonly [number, number][], entry: number): number {
  let low = 0
  let high = origins.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (origins[middle]![0] <= entry) low = middle
    else high = middle - 1
  }
  return low
}
