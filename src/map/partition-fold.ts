import { gatherColumn } from '../columns/gather.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import type { Column } from '../model/column.ts'
import type { ViewError } from '../model/errors.ts'
import { isOrderSensitive } from '../model/order.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import { functionError } from '../scan/places.ts'
import { sketchHashes } from '../shuffle/block.ts'
import type { KeyTable } from '../shuffle/key-table.ts'
import type { PackInput } from '../shuffle/pack.ts'
import { type ColumnFold, compileColumnFold, NO_HANDLER } from '../view/fold.ts'
import { eventFoldSpec } from '../view/fold-spec.ts'
import { showKey } from '../view/key-codec.ts'
import type { OrderFound } from '../view/order-tally.ts'
import { guarded } from '../view/purity.ts'
import { StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import { KeyOrder, orderColumns, sortByKey } from './key-order.ts'
import { gatherKeys, type KeyedEvents, withoutWaiting } from './keyed-events.ts'
import { PartitionKeys } from './partition-keys.ts'
import { countTies, noTies, type OrderedEvents } from './partition-ties.ts'

interface ViewAccumulator {
  readonly view: PreparedView
  readonly fold: ColumnFold
  readonly store: StateStore
  /** The view's bit in the code that a key's states travel under. */
  readonly bit: number
}

/**
 * Folds all events of a partition where they are read. Keys whose events come in the log's order are folded batch by
 * batch. Those that turn out not to, which may be after some of their events were folded, begin again when the partition
 * ends: their events are gathered, sorted and folded as one batch. So are keys whose handler threw, as it may
 * have seen an event too early. The result is the same as that of a shuffle.
 */
export class PartitionFold {
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #keys: PartitionKeys
  readonly #keyOrder: KeyOrder
  readonly #accumulators: readonly ViewAccumulator[]
  /** The partition's events so far, where they may prove to be out of order. */
  #events: KeyedEvents[] = []
  /** By key: 1 where its events wait for the end of the partition. */
  #waits = new Uint8Array(1 << 12)
  #anyWaits = false
  /** By key: 1 where it has events that nothing declared tells apart. */
  #tied = new Uint8Array(1 << 12)
  /** What was found of the order, by view whose result depends on it. */
  readonly #found = new Map<string, OrderFound>()
  /** By key: the bits of the views that took any of its events. */
  #takenBy = new Uint16Array(1 << 12)
  #known = 0
  /** By key: what handlers see of it, for those that were requested. */
  #keyObjects: unknown[] = []

  constructor(log: LogPlan, group: PreparedGroup) {
    const { plan, views } = group
    const slots = plan.slots.map((slot) => log.slots[slot]!)
    this.#log = log
    this.#group = group
    this.#keyOrder = new KeyOrder(plan.order)
    this.#keys = new PartitionKeys(log, views[0]!)
    this.#accumulators = views.map((view, index) => {
      const fold = compileColumnFold(eventFoldSpec(log, plan, view), slots)
      return { view, fold, store: new StateStore(view.state!), bit: 1 << index }
    })
  }

  /** Forgets the partition; keeps the memory. */
  clear(): void {
    this.#keys.table.clear()
    this.#keyOrder.clear()
    this.#events = []
    this.#anyWaits = false
    this.#known = 0
    this.#keyObjects = []
  }

  /** @param typeCodes By row of the batch: code of its type in the group. */
  add(batch: Batch, rows: Int32Array, typeCodes: Uint16Array): void {
    const slots = this.#keys.slotsOf(batch, rows)
    this.#welcomeKeys()
    this.#noteViews(rows, slots, typeCodes)
    const events = { batch, rows, slots, typeCodes }
    if (this.#group.plan.order.length > 0) {
      this.#events.push({ ...events, batch: this.#withoutOthersColumns(batch) })
      const marks = { disordered: this.#waits, tied: this.#tied }
      const columns = orderColumns(this.#log.slots, this.#group, (slot) => batch.columns[slot]!, typeCodes)
      if (this.#keyOrder.take(columns, batch.rows, rows, slots, this.#known, marks)) this.#anyWaits = true
    }
    const folded = this.#anyWaits ? withoutWaiting(events, this.#waits) : events
    const columns = this.#group.plan.slots.map((slot) => batch.columns[slot])
    for (const accumulator of this.#accumulators) this.#fold(accumulator, folded, columns)
  }

  /**
   * Folds what had to wait.
   *
   * @returns Each key's states, to be packed, and what was found of the order; counts the keys in `sketch`.
   */
  finish(sketch: Uint8Array): { states: PackInput; order: Readonly<Record<string, OrderFound>> } {
    this.#found.clear()
    for (const { view } of this.#accumulators) if (isOrderSensitive(view.definition)) this.#found.set(view.name, noTies)
    if (this.#anyWaits || this.#keyOrder.anyTies) this.#finishOrder()
    const { table } = this.#keys
    sketchHashes(sketch, table.hashes, table.size)
    return { states: packedStates(table, this.#takenBy, this.#accumulators), order: Object.fromEntries(this.#found) }
  }

  /** Gives the keys that the latest batch added a state and all other values kept by key. */
  #welcomeKeys(): void {
    const { size } = this.#keys.table
    if (size > this.#waits.length) {
      this.#waits = enlarged(this.#waits, new Uint8Array(size * 2))
      this.#tied = enlarged(this.#tied, new Uint8Array(size * 2))
      this.#takenBy = enlarged(this.#takenBy, new Uint16Array(size * 2))
    }
    this.#waits.fill(0, this.#known, size)
    this.#tied.fill(0, this.#known, size)
    this.#takenBy.fill(this.#accumulators.length === 1 ? 1 : 0, this.#known, size)
    for (const { store } of this.#accumulators) store.extend(this.#known, size)
    this.#known = size
  }

  #noteViews(rows: Int32Array, slots: Int32Array, typeCodes: Uint16Array): void {
    // One view takes all events that come here.
    if (this.#accumulators.length === 1) return
    const bits = new Uint16Array(this.#group.memberOf.length)
    for (const { view, bit } of this.#accumulators) {
      for (let code = 0; code < bits.length; code++) if (view.handlerOf[code] !== NO_HANDLER) bits[code]! |= bit
    }
    const takenBy = this.#takenBy
    for (let i = 0; i < rows.length; i++) takenBy[slots[i]!]! |= bits[typeCodes[rows[i]!]!]!
  }

  /** What waits for the end of the partition keeps no columns in memory that only keys or other groups are made of. */
  #withoutOthersColumns(batch: Batch): Batch {
    const columns = new Array<SlotColumn | undefined>(batch.columns.length)
    for (const slot of this.#group.plan.slots) columns[slot] = batch.columns[slot]
    return { ...batch, columns }
  }

  #fold(
    accumulator: ViewAccumulator,
    { batch, rows, slots, typeCodes }: KeyedEvents,
    columns: readonly (Column | undefined)[],
  ): void {
    const { fold, view, store } = accumulator
    fold.bindState(store)
    fold.bindColumns(columns, typeCodes)
    for (let from = 0; from < rows.length; ) {
      try {
        guarded(() => fold.run(rows, slots, from, rows.length, view.handlerOf, this.#keyOf), view.clock)
        return
      } catch (error) {
        const at = fold.at()
        if (this.#group.plan.order.length === 0) {
          throw handlerError(view, this.#keyOf(slots[at]!), typeCodes[rows[at]!]!, { batch, row: rows[at]! }, error)
        }
        // An event that belongs before this one may still come.
        this.#waits[slots[at]!] = 1
        this.#anyWaits = true
        from = at + 1
      }
    }
  }

  readonly #keyOf = (slot: number): unknown => (this.#keyObjects[slot] ??= Object.freeze(this.#keys.keyAt(slot)))

  /** Gathers the events of keys that wait, or have ties to be counted; folds the former and counts the latter. */
  #finishOrder(): void {
    const chosen = this.#waits.slice(0, this.#known)
    const sensitive = this.#accumulators.filter(({ view }) => isOrderSensitive(view.definition))
    if (sensitive.length > 0) for (let slot = 0; slot < this.#known; slot++) chosen[slot]! |= this.#tied[slot]!
    const { gathered, slots, typeCodes } = gatherKeys(this.#events, chosen)
    const columnOf = (slot: number) =>
      gatherColumn(
        this.#events.map(({ batch }) => batch.columns[slot]!),
        gathered,
      )
    const columns = new Map(this.#group.plan.slots.map((slot): [number, SlotColumn] => [slot, columnOf(slot)]))
    const ordering = orderColumns(this.#log.slots, this.#group, (slot) => columns.get(slot)!, typeCodes)
    const terms = this.#group.plan.order
    const order = sortByKey(terms, ordering, slots, this.#known)
    const batches = this.#events.map(({ batch }) => batch)
    const events = {
      log: this.#log,
      keys: this.#keys,
      batches,
      gathered,
      order,
      slots,
      typeCodes,
      terms,
      columns: ordering,
    }
    for (const { view } of sensitive) this.#found.set(view.name, countTies(events, view))
    if (this.#anyWaits) this.#foldWaiting(events, [...columns.values()])
  }

  #foldWaiting({ order, slots, typeCodes, gathered }: OrderedEvents, columns: readonly SlotColumn[]): void {
    for (const { store } of this.#accumulators) {
      for (let slot = 0; slot < this.#known; slot++) if (this.#waits[slot] === 1) store.reset(slot)
    }
    const waiting = order.filter((event) => this.#waits[slots[event]!] === 1)
    const waitingSlots = waiting.map((event) => slots[event]!)
    for (const { view, fold, store } of this.#accumulators) {
      fold.bindState(store)
      fold.bindColumns(columns, typeCodes)
      try {
        guarded(() => fold.run(waiting, waitingSlots, 0, waiting.length, view.handlerOf, this.#keyOf), view.clock)
      } catch (error) {
        const event = waiting[fold.at()]!
        const { batch } = this.#events[gathered.batches[event]!]!
        const key = this.#keyOf(slots[event]!)
        throw handlerError(view, key, typeCodes[event]!, { batch, row: gathered.rows[event]! }, error)
      }
    }
  }
}

/** Each key's states, as rows to be packed. */
function packedStates(table: KeyTable, takenBy: Uint16Array, accumulators: readonly ViewAccumulator[]): PackInput {
  const count = table.size
  return {
    count,
    rows: Int32Array.from({ length: count }, (_, slot) => slot),
    hashes: table.hashes,
    keyData: new Uint8Array(table.words.buffer),
    keyStarts: table.starts.slice(0, count).map((word) => word * 4),
    keyLengths: table.lengths,
    typeCodes: takenBy,
    columns: accumulators.flatMap(({ store }) => store.columns.map((column) => storeColumn(column, null, count))),
  }
}

function handlerError(
  view: PreparedView,
  key: unknown,
  typeCode: number,
  { batch, row }: { readonly batch: Batch; readonly row: number },
  error: unknown,
): ViewError {
  const handler = view.handlerNames[view.handlerOf[typeCode]!]!
  const who = `View ${view.name}, handler ${handler}, key ${showKey(key)}`
  return functionError({ view: view.name, handler }, who, batch, row, error)
}

function enlarged<T extends Uint8Array | Uint16Array>(from: T, to: T): T {
  to.set(from)
  return to
}
