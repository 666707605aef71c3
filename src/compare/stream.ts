import { join } from 'node:path'
import type { Manifest } from '../model/manifest.ts'
import { openParquet, type ParquetFile } from '../parquet/file.ts'
import type { Store } from '../storage/store.ts'
import { Batch, compareKeys, equalKeys, type RowPlace } from './batch.ts'

/** What of a generation its comparison with another needs; it may not be published yet. */
export interface ComparedGeneration extends Pick<Manifest, 'key' | 'columns'> {
  readonly folder: string
  readonly files: readonly { readonly name: string; readonly rows: number }[]
}

/** Rows sorted by key, of which only the next is there. */
export interface RowStream {
  /** Of the next row; null at the end. */
  readonly batch: Batch | null
  readonly row: number
  /** So many rows of the batch, from `row` on, come before those of any other. */
  readonly ahead: number
  /** Moves on by at most `ahead` rows. */
  advance(rows: number): void
  /** Moves on to the first row whose key is not before that of `place`. */
  advanceTo(place: RowPlace): void
}

/** Rows of a batch where a part is read alone, and where several are merged: about a row group, and about a page. */
const rowsAlone = 65_536
const rowsMerged = 8192

/**
 * Streams of the same keys: for each group of keys one stream of every generation. A generation's 2^n parts are dealt by
 * the top bits of the key's hash, so the parts of one with fewer parts hold the keys of several of another's, which are
 * merged. Files are open only while their group is read.
 *
 * @param others Generations that don't decide on the groups: their streams, which follow, may hold other groups' keys too.
 */
export function* alignedStreams(
  generations: readonly ComparedGeneration[],
  files: Store,
  others: readonly ComparedGeneration[] = [],
): Generator<RowStream[]> {
  const dealt = [...generations, ...others].every((generation) => Number.isInteger(Math.log2(generation.files.length)))
  // What isn't a power of two was not dealt by Refold: everything is merged with everything.
  const groups = dealt ? Math.min(...generations.map((generation) => generation.files.length)) : 1
  for (let group = 0; group < groups; group++) {
    const opened: ParquetFile[] = []
    try {
      yield [...generations, ...others].map((generation) => {
        const parts = partsOf(generation, group, groups).map(({ name }) => {
          const part = openParquet(files.openForReading(join(generation.folder, name)))
          opened.push(part)
          return part
        })
        return streamOf(parts, generation.key.length)
      })
    } finally {
      for (const { file } of opened) file.close()
    }
  }
}

/** The parts that hold a group of keys: several, or one that holds other groups too. */
function partsOf({ files }: ComparedGeneration, group: number, groups: number): ComparedGeneration['files'] {
  const width = files.length / groups
  const first = Math.floor(group * width)
  return files.slice(first, Math.max(first + 1, (group + 1) * width))
}

function streamOf(parts: readonly ParquetFile[], keyColumns: number): RowStream {
  const [only, ...more] = parts
  if (only !== undefined && more.length === 0) return new PartStream(only, keyColumns, rowsAlone)
  return mergedParts(parts, keyColumns, rowsMerged)
}

/** The rows of open part files of one generation by key, of each part `batchRows` at a time. */
export function mergedParts(parts: readonly ParquetFile[], keyColumns: number, batchRows: number): RowStream {
  return new MergedStream(
    parts.map((part) => new PartStream(part, keyColumns, batchRows)),
    keyColumns,
  )
}

/** The rows of one part file. */
class PartStream implements RowStream {
  batch: Batch | null
  row = 0
  readonly #part: ParquetFile
  readonly #keyColumns: number
  readonly #batchRows: number
  #rowGroup = 0
  #from = 0

  constructor(part: ParquetFile, keyColumns: number, batchRows: number) {
    this.#part = part
    this.#keyColumns = keyColumns
    this.#batchRows = batchRows
    this.batch = this.#next(null)
  }

  get ahead(): number {
    return this.batch === null ? 0 : this.batch.rows - this.row
  }

  advance(rows: number): void {
    this.row += rows
    if (this.batch === null || this.row < this.batch.rows) return
    this.batch = this.#next(this.batch)
    this.row = 0
  }

