import type { Cut } from '../map/timelines.ts'
import { ViewError } from '../model/errors.ts'
import { joinId } from '../model/event-id.ts'
import type { ExceptionRow } from '../model/report.ts'
import { vintagesName } from '../model/view.ts'
import { encodeParquet } from '../parquet/write.ts'
import type { LogPlan } from '../plan/plan.ts'
import type { Block } from '../shuffle/block.ts'
import { BlockReader } from '../shuffle/block-memory.ts'
import type { Files, WrittenFile } from '../storage/files.ts'
import { type AnyHandler, compilePackedFold, NO_HANDLER, type PackedFold } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { type PackedLayout, packedLayout } from '../view/packed-layout.ts'
import { guarded, PurityError } from '../view/purity.ts'
import { ValueError } from '../view/runtime.ts'
import { ONLY_TYPE } from '../view/slots.ts'
import { StateStore } from '../view/state.ts'
import { describeThrown } from '../view/thrown.ts'
import { outputSchema, type PreparedGroup, type PreparedView } from '../view/view-set.ts'
import { Bucket, type CompareRows, compileCompare } from './bucket.ts'
import { countLate, type LateOf, makeLateOf, mergeCodes } from './late.ts'
import { orderRows } from './order.ts'
import { Part } from './part.ts'
import { type RowsBySlot, rowsBySlot } from './rows-by-slot.ts'
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

/** Reduces buckets of one group: orders and folds their rows, and writes each view's part file. */
export class GroupReducer {
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #packed: PackedLayout
  readonly #lateOf: LateOf | null
  readonly #bucket: Bucket
  readonly #folders: readonly Folder[]
  readonly #compare: CompareRows | null

  constructor(log: LogPlan, group: PreparedGroup) {
    this.#log = log
    this.#group = group
    const { plan, views } = group
    const combines = plan.strategy === 'combine'
    this.#packed = packedLayout(log, group)
    this.#lateOf = makeLateOf(group, this.#packed)
    this.#bucket = new Bucket(this.#packed.layout)
    this.#folders = views.map((view) => this.#folder(view, combines))
    this.#compare = plan.ordered
      ? compileCompare(
          this.#packed.layout,
          log.order.map((slot) => plan.slots.indexOf(slot)),
        )
      : null
  }

