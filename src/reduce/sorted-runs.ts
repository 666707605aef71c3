import type { BlockMemory, BlockWords } from '../shuffle/block-memory.ts'
import { RunReader } from '../shuffle/run-reader.ts'
import type { Store } from '../storage/store.ts'
import { putSlot, rowWords, slotIn } from '../view/row-layout.ts'
import type { Bucket } from './bucket.ts'
import type { CompareRows } from './compare-rows.ts'
import { orderRows, placesBySlot } from './order.ts'

/**
 * A bucket without room in memory whose keys' rows must come in the log's order: each piece of it is sorted by key and
 * order and written as a run, and the runs are merged. Rows that compare equal keep their places: pieces follow each
 * other as the rows do, and of equal rows the merge takes the earlier run's first.
 *
 * In a run, the first word of a row is its key's slot, in place of the hash, which is no longer needed.
 */

/** Runs that are merged at once; while there are more, neighbours are first merged into longer ones. */
const MERGED_AT_ONCE = 16

/** Sorted rows in pieces of whole rows. */
type SortedRun = readonly RunPiece[]

interface RunPiece {
  readonly words: BlockWords
  /** As blocks have them: a piece is a block of one bucket. */
  readonly starts: Int32Array
}

export class SortedRuns {
  readonly #bucket: Bucket
  readonly #compare: CompareRows
  readonly #memory: BlockMemory
  readonly #files: Store
  #merge: Merge

