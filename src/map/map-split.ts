import { textColumn } from '../columns/from-values.ts'
import { bucketOf } from '../columns/hash.ts'
import type { BytesColumn } from '../model/column.ts'
import type { Place } from '../model/errors.ts'
import { bucketBitsOf, type FilePlan, type LogPlan } from '../model/plan.ts'
import type { Counters, ExceptionRow } from '../model/report.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory, newMemory } from '../parquet/read-memory.ts'
import { readBatch } from '../scan/batch.ts'
import type { Batch } from '../scan/event-batch.ts'
import { contentWords, idText } from '../scan/identity.ts'
import { refuseOutside, rowsOutside } from '../scan/moments.ts'
import { eventPlace } from '../scan/places.ts'
import { type BatchTypes, typesOf } from '../scan/types.ts'
import { type Upcaster, upcastRows } from '../scan/upcast.ts'
import { type Block, newSketch } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import type { OrderFound } from '../view/order-tally.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { GroupMapper } from './group-mapper.ts'
import { KeySearch } from './key-search.ts'
import type { MappedBatch, MapSide } from './map-side.ts'
import { type Occurring, OccurringNames } from './occurring.ts'
import { type BatchPeriods, makePeriodReader, noteRecorded, noteRun, type RecordedRuns } from './periods.ts'
import type { MapTotals } from './totals.ts'
import { Triangle, type TriangleCell } from './triangle.ts'

/** A row on its way: of which group's block, in which bucket, and which of the block's rows there. */
export interface RowTarget {
  readonly group: number
  readonly ordinal: number
  readonly bucket: number
  readonly nth: number
}

/** What is known of the duplicates in one row group. */
export interface RowGroupDuplicates {
  readonly rowGroup: number
  /** Rows not to be applied, ascending. */
  readonly dropped: Int32Array
  /** Rows that share their identity with another, ascending: their contents are to be compared. */
  readonly members: Int32Array
}

/** A split, and what is known of the duplicates in it. */
export interface SplitWork {
  readonly split: number
  readonly duplicates: readonly RowGroupDuplicates[]
}

export interface MapResult {
  readonly groups: readonly GroupResult[]
  readonly counters: Readonly<Record<string, Counters>>
  readonly exceptions: Readonly<Record<string, readonly ExceptionRow[]>>
  /** Ids of dropped rows, as bytes: a large log has millions. */
  readonly duplicateIds: BytesColumn
  /** For each row group with members: two words a member that are equal for equal contents. */
  readonly contents: readonly { readonly rowGroup: number; readonly words: Int32Array }[]
  /** When the split's known events were recorded: in each period of the vintages, or in all. */
  readonly recorded: RecordedRuns
  /** Of views with windows: how many events were recorded with which delay. */
  readonly triangles: Readonly<Record<string, readonly TriangleCell[]>>
  /** Of views folded in place, with the last split of a partition: what was found of the order of its events. */
  readonly order: Readonly<Record<string, OrderFound>>
  readonly occurring: Occurring
}

export interface GroupResult {
  /** In the order in which they were packed; states folded in place are with the last split of their partition. */
  readonly blocks: readonly Block[]
  readonly sketch: Uint8Array
}

/** The result of one split; a partition's states are added to its last. */
type SplitResult = MapResult & {
  readonly groups: readonly { blocks: Block[]; sketch: Uint8Array }[]
  readonly order: Record<string, OrderFound>
}

/** A split that is being mapped: what its batches add to. */
interface OpenSplit {
  readonly split: number
  readonly groups: readonly { readonly blocks: Block[]; readonly sketch: Uint8Array }[]
  readonly totals: MapTotals
}

/** Receives the rows of each batch that a group's views take. */
export type Watch = (group: number, ordinal: number, batch: Batch, mapped: MappedBatch) => void

/** What a mapper maps, and with what. */
export interface MappedLog {
  readonly log: LogPlan
  readonly groups: readonly { readonly group: PreparedGroup; readonly side: MapSide }[]
  readonly upcaster: Upcaster | null
  /** Where the sides' blocks go. */
  readonly memory: BlockMemory
  /** The memory that batches are decoded to, one after the other: a thread may use one for all logs. */
  readonly batchMemory?: BatchMemory
}

export class LogMapper {
  readonly #log: LogPlan
  readonly #prepared: readonly PreparedGroup[]
  #groups: readonly GroupMapper[]
  readonly #upcaster: Upcaster | null
  readonly #views: readonly string[]
  readonly #memory: BlockMemory
  readonly #periodsOf: ((batch: Batch) => BatchPeriods) | null
  readonly #batchMemory: BatchMemory
  #watch: Watch | null = null

  constructor({ log, groups, upcaster, memory, batchMemory = new BatchMemory() }: MappedLog) {
    this.#batchMemory = batchMemory
    this.#log = log
    this.#memory = memory
    this.#prepared = groups.map(({ group }) => group)
    this.#groups = groups.map(({ group, side }) => new GroupMapper(log, group, side))
    this.#upcaster = upcaster
    this.#views = groups.flatMap(({ group }) => group.views.map((view) => view.name))
    this.#periodsOf = makePeriodReader(log)
  }