  #folder(view: PreparedView, combines: boolean): Folder {
    const store = view.state === undefined ? null : new StateStore(view.state)
    const seen = { flags: new Uint8Array(0) }
    const rest = { view, store, seen, status: makeStatusColumns(this.#log, view) }
    if (combines) {
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
    files: Files,
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
    let rows: number
    const reader = new BlockReader(files)
    try {
      rows = this.#foldBuckets(blocks, from, to, reader, parts, exceptions, time.cuts)
    } finally {
      reader.close()
    }
    const written = this.#folders.flatMap((folder, index) =>
      writeParts(this.#log, folder, parts[index]!, time.watermark, name, files, pathOf),
    )
    return { parts: written, exceptions, rows }
  }

  /** @returns The number of rows that were folded. */
  #foldBuckets(
    blocks: readonly Block[],
    from: number,
    to: number,
    reader: BlockReader,
    parts: readonly OpenPart[],
    exceptions: Readonly<Record<string, ExceptionRow[]>>,
    cuts: readonly Cut[],
  ): number {
    const cutOf = new Map(cuts.map(({ period }, cut) => [period, cut]))
    let rows = 0
    for (let bucket = from; bucket < to; bucket++) {
      this.#bucket.load(blocks, bucket, reader)
      rows += this.#bucket.rows
      if (this.#compare !== null) orderRows(this.#bucket, this.#compare)
      for (const [index, folder] of this.#folders.entries()) {
        const { part, vintages } = parts[index]!
        this.#foldBucket(folder, blocks, bucket, part, exceptions[folder.view.name]!)
        if (vintages !== null) this.#foldVintages(folder, blocks, bucket, vintages, cuts, cutOf)
      }
    }
    return rows
  }

  #foldBucket(
    folder: Folder,
    blocks: readonly Block[],
    bucketIndex: number,
    part: Part,
    exceptions: ExceptionRow[],
  ): void {
    const { view, fold, store } = folder
    const bucket = this.#bucket
    const keys = bucket.table.size
    if (keys === 0) return
    const states = store ?? makeStates(view, keys)
    store?.prepare(keys)
    folder.seen.flags = new Uint8Array(keys)
    fold.bindState(states)
    fold.bindRows(bucket.words, bucket.strings)
    const keyOf = this.#group.plan.strategy === 'combine' ? (slot: number) => slot : this.#keyReader(view)
    const failed = new Set<number>()
    const fails = (row: number, error: unknown) => {
      if (view.definition.onError !== 'quarantine' || error instanceof PurityError)
        throw this.#failure(folder, blocks, bucketIndex, row, error)
      failed.add(row)
      exceptions.push(this.#exceptionOf(folder, row, error))
    }
    try {
      guarded(() => fold.run(bucket.rowAt, bucket.slotOf, 0, bucket.rows, folder.handlerOf, keyOf))
    } catch (error) {
      const row = fold.at()
      fails(row, error)
      const broken = { folder, states, rows: rowsBySlot(bucket.slotOf, bucket.rows, keys), failed, keyOf }
      this.#refoldKey(broken, row)
      guarded(() => this.#foldOneByOne(broken, row + 1, fails))
    }
    const late = this.#lateOf === null ? null : countLate(bucket, this.#lateOf, failed)
    part.add(bucket.table, states, this.#touched(folder, failed), late)
  }

  #foldVintages(
    folder: Folder,
    blocks: readonly Block[],
    bucketIndex: number,
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
          throw this.#failure(folder, blocks, bucketIndex, row, error)
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

  /** Folds the key of a failed event again from its first event, as if the failed ones had never been. */
  #refoldKey({ folder, states, rows, failed, keyOf }: BrokenFold, until: number): void {
    const { rowAt, slotOf } = this.#bucket
    const slot = slotOf[until]!
    if (Array.isArray(states)) states[slot] = makeStates(folder.view, 1)[0]
    else states.reset(slot)
    guarded(() => {
      for (let i = rows.starts[slot]!; i < rows.starts[slot + 1]!; i++) {
        const row = rows.rows[i]!
        if (row < until && !failed.has(row)) folder.fold.run(rowAt, slotOf, row, row + 1, folder.handlerOf, keyOf)
      }
    })
  }

  /** Keys that an event of this view was folded into; null where those are all. */
  #touched(folder: Folder, failed: ReadonlySet<number>): Uint8Array | null {
    const { rows, rowAt, slotOf, words, table } = this.#bucket
    if (this.#folders.length === 1 && failed.size === 0 && this.#lateOf === null) return null
    const touched = new Uint8Array(table.size)
    for (let row = 0; row < rows; row++) {
      if (folder.handlerOf[words[rowAt[row]! + 2]! & 0xffff] !== NO_HANDLER && !failed.has(row))
        touched[slotOf[row]!] = 1
    }
    return touched
  }

  #handlerName(folder: Folder, row: number): string {
    const { words, rowAt } = this.#bucket
    return folder.view.handlerNames[folder.handlerOf[words[rowAt[row]! + 2]! & 0xffff]!] ?? '*'
  }

  #exceptionOf(folder: Folder, row: number, error: unknown): ExceptionRow {
    const event = folder.fold.eventAt(this.#bucket.rowAt[row]!) as Record<string, unknown>
    const { id, type } = this.#log.roles
    return {
      eventId: joinId(id.map((slot) => String(event[this.#log.slots[slot]!.name]))),
      type: type < 0 ? ONLY_TYPE : String(event[this.#log.slots[type]!.name]),
      reason: 'handler failed',
      detail: error instanceof Error ? error.message : String(error),
    }
  }

  #failure(
    folder: Folder,
    blocks: readonly Block[],
    bucket: number,
    row: number,
    error: unknown,
  ): FoldFailure | ViewError {
    const slot = this.#bucket.slotOf[row]!
    const key = showKey(this.#keyReader(folder.view)(slot))
    if (this.#group.plan.strategy === 'combine') {
      return new ViewError(
        `View ${folder.view.name}, its merge, for key ${key}: ${describeThrown(error)}`,
        { view: folder.view.name, handler: 'merge' },
        { cause: error },
      )
    }
    const { block, nth } = this.#bucket.originOf(this.#bucket.rowAt[row]!)
    const { split, ordinal } = blocks[block]!
    return new FoldFailure(
      { view: folder.view.name, handler: this.#handlerName(folder, row), key, split, ordinal, bucket, nth },
      error,
    )
  }
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
  files: Files,
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