  /** Sorts all of an opened bucket; then `next` loads it piece by piece. */
  constructor(bucket: Bucket, compare: CompareRows, memory: BlockMemory, files: Store) {
    this.#bucket = bucket
    this.#compare = compare
    this.#memory = memory
    this.#files = files
    let runs: SortedRun[] = []
    while (bucket.next()) runs.push(this.#sortPiece())
    while (runs.length > MERGED_AT_ONCE) runs = this.#mergeNeighbours(runs)
    this.#merge = new Merge(runs, bucket, compare, files)
  }

  /** Loads the next rows into the bucket, as many as have room. False where there are no more. */
  next(): boolean {
    const bucket = this.#bucket
    bucket.clear()
    this.#merge.drain((words, at) => bucket.append(words, at, slotIn(words, at)))
    return bucket.rows > 0
  }

  close(): void {
    this.#merge.close()
    this.#memory.removeFile()
  }

  #sortPiece(): SortedRun {
    const bucket = this.#bucket
    orderRows(bucket, this.#compare)
    const { words, rowAt, slotOf } = bucket
    const writer = new RunWriter(this.#memory, this.#pieceWords)
    for (const place of placesBySlot(bucket, null).places) {
      const at = rowAt[place]!
      putSlot(words, at, slotOf[place]!)
      writer.append(words, at)
    }
    return writer.finish()
  }

  #mergeNeighbours(runs: readonly SortedRun[]): SortedRun[] {
    const longer: SortedRun[] = []
    for (let first = 0; first < runs.length; first += MERGED_AT_ONCE) {
      const writer = new RunWriter(this.#memory, this.#pieceWords)
      const merge = new Merge(runs.slice(first, first + MERGED_AT_ONCE), this.#bucket, this.#compare, this.#files)
      try {
        merge.drain((words, at) => writer.append(words, at))
      } finally {
        merge.close()
      }
      longer.push(writer.finish())
    }
    return longer
  }

  /** So that one piece of each run that is merged has room, all together. */
  get #pieceWords(): number {
    return Math.ceil(this.#bucket.roomWords / MERGED_AT_ONCE)
  }
}

/** Writes rows consecutively, in pieces that end with rows. */
class RunWriter {
  readonly #memory: BlockMemory
  readonly #pieces: RunPiece[] = []
  #piece: Int32Array
  #used = 0

  constructor(memory: BlockMemory, pieceWords: number) {
    this.#memory = memory
    this.#piece = new Int32Array(pieceWords)
  }

  append(words: Int32Array, at: number): true {
    const length = rowWords(words, at)
    if (this.#used + length > this.#piece.length) this.#keep()
    if (length > this.#piece.length) this.#piece = new Int32Array(length)
    const piece = this.#piece
    const to = this.#used
    for (let i = 0; i < length; i++) piece[to + i] = words[at + i]!
    this.#used += length
    return true
  }

  finish(): SortedRun {
    this.#keep()
    return this.#pieces
  }

  #keep(): void {
    if (this.#used === 0) return
    const words = this.#memory.allocate(this.#used)
    words.set(this.#piece.subarray(0, this.#used))
    const starts = Int32Array.of(0, this.#used)
    this.#pieces.push({ words: this.#memory.keep(words, starts), starts })
    this.#used = 0
  }
}

/** A run that is being merged: the piece that is loaded, from `at` to `end` in the merge's words. */
interface Lane {
  readonly run: SortedRun
  readonly reader: RunReader
  readonly index: number
  readonly from: number
  piece: number
  at: number
  end: number
}

/** Merges runs: a heap of lanes, by the key's slot and the order of their next rows. */
class Merge {
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #strings: readonly (readonly string[])[]
  readonly #compare: CompareRows
  readonly #heap: Lane[]
  readonly #lanes: readonly Lane[]

  constructor(runs: readonly SortedRun[], bucket: Bucket, compare: CompareRows, files: Store) {
    const widths = runs.map((run) => run.reduce((most, { starts }) => Math.max(most, starts[1]!), 0))
    this.#words = new Int32Array(widths.reduce((sum, width) => sum + width, 0))
    this.#bytes = new Uint8Array(this.#words.buffer)
    this.#strings = bucket.strings
    this.#compare = compare
    let from = 0
    this.#lanes = runs.map((run, index) => {
      const lane = { run, reader: new RunReader(run, 1, 0, files), index, from, piece: -1, at: 0, end: 0 }
      from += widths[index]!
      return lane
    })
    this.#heap = this.#lanes.filter((lane) => this.#advance(lane))
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }

  /** Hands on rows, each valid until the next, while `take` takes them; one that is refused comes again. */
  drain(take: (words: Int32Array, at: number) => boolean): void {
    const heap = this.#heap
    const words = this.#words
    while (heap.length > 0) {
      const lane = heap[0]!
      const rival = this.#rival()
      // Runs are in order and mostly overlap little, so the same lane mostly continues.
      do {
        if (!take(words, lane.at)) return
        lane.at += rowWords(words, lane.at)
        if (lane.at === lane.end && !this.#advance(lane)) {
          const other = heap.pop()!
          if (heap.length > 0) heap[0] = other
          break
        }
      } while (rival === null || this.#before(lane, rival))
      this.#sink(0)
    }
  }

  close(): void {
    for (const { reader } of this.#lanes) reader.close()
  }

  /** Loads a run's next piece. False where there is none. */
  #advance(lane: Lane): boolean {
    lane.piece++
    if (lane.piece === lane.run.length) return false
    const length = lane.run[lane.piece]!.starts[1]!
    lane.reader.copy(lane.piece, 0, 0, length, this.#words, lane.from)
    lane.at = lane.from
    lane.end = lane.from + length
    lane.reader.check(lane.piece, 0, lane.reader.checksum(lane.piece, this.#words, lane.at, lane.end, 0))
    return true
  }

  #rival(): Lane | null {
    const [, left, right] = this.#heap
    if (left === undefined) return null
    return right !== undefined && this.#before(right, left) ? right : left
  }

  #before(a: Lane, b: Lane): boolean {
    const words = this.#words
    const order =
      words[a.at]! - words[b.at]! || this.#compare(words, this.#bytes, this.#strings, a.at, b.at) || a.index - b.index
    return order < 0
  }

  #sink(place: number): void {
    const heap = this.#heap
    for (;;) {
      let least = place
      for (const child of [2 * place + 1, 2 * place + 2]) {
        if (child < heap.length && this.#before(heap[child]!, heap[least]!)) least = child
      }
      if (least === place) return
      const lane = heap[place]!
      heap[place] = heap[least]!
      heap[least] = lane
      place = least
    }
  }
}
