import { grown } from '../columns/grow.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import { readBatch } from '../scan/batch.ts'
import { identityBucket, identityWords } from '../scan/identity.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { RunReader, type Runs } from '../shuffle/run-reader.ts'
import type { Store } from '../storage/store.ts'
import { FOUND_NUMBERS } from './duplicates.ts'

/**
 * Finding duplicates takes two steps. First each split spreads the identities of its events over buckets, three words an
 * event: identity (2), row in the split. Then the runs of one bucket from all splits are searched for equal identities.
 */
export type IdentityBlock = Runs

const ENTRY_WORDS = 3

/** The share of the memory for packed rows that ids may take before events are packed. */
export const IDS_SHARE = 0.25

/** @param memory Where the identities go: spilled where there are many. */
export function identifySplit(
  log: LogPlan,
  splitIndex: number,
  open: (file: FilePlan) => ParquetFile,
  memory: BlockMemory,
): IdentityBlock {
  const split = log.splits[splitIndex]!
  const file = log.files[split.file]!
  const needed = new Set(log.roles.id)
  const batchMemory = new BatchMemory()
  const batches = split.rowGroups.map(({ index, rows }) => {
    batchMemory.reset()
    const { columns } = readBatch(log, file, open, index, needed, batchMemory)
    return identityWords(
      log.roles.id.map((slot) => columns[slot] as SlotColumn),
      rows,
    )
  })
  return spread(batches, identityBits(log), memory)
}

/** Sized by the log, so that a bucket of about 64 Ki entries fits the CPU's cache. */
export function identityBits(log: LogPlan): number {
  return Math.min(12, Math.max(0, Math.ceil(Math.log2(log.rows / 65_536))))
}

/** @param batches Two words a row, of the split's row groups in order. */
function spread(batches: readonly Int32Array[], bits: number, memory: BlockMemory): IdentityBlock {
  const starts = new Int32Array(2 ** bits + 1)
  for (const identities of batches) {
    for (let at = 0; at < identities.length; at += 2)
      starts[identityBucket(identities[at]!, identities[at + 1]!, bits) + 1]! += ENTRY_WORDS
  }
  for (let bucket = 0; bucket < starts.length - 1; bucket++) starts[bucket + 1]! += starts[bucket]!
  const words = memory.allocate(starts.at(-1)!)
  const cursors = starts.slice()
  let row = 0
  for (const identities of batches) {
    for (let from = 0; from < identities.length; from += 2, row++) {
      const bucket = identityBucket(identities[from]!, identities[from + 1]!, bits)
      const at = cursors[bucket]!
      cursors[bucket] = at + ENTRY_WORDS
      words[at] = identities[from]!
      words[at + 1] = identities[from + 1]!
      words[at + 2] = row
    }
  }
  return { words: memory.keep(words, starts), starts }
}

/**
 * Rows that have the same identity as another, as three numbers a row: number of their set, split, row in the split.
 *
 * @param blocks By split.
 * @param roomBytes What may be read ahead.
 */
export function findDuplicates(
  blocks: readonly IdentityBlock[],
  fromBucket: number,
  toBucket: number,
  roomBytes: number,
  files: Store,
): Int32Array {
  const reader = new RunReader(blocks, toBucket, Math.floor(roomBytes / 4), files)
  const search = new BucketSearch(blocks, reader)
  try {
    for (let bucket = fromBucket; bucket < toBucket; bucket++) search.search(bucket)
  } finally {
    reader.close()
  }
  return search.found
}

/** Searches one bucket after the other; its memory is used again. */
class BucketSearch {
  readonly #blocks: readonly IdentityBlock[]
  readonly #reader: RunReader
  /** By block: its first entry in the bucket. */
  readonly #firstEntries: Int32Array
  #words = new Int32Array(0)
  #table = new Int32Array(0)
  /** By entry: one more than the number of its set, or 0. */
  #setOf = new Int32Array(0)
  #found = new Int32Array(16)
  #count = 0
  #sets = 0

  constructor(blocks: readonly IdentityBlock[], reader: RunReader) {
    this.#blocks = blocks
    this.#reader = reader
    this.#firstEntries = new Int32Array(blocks.length)
  }

  get found(): Int32Array {
    return this.#found.slice(0, this.#count)
  }

  search(bucket: number): void {
    const entries = this.#load(bucket)
    const capacity = 2 ** Math.max(4, Math.ceil(Math.log2(entries * 2)))
    if (this.#table.length < capacity) this.#table = new Int32Array(capacity)
    if (this.#setOf.length < entries) this.#setOf = new Int32Array(entries)
    const words = this.#words
    const table = this.#table.fill(0, 0, capacity)
    const setOf = this.#setOf.fill(0, 0, entries)
    for (let entry = 0; entry < entries; entry++) {
      const first = words[entry * ENTRY_WORDS]!
      const second = words[entry * ENTRY_WORDS + 1]!
      let place = (first ^ Math.imul(second, 0x85ebca6b) ^ (first >>> 15)) & (capacity - 1)
      let known = table[place]! - 1
      while (known >= 0 && (words[known * ENTRY_WORDS] !== first || words[known * ENTRY_WORDS + 1] !== second)) {
        place = (place + 1) & (capacity - 1)
        known = table[place]! - 1
      }
      if (known < 0) {
        table[place] = entry + 1
        continue
      }
      if (setOf[known] === 0) {
        setOf[known] = ++this.#sets
        this.#add(setOf[known]! - 1, known)
      }
      this.#add(setOf[known]! - 1, entry)
    }
  }

  /** Copies the bucket's runs consecutively. @returns The number of entries. */
  #load(bucket: number): number {
    const reader = this.#reader
    const size = reader.wordsIn(bucket)
    if (this.#words.length < size) this.#words = new Int32Array(Math.ceil(size * 1.25))
    let at = 0
    for (const [block, { starts }] of this.#blocks.entries()) {
      const length = starts[bucket + 1]! - starts[bucket]!
      this.#firstEntries[block] = at / ENTRY_WORDS
      if (length === 0) continue
      reader.copy(block, bucket, 0, length, this.#words, at)
      reader.check(block, bucket, reader.checksum(block, this.#words, at, at + length, 0))
      at += length
    }
    return size / ENTRY_WORDS
  }

  #add(set: number, entry: number): void {
    if (this.#count + FOUND_NUMBERS > this.#found.length) this.#found = grown(this.#found)
    this.#found[this.#count] = set
    this.#found[this.#count + 1] = lastAtOrBefore(this.#firstEntries, entry)
    this.#found[this.#count + 2] = this.#words[entry * ENTRY_WORDS + 2]!
    this.#count += FOUND_NUMBERS
  }
}

/** The last place of an ascending list whose number isn't greater. */
function lastAtOrBefore(numbers: Int32Array, wanted: number): number {
  let low = 0
  let high = numbers.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (numbers[middle]! <= wanted) low = middle
    else high = middle - 1
  }
  return low
}
