import type { Cut } from '../map/timelines.ts'
import { ViewError } from '../model/errors.ts'
import { idColumnText, joinId } from '../model/event-id.ts'
import type { LogPlan } from '../model/plan.ts'
import type { ExceptionRow } from '../model/report.ts'
import { ONLY_TYPE } from '../model/slots.ts'
import { vintagesName } from '../model/view.ts'
import { encodeParquet } from '../parquet/write.ts'
import type { Block } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { RunReader } from '../shuffle/run-reader.ts'
import type { Store, WrittenFile } from '../storage/store.ts'
import { type AnyHandler, compilePackedFold, NO_HANDLER, type PackedFold } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { type PackedLayout, packedLayout } from '../view/packed-layout.ts'
import { placedHandlerOf, takePlacedState } from '../view/placed-states.ts'
import { guarded, PurityError } from '../view/purity.ts'
import { ValueError } from '../view/runtime.ts'
import { type SavedStates, StateStore } from '../view/state.ts'
import { describeThrown } from '../view/thrown.ts'
import { outputSchema, type PreparedGroup, type PreparedView } from '../view/view-set.ts'
import { Bucket, type BucketSource, type CompareRows, compileCompare } from './bucket.ts'
import { countLate, type LateOf, makeLateOf, mergeCodes } from './late.ts'
import { orderRows } from './order.ts'
import { Part } from './part.ts'
import { type RowsBySlot, rowsBySlot } from './rows-by-slot.ts'
import { SortedRuns } from './sorted-runs.ts'
import { makeStatusColumns, type StatusColumns } from './status.ts'
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
}

/** A handler threw: at which row of which block. Whoever knows the log finds the event. */
export class FoldFailure extends Error {
  readonly view: string
  readonly handler: string
  readonly key: string
  readonly split: number
  readonly ordinal: number
  readonly bucket: number
  readonly nth: number
  constructor(
    at: { view: string; handler: string; key: string; split: number; ordinal: number; bucket: number; nth: number },
    cause: unknown,
  ) {
    super(describeThrown(cause), { cause })
    this.view = at.view
    this.handler = at.handler
    this.key = at.key
    this.split = at.split
    this.ordinal = at.ordinal
    this.bucket = at.bucket
    this.nth = at.nth
  }
}

/** A key that was folded in place came from two partitions. */
export class KeyTwiceFailure extends Error {
  readonly key: Uint8Array
  /** The key in words. */
  readonly shown: string
  /** A split of each of the two. */
  readonly splits: readonly [number, number]
  constructor(key: Uint8Array, shown: string, splits: readonly [number, number]) {
    super(`key ${shown} was folded in two partitions`)
    this.key = key
    this.shown = shown
    this.splits = splits
  }
}

interface Folder {
  readonly view: PreparedView
  readonly fold: PackedFold
  readonly handlerOf: Uint8Array
  readonly store: StateStore | null
  readonly seen: { flags: Uint8Array }
  readonly status: StatusColumns | null
}

/** What a part is made for, besides its rows. */
export interface ReduceTime {
  /** Up to when all is taken to be known. */
  readonly watermark: bigint | null
  /** The vintages to be made; empty for none. */
  readonly cuts: readonly Cut[]
}

/** A view's part, and its vintages'. */
interface OpenPart {
  readonly part: Part
  readonly vintages: VintagePart | null
}

/** What a folder has of one bucket, from piece to piece. */
interface BucketFold {
  readonly folder: Folder
  readonly part: Part
  readonly vintages: VintagePart | null
  readonly exceptions: ExceptionRow[]
  states: StateStore | unknown[]
  /** Keys that have a state. */
  keys: number
  /** By key: whether an event was folded into it; null where one was into each. */
  touched: Uint8Array | null
  /** By key: its late events; null where the view has no windows. */
  late: Int32Array | null
}

/** Reduces buckets of one group: orders and folds their rows, and writes each view's part file. */
export class GroupReducer {
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #packed: PackedLayout
  readonly #lateOf: LateOf | null
  readonly #bucket: Bucket
  readonly #folders: readonly Folder[]
  readonly #compare: CompareRows | null
  readonly #memory: BlockMemory

