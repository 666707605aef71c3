import { MisfitError } from '../columns/from-values.ts'
import { withRoom } from '../columns/grow.ts'
import { makeBlockPacker, type PackBlock } from '../map/block-packer.ts'
import type { FoundKeys } from '../map/emitted-rows.ts'
import { type KeySource, keySlots, makeKeySource } from '../map/key-source.ts'
import { BatchwiseSide, type MappedBatch, type MapSide, type Sendable, type SentRows } from '../map/map-side.ts'
import { splitByPeriod } from '../map/periods.ts'
import type { BatchWindows } from '../map/windows.ts'
import type { Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import type { FoldedLog, LogPlan, MayReturn } from '../model/plan.ts'
import type { FailedRow, ReduceSide, ViewFold } from '../reduce/reduce-side.ts'
import type { Batch } from '../scan/event-batch.ts'
import { functionError } from '../scan/places.ts'
import { sketchHashes } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { type ColumnFold, compileColumnFold, compilePackedFold, NO_HANDLER } from '../view/fold.ts'
import { eventFoldSpec, stateFoldSpec } from '../view/fold-spec.ts'
import { showKey } from '../view/key-codec.ts'
import { type PackedLayout, packedLayout } from '../view/packed-layout.ts'
import { guarded } from '../view/purity.ts'
import { StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { stateSlots } from '../view/state-slots.ts'
import { describeThrown } from '../view/thrown.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import type { FoldStrategy } from './strategy.ts'

/** A batch's events are folded into one state a key where they are read; states travel, and are merged where they arrive. */
export const combine: FoldStrategy = {
  mapSide: (log, group, memory) => new BatchCombiner(log, group, memory),
  reduceSide: stateMerger,
}

/** A state, and in a view with windows how many late events went into it. */
function stateLayout(log: FoldedLog, view: PreparedView): PackedLayout {
  return packedLayout(log, stateSlots(view.state!), view.window !== null)
}

class BatchCombiner extends BatchwiseSide implements MapSide {
  readonly slots: readonly number[]
  readonly #view: PreparedView
  readonly #readSlots: readonly number[]
  readonly #keys: KeySource
  readonly #fold: ColumnFold
  readonly #pack: PackBlock

  constructor(log: LogPlan, group: PreparedGroup, memory: BlockMemory) {
    super()
    const { plan, views } = group
    const view = views[0]!
    this.slots = keySlots(log, group)
    this.#view = view
    this.#readSlots = plan.slots
    this.#keys = makeKeySource(log, group)
    this.#pack = makeBlockPacker(log, plan, stateLayout(log, view).layout, memory)
    this.#fold = compileColumnFold(
      eventFoldSpec(log, plan, view),
      plan.slots.map((slot) => log.slots[slot]!),
    )
  }

  emit(batch: Batch, kept: Int32Array, windows: BatchWindows | null): Sendable {
    const found = this.#keys.distinctKeys(batch, kept, windows)
    return { emission: found, send: (sent) => this.#send(batch, found, sent) }
  }

  /** One state a key, or a key and period. */
  #send(batch: Batch, byKey: FoundKeys, { typeCodes, late, periods, at, sketch }: SentRows): MappedBatch {
    sketchHashes(sketch, byKey.distinct.hashes, byKey.distinct.count)
    const { found, periodOf } = periods === null ? { found: byKey, periodOf: null } : splitByPeriod(byKey, periods)
    const { distinct } = found
    const keyOf = this.#keyReader(found)
    const store = this.#foldBatch(batch, found, typeCodes, keyOf)
    const tally = this.#view.window === null ? null : tallyLate(found, late, typeCodes, this.#view.handlerOf)
    const columns = store.columns.map((column) => stateColumn(this.#view, column, distinct.count, keyOf))
    for (const hidden of [tally?.late, periodOf]) if (hidden) columns.push(int32Column(hidden))
    const block = this.#pack(at, {
      count: distinct.count,
      rows: Int32Array.from({ length: distinct.count }, (_, slot) => slot),
      hashes: distinct.hashes,
      keyData: distinct.data,
      keyStarts: distinct.starts,
      keyLengths: distinct.lengths,
      typeCodes: tally?.codes ?? new Uint16Array(distinct.count),
      columns,
    })
    return { block, keyed: null }
  }

  #keyReader({ distinct: { count, data, starts, lengths } }: FoundKeys): (slot: number) => unknown {
    const keys = new Array<unknown>(count)
    return (slot) =>
      (keys[slot] ??= Object.freeze(this.#view.codec.read(data, starts[slot]!, starts[slot]! + lengths[slot]!)))
  }

  #foldBatch(
    batch: Batch,
    { rows, slots, count, distinct }: FoundKeys,
    typeCodes: Uint16Array,
    keyOf: (slot: number) => unknown,
  ): StateStore {
    const view = this.#view
    const fold = this.#fold
    const store = new StateStore(view.state!)
    store.prepare(distinct.count)
    fold.bindState(store)
    fold.bindColumns(
      this.#readSlots.map((slot) => batch.columns[slot]),
      typeCodes,
    )
    try {
      guarded(() => fold.run(rows, slots, 0, count, view.handlerOf, keyOf), view.clock)
    } catch (error) {
      const row = rows[fold.at()]!
      const handler = view.handlerNames[view.handlerOf[typeCodes[row]!]!]!
      const who = `View ${view.name}, handler ${handler}, key ${showKey(keyOf(slots[fold.at()]!))}`
      throw functionError({ view: view.name, handler }, who, batch, row, error)
    }
    return store
  }
}

function int32Column(values: Int32Array): Column {
  return { kind: 'int32', length: values.length, nullCount: 0, validity: null, values }
}

/**
 * Of each key's state: how many of its events were late, and the code it travels under: 0, or 1 where all its events
 * were refused, so that there is nothing to merge.
 */
function tallyLate(
  { count, rows, slots, distinct }: FoundKeys,
  late: Uint8Array | null,
  typeCodes: Uint16Array,
  handlerOf: Uint8Array,
): { late: Int32Array; codes: Uint16Array } {
  const tally = { late: new Int32Array(distinct.count), codes: new Uint16Array(distinct.count) }
  if (late === null) return tally
  tally.codes.fill(1)
  for (let i = 0; i < count; i++) {
    tally.late[slots[i]!]! += late[rows[i]!]!
    if (handlerOf[typeCodes[rows[i]!]!] !== NO_HANDLER) tally.codes[slots[i]!] = 0
  }
  return tally
}

function stateColumn(
  view: PreparedView,
  column: StateStore['columns'][number],
  count: number,
  keyOf: (slot: number) => unknown,
): Column {
  try {
    return storeColumn(column, null, count)
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    throw new ViewError(
      `View ${view.name}, for key ${showKey(keyOf(error.row))}: state "${column.name}": ${error.message}.`,
      { view: view.name, column: column.name },
    )
  }
}

/** By type code, which handler merges a state: code 1 is of keys all of whose events were refused. */
const mergeCodes = Uint8Array.of(0, NO_HANDLER)

function stateMerger(log: FoldedLog, { plan, views }: PreparedGroup): ReduceSide {
  const packed = stateLayout(log, views[0]!)
  return {
    packed,
    compare: null,
    foldOf: (view) => mergeFold(view, packed, plan.returns[view.name]!.merge),
    // Merging asks for the slot: whether it is a key's first state.
    keyArgument: () => (slot) => slot,
    checkPiece: () => {},
    failure: mergeFailure,
  }
}

/** The first state of a key is copied, all others are merged into it. */
function mergeFold(view: PreparedView, packed: PackedLayout, returns: MayReturn): ViewFold {
  const merge = view.definition.merge as unknown as (into: unknown, from: unknown) => unknown
  const names = Object.keys(view.state!)
  let seen: Uint8Array = new Uint8Array(0)
  const mergeState = (state: unknown, from: unknown, slot: unknown) => {
    if (seen[slot as number] === 1) return merge(state, from)
    seen[slot as number] = 1
    for (const name of names) (state as Record<string, unknown>)[name] = (from as Record<string, unknown>)[name]
    return undefined
  }
  return {
    fold: compilePackedFold(stateFoldSpec(view, mergeState, returns), packed.visible),
    handlerOf: mergeCodes,
    begin(from, to) {
      seen = from === 0 ? new Uint8Array(to) : withRoom(seen, to)
    },
  }
}

function mergeFailure({ view, key }: FailedRow, error: unknown): ViewError {
  return new ViewError(
    `View ${view}, its merge, for key ${key}: ${describeThrown(error)}`,
    { view, handler: 'merge' },
    { cause: error },
  )
}
