import type { VintageBoundary } from '../map/timelines.ts'
import { isOrderSensitive, TIE } from '../model/order.ts'
import type { FoldedLog } from '../model/plan.ts'
import type { ExceptionRow } from '../model/report.ts'
import { vintagesName } from '../model/view.ts'
import { encodeParquet } from '../parquet/write.ts'
import type { Block } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { RunReader } from '../shuffle/run-reader.ts'
import type { Store, WrittenFile } from '../storage/store.ts'
import type { OrderFound } from '../view/order-tally.ts'
import { StateStore } from '../view/state.ts'
import { outputSchema, type PreparedGroup, type PreparedView } from '../view/view-set.ts'
import { Bucket, type BucketSource } from './bucket.ts'
import { keyReader } from './bucket-keys.ts'
import type { CompareRows } from './compare-rows.ts'
import { type LateOf, makeLateOf } from './late.ts'
import { orderRows } from './order.ts'
import { OrderCount } from './order-count.ts'
import { Part } from './part.ts'
import type { ReduceSide } from './reduce-side.ts'
import { SortedRuns } from './sorted-runs.ts'
import { makeStatusColumns, type StatusColumns } from './status.ts'
import { ViewAccumulator } from './view-accumulator.ts'
import { foldVintages } from './vintage-fold.ts'
import { VintagePart } from './vintage-part.ts'

/** A part file of a view, as it was written. */
export interface PartFile extends WrittenFile {
  readonly view: string
  readonly name: string
  readonly rows: number
  readonly keys: number
}

export interface ReduceResult {
  readonly parts: readonly PartFile[]
  /** Events whose handler threw, by view, where the view says `onError: 'quarantine'`. */
  readonly exceptions: Readonly<Record<string, readonly ExceptionRow[]>>
  readonly rows: number
  /** What was found of the order of events, by view whose result depends on it. */
  readonly order: Readonly<Record<string, OrderFound>>
}

/** What a part is made for, in addition to its rows. */
export interface ReduceTime {
  /** Up to when all is taken to be known. */
  readonly watermark: bigint | null
  /** The vintages to be made; empty for none. */
  readonly cuts: readonly VintageBoundary[]
}

/** What a part is made of, and where it goes. */
export interface PartSource extends ReduceTime {
  readonly blocks: readonly Block[]
  /** Buckets `from … to`. */
  readonly from: number
  readonly to: number
  /** Name of the part file. */
  readonly name: string
  /** Where the part file of a view, or of its vintages, is written. */
  readonly pathOf: (view: string) => string
}

/** A view's part that is being made, and its vintages'. */
interface OpenPart {
  readonly accumulator: ViewAccumulator
  readonly part: Part
  readonly vintages: VintagePart | null
  readonly exceptions: ExceptionRow[]
}

/** Rows of neighbouring buckets that are read at once: more make reading no faster. */
const READ_AHEAD_WORDS_MAX = 1 << 22

/** Reduces buckets of one group: orders and folds their rows, and writes each view's part file. */
export class GroupReducer {
  readonly #log: FoldedLog
  readonly #side: ReduceSide
  readonly #lateOf: LateOf | null
  readonly #bucket: Bucket
  readonly #accumulators: readonly ViewAccumulator[]
  /** Of the views whose result depends on the order of events. */
  readonly #counts: readonly OrderCount[]
  readonly #status: readonly (StatusColumns | null)[]
  readonly #memory: BlockMemory

