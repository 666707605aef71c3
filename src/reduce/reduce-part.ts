import { ViewError } from '../model/errors.ts'
import { joinId } from '../model/event-id.ts'
import type { ExceptionRow } from '../model/report.ts'
import { encodeParquet } from '../parquet/write.ts'
import type { LogPlan } from '../plan/plan.ts'
import type { Block } from '../shuffle/block.ts'
import { BlockReader } from '../shuffle/block-memory.ts'
import type { Files, WrittenFile } from '../storage/files.ts'
import { type AnyHandler, compilePackedFold, NO_HANDLER, type PackedFold } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { placedHandlerOf, placedSlots, takePlacedState } from '../view/placed-states.ts'
import { guarded, PurityError } from '../view/purity.ts'
import { layoutRows, type RowLayout } from '../view/row-layout.ts'
import { ValueError } from '../view/runtime.ts'
import { ONLY_TYPE, type Slot } from '../view/slots.ts'
import { StateStore } from '../view/state.ts'
import { stateSlots } from '../view/state-slots.ts'
import { describeThrown } from '../view/thrown.ts'
import { outputSchema, type PreparedGroup, type PreparedView } from '../view/view-set.ts'
import { Bucket, type CompareRows, compileCompare } from './bucket.ts'
import { orderRows } from './order.ts'
import { Part } from './part.ts'

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
}

/** Reduces buckets of one group: orders and folds their rows, and writes each view's part file. */
export class GroupReducer {
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #layout: RowLayout
  readonly #bucket: Bucket
  readonly #folders: readonly Folder[]
  readonly #compare: CompareRows | null

  constructor(log: LogPlan, group: PreparedGroup) {
    this.#log = log
    this.#group = group
    const { plan, views } = group
    this.#layout = layoutRows(travellingSlots(log, group))
    this.#bucket = new Bucket(this.#layout)
    this.#folders = views.map((view, index) => this.#folder(view, index))
    this.#compare =
      plan.ordered && plan.strategy === 'shuffle'
        ? compileCompare(
            this.#layout,
            log.order.map((slot) => plan.slots.indexOf(slot)),
          )
        : null
  }

  #folder(view: PreparedView, index: number): Folder {
    const { strategy } = this.#group.plan
    const store = view.state === undefined ? null : new StateStore(view.state)
    const seen = { flags: new Uint8Array(0) }
    if (strategy === 'in-place') {
      const spec = {
        state: view.state,
        handlers: [takePlacedState(view, index)],
        absentNames: [],
        copiesEvents: false,
      }
      const handlerOf = placedHandlerOf(this.#group.views.length, index)
      return { view, fold: compilePackedFold(spec, this.#layout), handlerOf, store, seen }
    }
    if (strategy === 'combine') {
      const spec = { state: view.state, handlers: [mergeHandler(view, seen)], absentNames: [], copiesEvents: false }
      return { view, fold: compilePackedFold(spec, this.#layout), handlerOf: new Uint8Array(1), store, seen }
    }
    const packed = new Set(this.#group.plan.slots)
    const absentNames = this.#log.slots.filter((_, slot) => !packed.has(slot)).map((slot) => slot.name)
    const spec = {
      state: view.state,
      handlers: view.handlers,
      absentNames,
      copiesEvents: this.#group.plan.copiesEvents,
    }
    return { view, fold: compilePackedFold(spec, this.#layout), handlerOf: view.handlerOf, store, seen }
  }

  /** @param pathOf Where the part file of a view goes. */
  reduce(
    blocks: readonly Block[],
    from: number,
    to: number,
    name: string,
    files: Files,
    pathOf: (view: string) => string,
  ): ReduceResult {
    const parts = this.#folders.map(({ view }) => new Part(view))
    const exceptions: Record<string, ExceptionRow[]> = {}
    for (const { view } of this.#folders) exceptions[view.name] = []
    let rows: number
    const reader = new BlockReader(files)
    try {
      rows = this.#foldBuckets(blocks, from, to, reader, parts, exceptions)
    } finally {
      reader.close()
    }
    const written = this.#folders.map(({ view }, index) =>
      writePart(this.#log, view, parts[index]!, name, files, pathOf(view.name)),
    )
    return { parts: written, exceptions, rows }
  }

  /** @returns The number of rows that were folded. */
  #foldBuckets(
    blocks: readonly Block[],
    from: number,
    to: number,
    reader: BlockReader,
    parts: readonly Part[],
    exceptions: Readonly<Record<string, ExceptionRow[]>>,
  ): number {
    let rows = 0
    for (let bucket = from; bucket < to; bucket++) {
      this.#bucket.load(blocks, bucket, reader)
      rows += this.#bucket.rows
      if (this.#group.plan.strategy === 'in-place') this.#refuseKeysTwice(blocks)
      if (this.#compare !== null) orderRows(this.#bucket, this.#compare)
      for (const [index, folder] of this.#folders.entries()) {
        this.#foldBucket(folder, blocks, bucket, parts[index]!, exceptions[folder.view.name]!)
      }
    }
    return rows
  }

  /** States that were folded in place are one for each key, unless a key's events lie in two partitions. */
  #refuseKeysTwice(blocks: readonly Block[]): void {
    const { table, rows, slotOf, rowAt } = this.#bucket
    if (rows === table.size) return
    const first = new Int32Array(table.size).fill(-1)
    for (let row = 0; row < rows; row++) {
      const slot = slotOf[row]!
      if (first[slot]! < 0) {
        first[slot] = row
        continue
      }
      const splitOf = (at: number) => blocks[this.#bucket.originOf(rowAt[at]!).block]!.split
      const key = new Uint8Array(table.words.buffer, table.starts[slot]! * 4, table.lengths[slot]!).slice()
      const shown = showKey(this.#keyReader(this.#folders[0]!.view)(slot))
      throw new KeyTwiceFailure(key, shown, [splitOf(first[slot]!), splitOf(row)])
    }
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
    const keyOf = this.#group.plan.strategy === 'shuffle' ? this.#keyReader(view) : (slot: number) => slot
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
    part.add(bucket.table, states, this.#touched(folder, failed))
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
    if (this.#folders.length === 1 && failed.size === 0) return null
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

/** What a group's packed rows hold: events, or states that were folded where events are read. */
function travellingSlots(log: LogPlan, { plan, views }: PreparedGroup): Slot[] {
  if (plan.strategy === 'in-place') return placedSlots(views)
  if (plan.strategy === 'combine') return stateSlots(views[0]!.state!)
  return plan.slots.map((slot) => log.slots[slot]!)
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

/** The rows of each key, in order: those of slot s are `rows[starts[s] … starts[s + 1])`. */
interface RowsBySlot {
  readonly starts: Int32Array
  readonly rows: Int32Array
}

function rowsBySlot(slotOf: Int32Array, count: number, slots: number): RowsBySlot {
  const starts = new Int32Array(slots + 1)
  for (let row = 0; row < count; row++) starts[slotOf[row]! + 1]!++
  for (let slot = 0; slot < slots; slot++) starts[slot + 1]! += starts[slot]!
  const cursors = starts.slice()
  const rows = new Int32Array(count)
  for (let row = 0; row < count; row++) rows[cursors[slotOf[row]!]!++] = row
  return { starts, rows }
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

function writePart(log: LogPlan, view: PreparedView, part: Part, name: string, files: Files, path: string): PartFile {
  const { rows, columns } = part.finish()
  const chunks = encodeParquet(outputSchema(log, view.definition), columns, { sorting: view.codec.names.length })
  return { ...files.writeNew(path, chunks), view: view.name, name, rows, keys: part.keys }
}
