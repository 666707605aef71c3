import type { BytesColumn, Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import type { LogPlan } from '../plan/plan.ts'
import { type Block, sketchHashes } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { KeyTable } from '../shuffle/key-table.ts'
import { compilePacker, type Packer, type PackInput } from '../shuffle/pack.ts'
import { type ColumnFold, compileColumnFold, NO_HANDLER } from '../view/fold.ts'
import { MisfitError } from '../view/from-values.ts'
import { showKey } from '../view/key-codec.ts'
import { placedSlots } from '../view/placed-states.ts'
import { guarded } from '../view/purity.ts'
import { layoutRows } from '../view/row-layout.ts'
import { StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { stateSlots } from '../view/state-slots.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import type { Batch } from './batch.ts'
import {
  type Emission,
  emitByFunction,
  emitByStringKey,
  functionError,
  type KeyedRows,
  spreadKeys,
  unknownType,
} from './emission.ts'
import { idText } from './identity.ts'
import { compileKeyLoop, type FoundKeys, type KeyLoop } from './key-loop.ts'
import { PartitionFold, type PartitionReader } from './partition-fold.ts'
import type { MapTotals } from './totals.ts'
import type { BatchTypes } from './types.ts'

export interface BlockPlace {
  readonly split: number
  readonly ordinal: number
}

export interface MappedBatch {
  readonly block: Block
  /** What was packed; null where states were, in place of events. */
  readonly keyed: KeyedRows | null
}

/** Maps batches for the views of one group: chooses rows, finds their keys, and packs them for the shuffle. */
export class GroupMapper {
  readonly needed: readonly number[]
  readonly mayQuarantine: boolean
  readonly #log: LogPlan
  readonly #group: PreparedGroup
  readonly #pack: Packer
  readonly #memory: BlockMemory
  readonly #keyLoop: KeyLoop | null
  readonly #fold: ColumnFold | null
  /** Folds whole partitions; null where the strategy is another. */
  readonly #placed: PartitionFold | null
  /** What takes the events of the partition that is being read; null where none is. */
  #partition: PartitionReader | null = null

  constructor(log: LogPlan, group: PreparedGroup, memory: BlockMemory) {
    this.#memory = memory
    this.#log = log
    this.#group = group
    const { plan, views } = group
    const only = views[0]!
    const byFunction = only.definition.by !== undefined || only.definition.filter !== undefined
    const needsKeySlot = views.some((view) => view.definition.by === undefined)
    this.needed = [...plan.slots, ...plan.mapSlots, ...(needsKeySlot ? [log.roles.key] : [])]
    this.mayQuarantine = views.some((view) => view.definition.unknown === 'quarantine')
    const combine = plan.strategy === 'combine'
    const inPlace = plan.strategy === 'in-place'
    const eventSlots = plan.slots.map((slot) => log.slots[slot]!)
    this.#pack = compilePacker(
      layoutRows(inPlace ? placedSlots(views) : combine ? stateSlots(only.state!) : eventSlots),
    )
    this.#placed = inPlace ? new PartitionFold(log, group) : null
    const absentNames = (slots: readonly number[]) =>
      log.slots.filter((_, slot) => !slots.includes(slot)).map((slot) => slot.name)
    const keyedByCursor = byFunction || (needsKeySlot && !inPlace && log.slots[log.roles.key]!.storage !== 'str')
    const cursorSlots = this.#cursorSlots(keyedByCursor)
    this.#keyLoop = keyedByCursor
      ? compileKeyLoop(
          only,
          cursorSlots.map((slot) => log.slots[slot]!),
          absentNames(cursorSlots),
          plan.copiesEvents,
        )
      : null
    this.#fold = combine
      ? compileColumnFold(
          {
            state: only.state,
            handlers: only.handlers,
            absentNames: absentNames(plan.slots),
            copiesEvents: plan.copiesEvents,
          },
          plan.slots.map((slot) => log.slots[slot]!),
        )
      : null
  }

  #cursorSlots(keyedByCursor: boolean): readonly number[] {
    const { mapSlots } = this.#group.plan
    const { key } = this.#log.roles
    const readsKey = keyedByCursor && this.#group.views[0]!.definition.by === undefined
    return readsKey && !mapSlots.includes(key) ? [...mapSlots, key] : mapSlots
  }

  /** Begins a partition: the batches from here on are folded in place. */
  openPartition(): void {
    this.#placed?.clear()
    this.#partition = this.#placed
  }

  /** Lets something else look at the events that would be folded in place. */
  watchPartition(reader: PartitionReader): void {
    this.#partition = reader
  }

  /** Ends a partition. @returns The states of its keys; null where none were folded in place. */
  closePartition(at: BlockPlace, sketch: Uint8Array): Block | null {
    this.#partition = null
    if (this.#placed === null) return null
    const states = this.#placed.finish(sketch)
    return states.count === 0 ? null : this.#block(at, states)
  }

  /** Forgets a partition that was not read to its end. */
  leavePartition(): void {
    this.#partition = null
    this.#placed?.clear()
  }

  /**
   * @param sketch Counts the keys, of all batches together.
   * @returns Null where the batch holds nothing for the group, or the group's events are folded in place.
   */
  map(
    batch: Batch,
    rows: Int32Array,
    types: BatchTypes,
    at: BlockPlace,
    totals: MapTotals,
    sketch: Uint8Array,
  ): MappedBatch | null {
    const codeOf = Uint16Array.from(types.names, (name) => this.#group.typeCodes.get(name) ?? 0)
    const folded = this.#settleTypes(batch, rows, types, codeOf, totals)
    const kept = selectRows(rows, types.codes, folded)
    const emission = this.#emit(batch, kept)
    this.#countApplied(batch, rows, types, codeOf, emission, totals)
    if (emission.count === 0) return null
    const typeCodes = new Uint16Array(batch.rows)
    for (let i = 0; i < kept.length; i++) typeCodes[kept[i]!] = codeOf[types.codes[kept[i]!]!]!
    if (!('hashes' in emission || 'distinct' in emission)) {
      this.#partition?.add(batch, emission.rows, typeCodes)
      return null
    }
    const { hashes } = 'distinct' in emission ? emission.distinct : emission
    sketchHashes(sketch, hashes, hashes.length)
    if (this.#fold !== null) {
      const found = 'distinct' in emission ? emission : internKeys(emission)
      return { block: this.#combine(batch, found, typeCodes, at), keyed: null }
    }
    const keyed = 'distinct' in emission ? spreadKeys(emission) : emission
    return { block: this.#packEvents(batch, keyed, typeCodes, at), keyed }
  }

  /** By local type code: 1 where any view of the group has a handler. Types no view handles go by its policy. */
  #settleTypes(batch: Batch, rows: Int32Array, types: BatchTypes, codeOf: Uint16Array, totals: MapTotals): Uint8Array {
    const folded = new Uint8Array(types.names.length)
    for (const view of this.#group.views) {
      const refused = new Uint8Array(types.names.length)
      types.names.forEach((name, code) => {
        if (view.handlerOf[codeOf[code]!] !== NO_HANDLER) folded[code] = 1
        else if (view.definition.unknown !== 'filter' && !this.#isKnown(name)) refused[code] = 1
      })
      if (refused.includes(1)) this.#refuseTypes(view, refused, batch, rows, types, totals)
    }
    return folded
  }

  #isKnown(name: string): boolean {
    const { log } = this.#group.views[0]!.definition
    return log.types?.includes(name) ?? false
  }

  /** Lists events of the refused types, one of several types once for each. */
  #refuseTypes(
    view: PreparedView,
    refused: Uint8Array,
    batch: Batch,
    rows: Int32Array,
    types: BatchTypes,
    totals: MapTotals,
  ): void {
    let last = -1
    let listed: number[] = []
    for (const row of rows) {
      const code = types.codes[row]!
      if (refused[code] === 0) continue
      const type = types.names[code]!
      if (view.definition.unknown === 'fail') throw unknownType(view.name, type, batch, row)
      const origin = batch.origin === null ? row : batch.origin[row]!
      if (origin !== last) listed = []
      last = origin
      if (listed.includes(code)) continue
      listed.push(code)
      totals.exceptions[view.name]!.push({
        eventId: idText(this.#log, batch, row),
        type,
        reason: 'unknown type',
        detail: '',
      })
    }
  }

  /** An emission without keys is of events that are folded in place: their keys are numbered by partition. */
  #emit(batch: Batch, kept: Int32Array): KeyedRows | FoundKeys | Emission {
    if (this.#placed !== null) {
      const rows = this.#keyLoop === null ? kept : this.#emitByKeyLoop(this.#keyLoop, batch, kept).rows
      return { count: rows.length, rows, several: false }
    }
    if (this.#keyLoop === null) return emitByStringKey(batch.columns[this.#log.roles.key]!, kept, batch)
    return this.#emitByKeyLoop(this.#keyLoop, batch, kept)
  }

  #emitByKeyLoop(loop: KeyLoop, batch: Batch, kept: Int32Array): FoundKeys {
    loop.bindColumns(this.#cursorSlots(true).map((slot) => batch.columns[slot]))
    return emitByFunction(this.#group.views[0]!, loop, kept, batch)
  }

  /**
   * An event is applied once to a view however many keys it has, or new events its upcaster made of it; where any of
   * those is refused, the event counts as quarantined.
   */
  #countApplied(
    batch: Batch,
    rows: Int32Array,
    types: BatchTypes,
    codeOf: Uint16Array,
    emission: Emission,
    totals: MapTotals,
  ): void {
    const events = countDistinct(rows, batch.origin)
    for (const view of this.#group.views) {
      const counters = totals.counters[view.name]!
      const handled = (row: number) => view.handlerOf[codeOf[types.codes[row]!]!] !== NO_HANDLER
      const strange = (row: number) => !handled(row) && !this.#isKnown(types.names[types.codes[row]!]!)
      const refused = view.definition.unknown === 'quarantine' ? distinctEvents(rows, batch.origin, strange) : noEvents
      const counted =
        refused.size === 0 ? handled : (row: number) => handled(row) && !refused.has(batch.origin?.[row] ?? row)
      const eachOnce = !emission.several && batch.origin === null && refused.size === 0
      const applied =
        eachOnce && (this.#group.views.length === 1 || handlesAll(view, types, codeOf))
          ? emission.count
          : countDistinct(emission.rows, batch.origin, counted)
      counters.applied += applied
      counters.quarantined += refused.size
      counters.filtered += events - applied - refused.size
    }
  }

  #packEvents(batch: Batch, keyed: KeyedRows, typeCodes: Uint16Array, at: BlockPlace): Block {
    const columns = this.#group.plan.slots.map((slot) => batch.columns[slot]!)
    return this.#block(at, { ...keyed, typeCodes, columns })
  }

  #block(at: BlockPlace, input: PackInput): Block {
    const { words, starts } = this.#pack(input, this.#log.bucketBits, (count) => this.#memory.allocate(count))
    const strings = input.columns.map((column) =>
      column.kind === 'dictionary' && column.dictionary.kind === 'bytes' ? sharedBytes(column.dictionary) : null,
    )
    return { ...at, rows: input.count, words: this.#memory.keep(words, starts), firstBucket: 0, starts, strings }
  }

  /** Folds the batch's events into one state a key, and packs the states. */
  #combine(batch: Batch, found: FoundKeys, typeCodes: Uint16Array, at: BlockPlace): Block {
    const view = this.#group.views[0]!
    const { slots, distinct } = found
    const store = new StateStore(view.state!)
    store.prepare(distinct.count)
    const keys = new Array<unknown>(distinct.count)
    const keyOf = (slot: number) =>
      (keys[slot] ??= view.codec.read(
        distinct.data,
        distinct.starts[slot]!,
        distinct.starts[slot]! + distinct.lengths[slot]!,
      ))
    const fold = this.#fold!
    fold.bindState(store)
    fold.bindColumns(
      this.#group.plan.slots.map((slot) => batch.columns[slot]),
      typeCodes,
    )
    try {
      guarded(() => fold.run(found.rows, slots, 0, found.count, view.handlerOf, keyOf))
    } catch (error) {
      const row = found.rows[fold.at()]!
      const handler = view.handlerNames[view.handlerOf[typeCodes[row]!]!]!
      const who = `View ${view.name}, handler ${handler}, key ${showKey(keyOf(slots[fold.at()]!))}`
      throw functionError({ view: view.name, handler }, who, batch, row, error)
    }
    const { count } = distinct
    const input = {
      count,
      rows: Int32Array.from({ length: count }, (_, slot) => slot),
      hashes: distinct.hashes,
      keyData: distinct.data,
      keyStarts: distinct.starts,
      keyLengths: distinct.lengths,
      typeCodes: new Uint16Array(count),
      columns: store.columns.map((column) => stateColumn(view, column, count, keyOf)),
    }
    return this.#block(at, input)
  }
}

function handlesAll(view: PreparedView, types: BatchTypes, codeOf: Uint16Array): boolean {
  return types.names.every((_, code) => view.handlerOf[codeOf[code]!] !== NO_HANDLER)
}

/** A dictionary in shared memory, so that handing a block to a thread copies nothing. */
function sharedBytes(column: BytesColumn): BytesColumn {
  const offsets = new Int32Array(new SharedArrayBuffer(column.offsets.byteLength))
  offsets.set(column.offsets)
  const data = new Uint8Array(new SharedArrayBuffer(column.data.byteLength))
  data.set(column.data)
  return { ...column, offsets, data }
}

function selectRows(rows: Int32Array, codes: Int32Array, folded: Uint8Array): Int32Array {
  if (folded.every((flag) => flag === 1)) return rows
  const selected = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) if (folded[codes[rows[i]!]!] === 1) selected[count++] = rows[i]!
  return selected.subarray(0, count)
}

/** Rows of one event stand next to each other. */
function countDistinct(rows: Int32Array, origin: Int32Array | null, include?: (row: number) => boolean): number {
  if (include === undefined && origin === null) return rows.length
  let count = 0
  let last = -1
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (include !== undefined && !include(row)) continue
    const event = origin === null ? row : origin[row]!
    if (event !== last) count++
    last = event
  }
  return count
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

const noEvents: ReadonlySet<number> = new Set()

function distinctEvents(
  rows: Int32Array,
  origin: Int32Array | null,
  include: (row: number) => boolean,
): ReadonlySet<number> {
  const events = new Set<number>()
  for (const row of rows) if (include(row)) events.add(origin === null ? row : origin[row]!)
  return events
}

/** The distinct keys of an emission that was made without looking for them. */
function internKeys(emission: KeyedRows): FoundKeys {
  const table = new KeyTable(1024)
  const slots = new Int32Array(emission.count)
  let scratch = new Int32Array(16)
  let bytes = new Uint8Array(scratch.buffer)
  for (let i = 0; i < emission.count; i++) {
    const length = emission.keyLengths[i]!
    const start = emission.keyStarts[i]!
    const words = (length + 3) >> 2
    if (words > scratch.length) {
      scratch = new Int32Array(words * 2)
      bytes = new Uint8Array(scratch.buffer)
    }
    if (words > 0) scratch[words - 1] = 0
    for (let j = 0; j < length; j++) bytes[j] = emission.keyData[start + j]!
    slots[i] = table.slotOf(scratch, 0, length, emission.hashes[i]!)
  }
  const count = table.size
  const distinct = {
    count,
    hashes: table.hashes.slice(0, count),
    data: new Uint8Array(table.words.buffer),
    starts: table.starts.slice(0, count).map((word) => word * 4),
    lengths: table.lengths.slice(0, count),
  }
  return { count: emission.count, rows: emission.rows, several: emission.several, slots, distinct }
}