  /**
   * @param memory Where sorted rows of buckets without room go: to disk.
   * @param roomBytes Room for a bucket: one that is larger is folded in pieces.
   */
  constructor(log: FoldedLog, group: PreparedGroup, side: ReduceSide, memory: BlockMemory, roomBytes: number) {
    const { views } = group
    this.#log = log
    this.#side = side
    this.#memory = memory
    this.#lateOf = makeLateOf(group, side.packed)
    // Vintages are snapshots of all keys of a bucket between its events, so it must be there as a whole.
    const inPieces =
      log.vintages === null && views.every((view) => view.definition.onError !== 'quarantine' || isFlat(view))
    const roomWords = inPieces ? Math.max(1, Math.floor(roomBytes / 4)) : Number.POSITIVE_INFINITY
    const bucket = new Bucket(side.packed.layout, roomWords)
    const shared = { log, side, bucket, lateOf: this.#lateOf, memberOf: group.memberOf, isAlone: views.length === 1 }
    this.#bucket = bucket
    this.#accumulators = views.map((view, index) => new ViewAccumulator(shared, view, index))
    this.#counts = this.#accumulators.flatMap(({ view, folding: { handlerOf } }) => {
      if (side.compare === null || !isOrderSensitive(view.definition)) return []
      return new OrderCount({ log, group, view, handlerOf, layout: side.packed.layout, compare: side.compare })
    })
    this.#status = views.map((view) => makeStatusColumns(log, view))
  }

  reduce(source: PartSource, files: Store): ReduceResult {
    const { blocks, from, to, cuts } = source
    const open = this.#accumulators.map((accumulator): OpenPart => {
      const { view } = accumulator
      const vintages = this.#log.vintages === null ? null : new VintagePart(this.#log, view, cuts)
      return { accumulator, part: new Part(view), vintages, exceptions: [] }
    })
    for (const count of this.#counts) count.restart()
    let rows = 0
    const reader = new RunReader(blocks, to, Math.min(this.#bucket.roomWords, READ_AHEAD_WORDS_MAX), files)
    try {
      for (let bucket = from; bucket < to; bucket++)
        rows += this.#foldBucket({ blocks, bucket, reader }, open, source, files)
    } finally {
      reader.close()
      this.#memory.removeFile()
    }
    const parts = open.flatMap((one, index) => this.#write(one, this.#status[index]!, source, files))
    const exceptions = Object.fromEntries(open.map((one) => [one.accumulator.view.name, one.exceptions]))
    const order = Object.fromEntries(this.#counts.map((count) => [count.view, count.found()]))
    return { parts, exceptions, rows, order }
  }

  /** @returns The number of rows that were folded. */
  #foldBucket(source: BucketSource, open: readonly OpenPart[], time: ReduceTime, files: Store): number {
    const bucket = this.#bucket
    const { compare } = this.#side
    const isWhole = bucket.open(source)
    for (const { accumulator } of open) accumulator.begin()
    for (const count of this.#counts) count.openBucket()
    const watched = isWhole || compare === null ? null : watchTies(compare)
    const sorted = watched === null ? null : new SortedRuns(bucket, watched.compare, this.#memory, files)
    let rows = 0
    try {
      while ((sorted ?? bucket).next()) {
        this.#side.checkPiece({ bucket, source, rowsBefore: rows })
        if (watched !== null) for (const count of this.#counts) count.takePiece(bucket, watched.seen())
        else if (compare !== null) {
          const tied = orderRows(bucket, compare)
          for (const count of this.#counts) count.takeBucket(bucket, tied)
        }
        for (const { accumulator, part, vintages, exceptions } of open) {
          accumulator.foldPiece(source, isWhole, exceptions)
          if (!isWhole || vintages === null) continue
          // The states that were folded last are those to be published, and are taken before the vintages' are made.
          accumulator.addTo(part)
          this.#foldVintages(accumulator, source, vintages, time)
        }
        rows += bucket.rows
      }
    } finally {
      sorted?.close()
    }
    for (const { accumulator, part, vintages } of open) if (rows > 0 && vintages === null) accumulator.addTo(part)
    return rows
  }

  #foldVintages(accumulator: ViewAccumulator, source: BucketSource, part: VintagePart, { cuts }: ReduceTime): void {
    const bucket = this.#bucket
    if (bucket.table.size === 0) return
    accumulator.restart()
    foldVintages({
      ...{ bucket, part, cuts, lateOf: this.#lateOf, ordered: this.#side.compare !== null },
      ...accumulator.folding,
      clock: accumulator.view.clock,
      states: accumulator.states,
      flatStates: accumulator.flatStates,
      keyOf: this.#side.keyArgument(keyReader(bucket, accumulator.view)),
      periodWord: this.#side.packed.periodWord,
      resetKey: (slot) => accumulator.resetKey(slot),
      refuse: (row, error) => accumulator.refuse(source, row, error),
    })
  }

  #write(
    { accumulator: { view }, part, vintages }: OpenPart,
    status: StatusColumns | null,
    { name, pathOf, watermark }: PartSource,
    files: Store,
  ): PartFile[] {
    const { rows, columns } = part.finish(status, watermark)
    const schema = outputSchema(this.#log, view.definition)
    const chunks = encodeParquet(schema, columns, { sorting: view.codec.names.length })
    const own = { ...files.writeNew(pathOf(view.name), chunks), view: view.name, name, rows, keys: part.keys }
    if (vintages === null) return [own]
    const of = vintagesName(view.name)
    const written = vintages.finish(status, (chunks) => files.writeNew(pathOf(of), chunks))
    return [own, { ...written, view: of, name }]
  }
}

/** A comparison that notes whether it ever found rows that nothing declared tells apart. */
function watchTies(compare: CompareRows): { compare: CompareRows; seen(): boolean } {
  let seen = false
  return {
    compare: (words, bytes, strings, a, b) => {
      const order = compare(words, bytes, strings, a, b)
      if (order === TIE || order === -TIE) seen = true
      return order
    },
    seen: () => seen,
  }
}

/** Whether a key's state can be copied, so that it can be taken back to what it was before an event failed. */
function isFlat(view: PreparedView): boolean {
  return view.state !== undefined && new StateStore(view.state).isFlat
}
