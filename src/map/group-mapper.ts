import { MisfitError } from '../columns/from-values.ts'
import type { Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { ReadMemory } from '../parquet/read-memory.ts'
import type { Batch } from '../scan/batch.ts'
import { idText } from '../scan/identity.ts'
import { functionError } from '../scan/places.ts'
import type { BatchTypes } from '../scan/types.ts'
import { type Block, sketchHashes } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { KeyTable } from '../shuffle/key-table.ts'
import { compilePacker, type Packer, type PackInput } from '../shuffle/pack.ts'
import { type ColumnFold, compileColumnFold, NO_HANDLER } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { packedLayout } from '../view/packed-layout.ts'
import { guarded } from '../view/purity.ts'
import { StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { lateCode, type PreparedGroup, type PreparedView } from '../view/view-set.ts'
import { type Emission, emitByFunction, emitByStringKey, type KeyedRows, spreadKeys, unknownType } from './emission.ts'
import { compileKeyLoop, type FoundKeys, findWindows, type KeyLoop } from './key-loop.ts'
import { PartitionFold, type PartitionReader } from './partition-fold.ts'
import { type BatchPeriods, splitByPeriod } from './periods.ts'
import type { MapTotals } from './totals.ts'
import { makeTriangleCounter, type TriangleCounter } from './triangle.ts'
import { type BatchWindows, makeWindowReader, type WindowReader } from './windows.ts'

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
  readonly #windows: WindowReader | null
  readonly #triangle: TriangleCounter | null
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
    const needsKeySlot = only.window === null && views.some((view) => view.definition.by === undefined)
    this.needed = [...plan.slots, ...plan.mapSlots, ...(needsKeySlot ? [log.roles.key] : [])]
    this.mayQuarantine = views.some((view) => view.definition.unknown === 'quarantine')
    const combine = plan.strategy === 'combine'
    this.#pack = compilePacker(packedLayout(log, group).layout)
    this.#windows = only.window === null ? null : makeWindowReader(log, only.window)
    this.#triangle = only.window === null ? null : makeTriangleCounter(log, group)
    const inPlace = plan.strategy === 'in-place'
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
    const { definition, window } = this.#group.views[0]!
    const readsKey = keyedByCursor && definition.by === undefined && window === null
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
    periods: BatchPeriods | null,
  ): MappedBatch | null {
    const codeOf = Uint16Array.from(types.names, (name) => this.#group.typeCodes.get(name) ?? 0)
    const folded = this.#settleTypes(batch, rows, types, codeOf, totals)
    const kept = selectRows(rows, types.codes, folded, batch.memory)
    const windows = this.#windows?.read(batch) ?? null
    const emission = this.#emit(batch, kept, windows)
    this.#countApplied(batch, rows, types, codeOf, emission, windows, totals)
    if (emission.count === 0) return null
    if (windows !== null) {
      this.#triangle!.count(batch, emission.rows, windows, totals.triangles[this.#group.views[0]!.name]!)
    }
    const typeCodes = translate(types.codes, codeOf, batch.memory.uint16(batch.rows))
    if (!('hashes' in emission || 'distinct' in emission)) {
      this.#partition?.add(batch, emission.rows, typeCodes)
      return null
    }
    const { hashes } = 'distinct' in emission ? emission.distinct : emission
    sketchHashes(sketch, hashes, hashes.length)
    const late = windows?.late ?? null
    if (late !== null) markLate(kept, late, lateCode(this.#group), typeCodes)
    if (this.#fold !== null) {
      const found = 'distinct' in emission ? emission : internKeys(emission)
      return { block: this.#combine(batch, found, typeCodes, late, periods, at), keyed: null }
    }
    const keyed = 'distinct' in emission ? spreadKeys(emission, batch) : emission
    return { block: this.#packEvents(batch, keyed, typeCodes, periods, at), keyed }
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
  #emit(batch: Batch, kept: Int32Array, windows: BatchWindows | null): KeyedRows | FoundKeys | Emission {
    if (this.#placed !== null) {
      const rows = this.#keyLoop === null ? kept : this.#emitByKeyLoop(this.#keyLoop, batch, kept, null).rows
      return { count: rows.length, rows, several: false }
    }
    if (this.#keyLoop !== null) return this.#emitByKeyLoop(this.#keyLoop, batch, kept, windows)
    if (windows !== null) return findWindows(this.#group.views[0]!, kept, windows)
    return emitByStringKey(batch.columns[this.#log.roles.key]!, kept, batch)
  }

  #emitByKeyLoop(loop: KeyLoop, batch: Batch, kept: Int32Array, windows: BatchWindows | null): FoundKeys {
    loop.bindColumns(this.#cursorSlots(true).map((slot) => batch.columns[slot]))
    return emitByFunction(this.#group.views[0]!, loop, kept, batch, windows)
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
    windows: BatchWindows | null,
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
      const late = this.#refuseLate(view, batch, types, emission, windows, counted, totals)
      counters.late += late
      counters.applied += applied - late
      counters.quarantined += refused.size
      counters.filtered += events - applied - refused.size
    }
  }

  /** Lists late events that are not applied, each once. @returns Their number. */
  #refuseLate(
    view: PreparedView,
    batch: Batch,
    types: BatchTypes,
    { rows }: Emission,
    windows: BatchWindows | null,
    counted: (row: number) => boolean,
    totals: MapTotals,
  ): number {
    if (windows === null || windows.late === null || view.window!.late === 'apply') return 0
    const { late } = windows
    let count = 0
    let last = -1
    for (const row of rows) {
      const event = batch.origin?.[row] ?? row
      if (late[row] === 0 || event === last || !counted(row)) continue
      last = event
      count++
      totals.exceptions[view.name]!.push({
        eventId: batch.eventIdAt(event),
        type: types.names[types.codes[row]!]!,
        reason: 'late',
        detail: this.#windows!.describeLate(batch, windows, row),
      })
    }
    return count
  }

  #packEvents(
    batch: Batch,
    keyed: KeyedRows,
    typeCodes: Uint16Array,
    periods: BatchPeriods | null,
    at: BlockPlace,
  ): Block {
    const columns: Column[] = this.#group.plan.slots.map((slot) => batch.columns[slot]!)
    if (periods !== null) columns.push(periods.column)
    return this.#block(at, { ...keyed, typeCodes, columns })
  }

  #block(at: BlockPlace, input: PackInput): Block {
    const { words, starts } = this.#pack(input, this.#log.bucketBits, (count) => this.#memory.allocate(count))
    const strings = input.columns.map((column) =>
      column.kind === 'dictionary' && column.dictionary.kind === 'bytes'
        ? this.#memory.keepStrings(column.dictionary)
        : null,
    )
    return { ...at, rows: input.count, words: this.#memory.keep(words, starts), starts, strings }
  }

  /** Folds the batch's events into one state a key, or a key and period, and packs the states. */
  #combine(
    batch: Batch,
    byKey: FoundKeys,
    typeCodes: Uint16Array,
    late: Uint8Array | null,
    periods: BatchPeriods | null,
    at: BlockPlace,
  ): Block {
    const view = this.#group.views[0]!
    const { found, periodOf } = periods === null ? { found: byKey, periodOf: null } : splitByPeriod(byKey, periods)
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
    const tally = view.window === null ? null : tallyLate(found, late, typeCodes, view.handlerOf)
    const columns = store.columns.map((column) => stateColumn(view, column, count, keyOf))
    for (const hidden of [tally?.late, periodOf]) if (hidden) columns.push(int32Column(hidden))
    const input = {
      count,
      rows: Int32Array.from({ length: count }, (_, slot) => slot),
      hashes: distinct.hashes,
      keyData: distinct.data,
      keyStarts: distinct.starts,
      keyLengths: distinct.lengths,
      typeCodes: tally?.codes ?? new Uint16Array(count),
      columns,
    }
    return this.#block(at, input)
  }
}

function translate(codes: Int32Array, codeOf: Uint16Array, into: Uint16Array): Uint16Array {
  for (let row = 0; row < into.length; row++) into[row] = codeOf[codes[row]!]!
  return into
}

function int32Column(values: Int32Array): Column {
  return { kind: 'int32', length: values.length, nullCount: 0, validity: null, values }
}

function markLate(rows: Int32Array, late: Uint8Array, code: number, typeCodes: Uint16Array): void {
  for (let i = 0; i < rows.length; i++) if (late[rows[i]!] === 1) typeCodes[rows[i]!]! += code
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

function handlesAll(view: PreparedView, types: BatchTypes, codeOf: Uint16Array): boolean {
  return types.names.every((_, code) => view.handlerOf[codeOf[code]!] !== NO_HANDLER)
}

function selectRows(rows: Int32Array, codes: Int32Array, folded: Uint8Array, memory: ReadMemory): Int32Array {
  if (folded.every((flag) => flag === 1)) return rows
  const selected = memory.int32(rows.length)
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
  const { keyData, keyStarts, keyLengths, hashes } = emission
  const table = new KeyTable(1024)
  const slots = new Int32Array(emission.count)
  table.slotsOf(keyData, keyStarts, keyLengths, hashes, emission.count, slots)
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