  /** Maps splits that belong together: all of a partition where views are folded in place. @returns A result a split. */
  map(work: readonly SplitWork[], open: (file: FilePlan) => ParquetFile): MapResult[] {
    for (const { side } of this.#groups) side.openPartition()
    try {
      const results = work.map(({ split, duplicates }) => this.#mapSplit(split, duplicates, open))
      const last = results.at(-1)!
      const split = work.at(-1)!.split
      this.#groups.forEach((group, index) => {
        const { blocks, sketch } = last.groups[index]!
        const closed = group.side.closePartition({ split, ordinal: blocks.length }, sketch)
        if (closed?.block) blocks.push(closed.block)
        Object.assign(last.order, closed?.order)
      })
      return results
    } finally {
      for (const { side } of this.#groups) side.leavePartition()
    }
  }

  #mapSplit(
    splitIndex: number,
    duplicates: readonly RowGroupDuplicates[],
    open: (file: FilePlan) => ParquetFile,
  ): SplitResult {
    const log = this.#log
    const split = log.splits[splitIndex]!
    const file = log.files[split.file]!
    const totals = newTotals(this.#views, file)
    const runs: RecordedRuns = new Map()
    const keepsBatches = this.#groups.some(({ side }) => side.keepsBatches)
    const groups = this.#groups.map(() => ({ blocks: [] as Block[], sketch: newSketch() }))
    const duplicateIds: string[] = []
    const contents: { rowGroup: number; words: Int32Array }[] = []
    for (const { index, rows, skipped, recorded } of split.rowGroups) {
      const known = duplicates.find((candidate) => candidate.rowGroup === index)
      if (recorded !== null && recorded !== 'unread') noteRun(runs, 0, recorded, log.maxClockSkew)
      if (skipped && known === undefined) {
        if (recorded === 'unread') this.#noteRecorded(readBatch(log, file, open, index, this.#moments), runs)
        countAll(totals, rows, { filtered: rows })
        continue
      }
      const needed = known === undefined ? this.#needed : new Set(log.slots.keys())
      // Nothing else of a batch outlives it: blocks, ids and exceptions are copies.
      if (!keepsBatches) this.#batchMemory.reset()
      const wanted = recorded === 'unread' ? new Set([...needed, ...this.#moments]) : needed
      const batch = readBatch(log, file, open, index, wanted, keepsBatches ? newMemory : this.#batchMemory)
      if (recorded === 'unread') this.#noteRecorded(batch, runs)
      else if (recorded !== null) refuseOutside(recorded, log, batch)
      if (known !== undefined) {
        contents.push({ rowGroup: index, words: contentWords(log, batch, known.members) })
        for (const row of known.dropped) duplicateIds.push(idText(log, batch, row))
      }
      this.#mapBatch(batch, known?.dropped ?? new Int32Array(0), { split: splitIndex, groups, totals })
    }
    const { counters, exceptions } = totals
    const triangles = Object.fromEntries(Object.entries(totals.triangles).map(([view, cells]) => [view, cells.cells()]))
    return {
      groups,
      counters,
      exceptions,
      duplicateIds: textColumn(duplicateIds),
      contents,
      recorded: runs,
      triangles,
      order: {},
      occurring: totals.occurring.result(),
    }
  }

  /** What says when events were recorded. */
  get #moments(): ReadonlySet<number> {
    return new Set([this.#log.roles.recordedAt])
  }

  #noteRecorded(batch: Batch, recorded: RecordedRuns): void {
    noteRecorded(this.#log, batch, this.#periodsOf?.(batch) ?? null, recorded)
  }

  /**
   * The place of an event of which only its way is known: maps the split again to find it.
   *
   * @param nth Which of the block's rows in the bucket it is.
   */
  locate(
    splitIndex: number,
    duplicates: readonly RowGroupDuplicates[],
    open: (file: FilePlan) => ParquetFile,
    target: RowTarget,
  ): Place {
    let found: Place = {}
    this.watch(splitIndex, duplicates, open, (group, ordinal, batch, { keyed }) => {
      if (group !== target.group || ordinal !== target.ordinal || keyed === null) return
      const bits = bucketBitsOf(this.#log, this.#prepared[group]!.plan)
      for (let i = 0, nth = -1; i < keyed.count; i++) {
        if (bucketOf(keyed.hashes[i]!, bits) === target.bucket) nth++
        if (nth < target.nth) continue
        found = eventPlace(batch, keyed.rows[i]!)
        return
      }
    })
    return found
  }

  /** Maps a split once more, to observe each batch: its packed rows are not kept. */
  watch(
    splitIndex: number,
    duplicates: readonly RowGroupDuplicates[],
    open: (file: FilePlan) => ParquetFile,
    look: Watch,
  ): MapResult {
    this.#watch = look
    try {
      return this.#memory.discarding(() => this.#mapSplit(splitIndex, duplicates, open))
    } finally {
      this.#watch = null
    }
  }

  /** Where the first event of a key is that a group folds in place. */
  locateKey(work: readonly SplitWork[], group: number, key: Uint8Array, open: (file: FilePlan) => ParquetFile): Place {
    const groups = this.#groups
    const search = new KeySearch(this.#log, this.#prepared[group]!, key)
    this.#groups = groups.with(group, new GroupMapper(this.#log, this.#prepared[group]!, search))
    try {
      this.#memory.discarding(() => {
        for (const { split, duplicates } of work) this.#mapSplit(split, duplicates, open)
      })
    } finally {
      for (const { side } of groups) side.leavePartition()
      this.#groups = groups
    }
    return search.found ?? {}
  }

  /** Slots of events whose contents need not be compared. */
  get #needed(): ReadonlySet<number> {
    return neededSlots(this.#log, this.#groups, this.#upcaster)
  }

  #mapBatch(batch: Batch, dropped: Int32Array, into: OpenSplit): void {
    const { totals } = into
    const outside = rowsOutside(this.#log, batch)
    const types = typesOf(this.#log, batch)
    const isOld = this.#upcaster?.isOld(types.names) ?? null
    totals.occurring.add(batch, types, isOld)
    const chosen = chooseRows(batch, dropped, outside, isOld, types.codes)
    countAll(totals, batch.rows, { duplicate: dropped.length, filtered: chosen.outside })
    this.#mapRows(batch, chosen.current, types, into)
    if (chosen.old.length > 0) {
      const upcast = upcastRows(this.#log, this.#upcaster!, batch, chosen.old, types)
      for (const view of this.#views) totals.counters[view]!.filtered += upcast.dropped
      const newTypes = typesOf(this.#log, upcast.batch)
      totals.occurring.addUpcast(newTypes)
      this.#mapRows(upcast.batch, allRows(upcast.rows), newTypes, into)
    }
  }

  #mapRows(batch: Batch, rows: Int32Array, types: BatchTypes, { split, groups, totals }: OpenSplit): void {
    if (rows.length === 0) return
    const periods = this.#periodsOf?.(batch) ?? null
    this.#groups.forEach((group, index) => {
      const { blocks, sketch } = groups[index]!
      const result = group.map(batch, rows, types, periods, { at: { split, ordinal: blocks.length }, totals, sketch })
      if (result === null) return
      blocks.push(result.block)
      this.#watch?.(index, blocks.length - 1, batch, result)
    })
  }
}

function neededSlots(
  { roles, knownAt, asOf, recorded }: LogPlan,
  groups: readonly GroupMapper[],
  upcaster: Upcaster | null,
): ReadonlySet<number> {
  const needed = new Set(groups.flatMap((group) => group.needed))
  if (roles.type >= 0) needed.add(roles.type)
  if (knownAt !== null || recorded !== null) needed.add(roles.recordedAt)
  if (asOf !== null) needed.add(roles.occurredAt)
  for (const slot of upcaster?.slots ?? []) needed.add(slot)
  if (groups.some((group) => group.mayQuarantine)) for (const slot of roles.id) needed.add(slot)
  return needed
}

function newTotals(views: readonly string[], file: FilePlan): MapTotals {
  const totals: MapTotals = { counters: {}, exceptions: {}, triangles: {}, occurring: new OccurringNames(file) }
  for (const view of views) {
    totals.counters[view] = { read: 0, applied: 0, filtered: 0, duplicate: 0, late: 0, quarantined: 0 }
    totals.exceptions[view] = []
    totals.triangles[view] = new Triangle()
  }
  return totals
}

/** Of every view. */
function countAll(totals: MapTotals, read: number, more: { duplicate?: number; filtered?: number }): void {
  for (const counters of Object.values(totals.counters)) {
    counters.read += read
    counters.duplicate += more.duplicate ?? 0
    counters.filtered += more.filtered ?? 0
  }
}

/** Rows that are neither duplicates nor outside the requested moments, in current and in old event types. */
function chooseRows(
  { rows, memory }: Batch,
  dropped: Int32Array,
  outside: Uint8Array | null,
  isOld: Uint8Array | null,
  codes: Int32Array,
) {
  if (dropped.length === 0 && outside === null && isOld === null)
    return { current: allRows(rows), old: new Int32Array(0), outside: 0 }
  const current = memory.int32(rows)
  const old: number[] = []
  let kept = 0
  let excluded = 0
  let nextDropped = 0
  for (let row = 0; row < rows; row++) {
    if (nextDropped < dropped.length && dropped[nextDropped] === row) nextDropped++
    else if (outside !== null && outside[row] === 1) excluded++
    else if (isOld !== null && isOld[codes[row]!] === 1) old.push(row)
    else current[kept++] = row
  }
  return { current: current.subarray(0, kept), old: Int32Array.from(old), outside: excluded }
}

let counted = new Int32Array(0)

/** 0, 1, 2 … `rows` − 1: counted once, as most batches are used whole. */
function allRows(rows: number): Int32Array {
  if (counted.length < rows) counted = Int32Array.from({ length: rows }, (_, row) => row)
  return counted.subarray(0, rows)
}