  /**
   * @param memory Where sorted rows of buckets go that have no room: to disk.
   * @param roomBytes Room for a bucket: one that is larger is folded in pieces.
   */
  constructor(log: LogPlan, group: PreparedGroup, memory: BlockMemory, roomBytes: number) {
    this.#log = log
    this.#group = group
    this.#memory = memory
    const { plan, views } = group
    this.#packed = packedLayout(log, group)
    this.#lateOf = makeLateOf(group, this.#packed)
    // Vintages are snapshots of all keys of a bucket between its events, so it must be there as a whole.
    const inPieces =
      log.vintages === null && views.every((view) => view.definition.onError !== 'quarantine' || isFlat(view))
    this.#bucket = new Bucket(
      this.#packed.layout,
      inPieces ? Math.max(1, Math.floor(roomBytes / 4)) : Number.POSITIVE_INFINITY,
    )
    this.#folders = views.map((view, index) => this.#folder(view, index))
    this.#compare =
      plan.ordered && plan.strategy === 'shuffle'
        ? compileCompare(
            this.#packed.layout,
            log.order.map((slot) => plan.slots.indexOf(slot)),
          )
        : null
  }

  #folder(view: PreparedView, index: number): Folder {
    const { strategy } = this.#group.plan
    const store = view.state === undefined ? null : new StateStore(view.state)
    const seen = { flags: new Uint8Array(0) }
    const rest = { view, store, seen, status: makeStatusColumns(this.#log, view) }
    if (strategy === 'in-place') {
      const spec = { state: view.state, handlers: [takePlacedState(view, index)], absentNames: [], copiesEvents: false }
      const handlerOf = placedHandlerOf(this.#group.views.length, index)
      return { ...rest, fold: compilePackedFold(spec, this.#packed.visible), handlerOf }
    }
    if (strategy === 'combine') {
      const spec = { state: view.state, handlers: [mergeHandler(view, seen)], absentNames: [], copiesEvents: false }
      return { ...rest, fold: compilePackedFold(spec, this.#packed.visible), handlerOf: mergeCodes }
    }
    const packed = new Set(this.#group.plan.slots)
    const absentNames = this.#log.slots.filter((_, slot) => !packed.has(slot)).map((slot) => slot.name)
    const spec = {
      state: view.state,
      handlers: view.handlers,
      absentNames,
      copiesEvents: this.#group.plan.copiesEvents,
    }
    return { ...rest, fold: compilePackedFold(spec, this.#packed.visible), handlerOf: view.handlerOf }
  }

  /** @param pathOf Where the part file of a view goes. */
  reduce(
    blocks: readonly Block[],
    from: number,
    to: number,
    name: string,
    files: Store,
    pathOf: (view: string) => string,
    time: ReduceTime,
  ): ReduceResult {
    const parts = this.#folders.map(
      ({ view }): OpenPart => ({
        part: new Part(view),
        vintages: this.#log.vintages === null ? null : new VintagePart(this.#log, view, time.cuts),
      }),
    )
    const exceptions: Record<string, ExceptionRow[]> = {}
    for (const { view } of this.#folders) exceptions[view.name] = []
    let rows = 0
    const reader = new RunReader(blocks, to, Math.min(this.#bucket.roomWords, READ_AHEAD_WORDS_MAX), files)
    try {
      const cutOf = new Map(time.cuts.map(({ period }, cut) => [period, cut]))
      for (let bucket = from; bucket < to; bucket++) {
        rows += this.#foldBucket({ blocks, bucket, reader }, parts, exceptions, time.cuts, cutOf, files)
      }
    } finally {
      reader.close()
      this.#memory.removeFile()
    }
    const written = this.#folders.flatMap((folder, index) =>
      writeParts(this.#log, folder, parts[index]!, time.watermark, name, files, pathOf),
    )
    return { parts: written, exceptions, rows }
  }

  /** @returns The number of rows that were folded. */
  #foldBucket(
    source: BucketSource,
    parts: readonly OpenPart[],
    exceptions: Readonly<Record<string, ExceptionRow[]>>,
    cuts: readonly Cut[],
    cutOf: ReadonlyMap<number, number>,
    files: Store,
  ): number {
    const bucket = this.#bucket
    const whole = bucket.open(source)
    const folds = this.#folders.map((folder, index): BucketFold => {
      const states = folder.store ?? []
      const { part, vintages } = parts[index]!
      const own = exceptions[folder.view.name]!
      return { folder, part, vintages, exceptions: own, states, keys: 0, touched: null, late: null }
    })
    const sorted = whole || this.#compare === null ? null : new SortedRuns(bucket, this.#compare, this.#memory, files)
    let rows = 0
    try {
      while ((sorted ?? bucket).next()) {
        if (this.#group.plan.strategy === 'in-place') this.#refuseKeysTwice(source, rows)
        if (whole && this.#compare !== null) orderRows(bucket, this.#compare)
        for (const fold of folds) {
          this.#foldPiece(fold, source, whole)
          if (!whole || fold.vintages === null) continue
          // The states that were folded last are those to be published, and are taken before the vintages' are made.
          this.#add(fold)
          this.#foldVintages(fold.folder, source, fold.vintages, cuts, cutOf)
        }
        rows += bucket.rows
      }
    } finally {
      sorted?.close()
    }
    for (const fold of folds) if (rows > 0 && fold.vintages === null) this.#add(fold)
    return rows
  }

  /**
   * States that were folded in place are one for each key, unless a key's events lie in two partitions.
   *
   * @param before Rows of earlier pieces of the bucket, each of a key of its own.
   */
  #refuseKeysTwice(source: BucketSource, before: number): void {
    const { table, rows, slotOf, rowAt } = this.#bucket
    if (before + rows === table.size) return
    const splitOf = (at: number) => source.blocks[this.#bucket.originOf(at, source).block]!.split
    const first = new Int32Array(table.size).fill(-1)
    for (let row = 0; row < rows; row++) {
      const slot = slotOf[row]!
      if (slot >= before && first[slot]! < 0) {
        first[slot] = row
        continue
      }
      const key = new Uint8Array(table.words.buffer, table.starts[slot]! * 4, table.lengths[slot]!).slice()
      const shown = showKey(this.#keyReader(this.#folders[0]!.view)(slot))
      const again = splitOf(rowAt[row]!)
      const known = first[slot]! < 0 ? this.#splitOfKey(source, key) : splitOf(rowAt[first[slot]!]!)
      throw new KeyTwiceFailure(key, shown, [known, again])
    }
  }

  /** The split that the first state of a key came with, read anew: its piece of the bucket is gone. */
  #splitOfKey(source: BucketSource, key: Uint8Array): number {
    const bucket = this.#bucket
    bucket.open(source)
    while (bucket.next()) {
      const { table, rows, slotOf, rowAt } = bucket
      for (let row = 0; row < rows; row++) {
        const slot = slotOf[row]!
        const own = new Uint8Array(table.words.buffer, table.starts[slot]! * 4, table.lengths[slot]!)
        if (Buffer.compare(own, key) === 0) return source.blocks[bucket.originOf(rowAt[row]!, source).block]!.split
      }
    }
    throw new Error('a key that came twice is not in the bucket it came from')
  }

  /** Folds the rows that the bucket has loaded: all of them where it is whole. */
  #foldPiece(bucketFold: BucketFold, source: BucketSource, whole: boolean): void {
    const { folder, exceptions } = bucketFold
    const { view, fold } = folder
    const bucket = this.#bucket
    const saved =
      whole || view.definition.onError !== 'quarantine' ? null : (folder.store?.copy(bucketFold.keys) ?? null)
    makeRoom(bucketFold, bucket.table.size)
    const { states, keys } = bucketFold
    fold.bindState(states)
    fold.bindRows(bucket.words, bucket.strings)
    const keyOf = this.#group.plan.strategy === 'shuffle' ? this.#keyReader(view) : (slot: number) => slot
    const failed = new Set<number>()
    const fails = (row: number, error: unknown) => {
      if (view.definition.onError !== 'quarantine' || error instanceof PurityError)
        throw this.#failure(folder, source, row, error)
      failed.add(row)
      exceptions.push(this.#exceptionOf(folder, row, error))
    }
    try {
      guarded(() => fold.run(bucket.rowAt, bucket.slotOf, 0, bucket.rows, folder.handlerOf, keyOf))
    } catch (error) {
      const row = fold.at()
      fails(row, error)
      const broken = { folder, states, saved, rows: rowsBySlot(bucket.slotOf, bucket.rows, keys), failed, keyOf }
      this.#refoldKey(broken, row)
      guarded(() => this.#foldOneByOne(broken, row + 1, fails))
    }
    if (this.#lateOf !== null) addLate(bucketFold, countLate(bucket, this.#lateOf, failed))
    this.#touch(bucketFold, failed, whole)
  }

  #add({ part, states, touched, late }: BucketFold): void {
    part.add(this.#bucket.table, states, touched, late)
  }

  #foldVintages(
    folder: Folder,
    source: BucketSource,
    part: VintagePart,
    cuts: readonly Cut[],
    cutOf: ReadonlyMap<number, number>,
  ): void {
    const { view, store, seen } = folder
    const bucket = this.#bucket
    const keys = bucket.table.size
    if (keys === 0) return
    store?.prepare(keys)
    seen.flags = new Uint8Array(keys)
    const states = store ?? makeStates(view, keys)
    const combines = this.#group.plan.strategy === 'combine'
    foldVintages({
      bucket,
      fold: folder.fold,
      handlerOf: folder.handlerOf,
      states,
      keyOf: combines ? (slot) => slot : this.#keyReader(view),
      periodWord: this.#packed.periodWord,
      cutOf,
      cuts,
      lateOf: this.#lateOf,
      ordered: this.#compare !== null,
      part,
      reset: (slot) => {
        if (Array.isArray(states)) states[slot] = makeStates(view, 1)[0]
        else states.reset(slot)
      },
      refuse: (row, error) => {
        if (view.definition.onError !== 'quarantine' || error instanceof PurityError)
          throw this.#failure(folder, source, row, error)
      },
    })
  }

  #keyReader(view: PreparedView): (slot: number) => unknown {
    const { table } = this.#bucket
    const bytes = new Uint8Array(table.words.buffer)
    const keys = new Array<unknown>(table.size)
    return (slot) =>
      (keys[slot] ??= view.codec.read(bytes, table.starts[slot]! * 4, table.starts[slot]! * 4 + table.lengths[slot]!))
  }

  /** Folds the rest of a bucket in which an event failed, so that more may fail. */
  #foldOneByOne(broken: BrokenFold, from: number, fails: (row: number, error: unknown) => void): void {
    const { folder, states, keyOf } = broken
    const { rowAt, slotOf } = this.#bucket
    const store = Array.isArray(states) || !states.isFlat ? null : states
    for (let row = from; row < this.#bucket.rows; row++) {
      const slot = slotOf[row]!
      const saved = store?.save(slot)
      try {
        folder.fold.run(rowAt, slotOf, row, row + 1, folder.handlerOf, keyOf)
      } catch (error) {
        fails(row, error)
        if (saved !== undefined) store!.restore(slot, saved)
        else this.#refoldKey(broken, row)
      }
    }
  }

  /** Folds the key of a failed event again from the piece's first event, as if the failed ones had never been. */
  #refoldKey({ folder, states, saved, rows, failed, keyOf }: BrokenFold, until: number): void {
    const { rowAt, slotOf } = this.#bucket
    const slot = slotOf[until]!
    if (Array.isArray(states)) states[slot] = makeStates(folder.view, 1)[0]
    else if (saved !== null && slot < saved.keys) states.restoreFrom(saved, slot)
    else states.reset(slot)
    guarded(() => {
      for (let i = rows.starts[slot]!; i < rows.starts[slot + 1]!; i++) {
        const row = rows.rows[i]!
        if (row < until && !failed.has(row)) folder.fold.run(rowAt, slotOf, row, row + 1, folder.handlerOf, keyOf)
      }
    })
  }

  /** Notes which keys an event of this view was folded into. */
  #touch(bucketFold: BucketFold, failed: ReadonlySet<number>, whole: boolean): void {
    const { rows, rowAt, slotOf, words, table } = this.#bucket
    if (whole && this.#folders.length === 1 && failed.size === 0 && this.#lateOf === null) return
    const { handlerOf } = bucketFold.folder
    const touched = enlarged(bucketFold.touched ?? new Uint8Array(0), table.size)
    for (let row = 0; row < rows; row++) {
      if (handlerOf[words[rowAt[row]! + 2]! & 0xffff] !== NO_HANDLER && !failed.has(row)) touched[slotOf[row]!] = 1
    }
    bucketFold.touched = touched
  }

  #handlerName(folder: Folder, row: number): string {
    const { words, rowAt } = this.#bucket
    return folder.view.handlerNames[folder.handlerOf[words[rowAt[row]! + 2]! & 0xffff]!] ?? '*'
  }

  #exceptionOf(folder: Folder, row: number, error: unknown): ExceptionRow {
    const event = folder.fold.eventAt(this.#bucket.rowAt[row]!) as Record<string, unknown>
    const { id, type } = this.#log.roles
    return {
      eventId: joinId(
        id.map((slot) => {
          const { name, type } = this.#log.slots[slot]!
          return idColumnText(type, event[name])
        }),
      ),
      type: type < 0 ? ONLY_TYPE : String(event[this.#log.slots[type]!.name]),
      reason: 'handler failed',
      detail: error instanceof Error ? error.message : String(error),
    }
  }

  #failure(folder: Folder, source: BucketSource, row: number, error: unknown): FoldFailure | ViewError {
    const slot = this.#bucket.slotOf[row]!
    const key = showKey(this.#keyReader(folder.view)(slot))
    if (this.#group.plan.strategy === 'combine') {
      return new ViewError(
        `View ${folder.view.name}, its merge, for key ${key}: ${describeThrown(error)}`,
        { view: folder.view.name, handler: 'merge' },
        { cause: error },
      )
    }
    const handler = this.#handlerName(folder, row)
    const { block, nth } = this.#bucket.originOf(this.#bucket.rowAt[row]!, source)
    const { split, ordinal } = source.blocks[block]!
    return new FoldFailure({ view: folder.view.name, handler, key, split, ordinal, bucket: source.bucket, nth }, error)
  }
}

/** Rows of neighbouring buckets that are read at once: more make reading no faster. */
const READ_AHEAD_WORDS_MAX = 1 << 22

/** Whether a key's state can be copied, so that it can be taken back to what it was before an event failed. */
function isFlat(view: PreparedView): boolean {
  return view.state !== undefined && new StateStore(view.state).isFlat
}

/** Gives a state to keys that have none yet. */
function makeRoom(bucketFold: BucketFold, keys: number): void {
  const { folder, states } = bucketFold
  if (keys === bucketFold.keys) return
  if (Array.isArray(states)) for (const state of makeStates(folder.view, keys - bucketFold.keys)) states.push(state)
  else states.extend(bucketFold.keys, keys)
  folder.seen.flags = enlarged(bucketFold.keys === 0 ? new Uint8Array(0) : folder.seen.flags, keys)
  bucketFold.keys = keys
}

function addLate(bucketFold: BucketFold, counts: Int32Array): void {
  const before = bucketFold.late
  if (before !== null) for (let slot = 0; slot < before.length; slot++) counts[slot]! += before[slot]!
  bucketFold.late = counts
}

function enlarged(flags: Uint8Array, length: number): Uint8Array {
  if (flags.length >= length) return flags
  const larger = new Uint8Array(Math.max(length, flags.length * 2))
  larger.set(flags)
  return larger
}

/** Free-form states: each an object of its own. */
function makeStates(view: PreparedView, count: number): unknown[] {
  const make = view.definition.state as () => unknown
  try {
    const states = guarded(() => Array.from({ length: count }, () => make()))
    const wrong = states.findIndex((state) => state === null || typeof state !== 'object')
    if (wrong >= 0) throw new ValueError('state', `expected an object, found ${String(states[wrong])}`)
    if (count > 1 && states[0] === states[1]) {
      throw new ValueError('state', 'expected a new object for each key, found the same one twice')
    }
    return states
  } catch (error) {
    const place = { view: view.name, handler: 'state' }
    throw new ViewError(`View ${view.name}, its state: ${describeThrown(error)}`, place, { cause: error })
  }
}

/** The fold of a bucket in which an event failed. */
interface BrokenFold {
  readonly folder: Folder
  readonly states: StateStore | unknown[]
  /** What the states were before the piece; null where it began with none. */
  readonly saved: SavedStates | null
  readonly rows: RowsBySlot
  /** Rows of the events that failed so far. */
  readonly failed: ReadonlySet<number>
  readonly keyOf: (slot: number) => unknown
}

/** Takes a state that was folded elsewhere: the first of a key is copied, all others are merged into it. */
function mergeHandler(view: PreparedView, seen: { flags: Uint8Array }): AnyHandler {
  const merge = view.definition.merge as unknown as (into: unknown, from: unknown) => void
  const names = Object.keys(view.state!)
  return (state, from, slot) => {
    if (seen.flags[slot as number] === 1) return merge(state, from)
    seen.flags[slot as number] = 1
    for (const name of names) (state as Record<string, unknown>)[name] = (from as Record<string, unknown>)[name]
  }
}

function writeParts(
  log: LogPlan,
  { view, status }: Folder,
  { part, vintages }: OpenPart,
  watermark: bigint | null,
  name: string,
  files: Store,
  pathOf: (view: string) => string,
): PartFile[] {
  const { rows, columns } = part.finish(status, watermark)
  const chunks = encodeParquet(outputSchema(log, view.definition), columns, { sorting: view.codec.names.length })
  const own = { ...files.writeNew(pathOf(view.name), chunks), view: view.name, name, rows, keys: part.keys }
  if (vintages === null) return [own]
  const of = vintagesName(view.name)
  const written = vintages.finish(status, (chunks) => files.writeNew(pathOf(of), chunks))
  return [own, { ...written, view: of, name }]
}