  advanceTo({ batch: wanted, row }: RowPlace): void {
    const isBefore = (batch: Batch, at: number) => compareKeys(batch, at, wanted, row, this.#keyColumns) < 0
    while (this.batch !== null && isBefore(this.batch, this.batch.rows - 1)) this.advance(this.ahead)
    if (this.batch === null || !isBefore(this.batch, this.row)) return
    // What is sought is mostly near: steps that grow, then halves.
    let low = this.row + 1
    let high = low
    for (let step = 1; isBefore(this.batch, high); step *= 2) {
      low = high + 1
      high = Math.min(high + step, this.batch.rows - 1)
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(this.batch, middle)) low = middle + 1
      else high = middle
    }
    this.row = low
  }

  #next(before: Batch | null): Batch | null {
    for (;;) {
      const rowGroup = this.#part.rowGroups[this.#rowGroup]
      if (rowGroup === undefined) return null
      const rows = Math.min(this.#batchRows, rowGroup.rows - this.#from)
      if (rows > 0) {
        const batch = new Batch(this.#part, this.#rowGroup, this.#from, rows)
        this.#from += rows
        if (before !== null) this.#carryOver(before, batch)
        return batch
      }
      this.#rowGroup++
      this.#from = 0
    }
  }

  /** A key's rows may go on in the next batch. */
  #carryOver(before: Batch, next: Batch): void {
    const last = before.rows - 1
    if (equalKeys(before, last, next, 0, 1, this.#keyColumns) === 0) return
    next.ordinalBefore = before.ordinalOf(last, this.#keyColumns) + 1
  }
}

/** The rows of several part files by key: a heap of them, of which the first has the next row. */
class MergedStream implements RowStream {
  readonly #heap: PartStream[]
  readonly #keyColumns: number

  constructor(parts: readonly PartStream[], keyColumns: number) {
    this.#keyColumns = keyColumns
    this.#heap = parts.filter((part) => part.batch !== null)
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  get batch(): Batch | null {
    return this.#heap[0]?.batch ?? null
  }

  get row(): number {
    return this.#heap[0]?.row ?? 0
  }

  get ahead(): number {
    return this.#heap.length > 1 ? Math.min(1, this.#heap[0]!.ahead) : (this.#heap[0]?.ahead ?? 0)
  }

  advance(rows: number): void {
    this.#heap[0]?.advance(rows)
    this.#settle()
  }

  advanceTo(place: RowPlace): void {
    while (this.#heap.length > 0 && this.#isBefore(this.#heap[0]!, place)) {
      this.#heap[0]!.advanceTo(place)
      this.#settle()
    }
  }

  #isBefore({ batch, row }: PartStream, place: RowPlace): boolean {
    return compareKeys(batch!, row, place.batch, place.row, this.#keyColumns) < 0
  }

  /** Puts the first of the heap where it belongs, or removes it at its end. */
  #settle(): void {
    if (this.#heap.length === 0) return
    if (this.#heap[0]!.batch === null) {
      const last = this.#heap.pop()!
      if (this.#heap.length === 0) return
      this.#heap[0] = last
    }
    this.#sink(0)
  }

  #sink(from: number): void {
    const heap = this.#heap
    for (let at = from; ; ) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      if (left < heap.length && this.#stands(left, least)) least = left
      if (right < heap.length && this.#stands(right, least)) least = right
      if (least === at) return
      const moved = heap[at]!
      heap[at] = heap[least]!
      heap[least] = moved
      at = least
    }
  }

  /** Whether one part's next row comes before another's. */
  #stands(at: number, other: number): boolean {
    const a = this.#heap[at]!
    const b = this.#heap[other]!
    return compareKeys(a.batch!, a.row, b.batch!, b.row, this.#keyColumns) < 0
  }
}

/**
 * The row of a stream with the same key, at the same place among the key's rows; null where there is none. The stream is
 * moved on, so rows must be asked for in their order.
 */
export function seek(stream: RowStream, place: RowPlace, ordinal: number, keyColumns: number): RowPlace | null {
  stream.advanceTo(place)
  for (;;) {
    const { batch, row } = stream
    if (batch === null || compareKeys(batch, row, place.batch, place.row, keyColumns) !== 0) return null
    const found = batch.ordinalOf(row, keyColumns)
    if (found === ordinal) return { batch, row }
    if (found > ordinal) return null
    stream.advance(1)
  }
}
