import type { Place } from '../model/errors.ts'
import type { Counters, ExceptionRow } from '../model/report.ts'
import type { ParquetFile } from '../parquet/file.ts'
import type { FilePlan, LogPlan } from '../plan/plan.ts'
import { type Block, newSketch } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { bucketOf } from '../shuffle/hash.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { type Batch, readBatch } from './batch.ts'
import { eventPlace } from './emission.ts'
import { GroupMapper, type MappedBatch } from './group-mapper.ts'
import { identityWords, idText } from './identity.ts'
import { KeySearch } from './key-search.ts'
import { rowsOutside } from './moments.ts'
import type { SlotColumn } from './to-slot.ts'
import type { MapTotals } from './totals.ts'
import { type BatchTypes, typesOf } from './types.ts'
import { type Upcaster, upcastRows } from './upcast.ts'

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
  /** Ids of dropped rows. */
  readonly duplicateIds: readonly string[]
  /** For each row group with members: two words a member that are equal for equal contents. */
  readonly contents: readonly { readonly rowGroup: number; readonly words: Int32Array }[]
}

export interface GroupResult {
  /** In the order in which they were packed; states that were folded in place stand with the last split of their partition. */
  readonly blocks: readonly Block[]
  readonly sketch: Uint8Array
}

export class LogMapper {
  readonly #log: LogPlan
  readonly #prepared: readonly PreparedGroup[]
  readonly #groups: readonly GroupMapper[]
  readonly #upcaster: Upcaster | null
  readonly #views: readonly string[]
  readonly #memory: BlockMemory
  #watch: ((group: number, ordinal: number, batch: Batch, mapped: MappedBatch) => void) | null = null

  constructor(log: LogPlan, groups: readonly PreparedGroup[], upcaster: Upcaster | null, memory: BlockMemory) {
    this.#log = log
    this.#memory = memory
    this.#prepared = groups
    this.#groups = groups.map((group) => new GroupMapper(log, group, memory))
    this.#upcaster = upcaster
    this.#views = groups.flatMap((group) => group.views.map((view) => view.name))
  }

  /** Maps splits that belong together: all of a partition where views are folded in place. @returns A result a split. */
  map(work: readonly SplitWork[], open: (file: FilePlan) => ParquetFile): MapResult[] {
    for (const group of this.#groups) group.openPartition()
    try {
      const results = work.map(({ split, duplicates }) => this.#mapSplit(split, duplicates, open))
      const last = results.at(-1)!
      const split = work.at(-1)!.split
      this.#groups.forEach((group, index) => {
        const { blocks, sketch } = last.groups[index]!
        const block = group.closePartition({ split, ordinal: blocks.length }, sketch)
        if (block !== null) blocks.push(block)
      })
      return results
    } finally {
      for (const group of this.#groups) group.leavePartition()
    }
  }

  #mapSplit(splitIndex: number, duplicates: readonly RowGroupDuplicates[], open: (file: FilePlan) => ParquetFile) {
    const log = this.#log
    const split = log.splits[splitIndex]!
    const file = log.files[split.file]!
    const totals: MapTotals = { counters: {}, exceptions: {} }
    for (const view of this.#views) {
      totals.counters[view] = { read: 0, applied: 0, filtered: 0, duplicate: 0, late: 0, quarantined: 0 }
      totals.exceptions[view] = []
    }
    const groups = this.#groups.map(() => ({ blocks: [] as Block[], sketch: newSketch() }))
    const duplicateIds: string[] = []
    const contents: { rowGroup: number; words: Int32Array }[] = []
    for (const { index, rows, skipped } of split.rowGroups) {
      const known = duplicates.find((candidate) => candidate.rowGroup === index)
      if (skipped && known === undefined) {
        for (const view of this.#views) count(totals, view, rows, { filtered: rows })
        continue
      }
      const batch = readBatch(log, file, open(file), index, this.#needed(known !== undefined))
      if (known !== undefined) {
        contents.push({ rowGroup: index, words: contentWords(batch, known.members) })
        for (const row of known.dropped) duplicateIds.push(idText(log, batch, row))
      }
      this.#mapBatch(batch, known?.dropped ?? new Int32Array(0), splitIndex, groups, totals)
    }
    return { groups, counters: totals.counters, exceptions: totals.exceptions, duplicateIds, contents }
  }

  /**
   * The place of an event of which only its way is known: maps the split again and watches.
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
    this.#watch = (group, ordinal, batch, { keyed }) => {
      if (group !== target.group || ordinal !== target.ordinal || keyed === null) return
      let nth = -1
      for (let i = 0; i < keyed.count; i++) {
        if (bucketOf(keyed.hashes[i]!, this.#log.bucketBits) === target.bucket) nth++
        if (nth < target.nth) continue
        found = eventPlace(batch, keyed.rows[i]!)
        return
      }
    }
    try {
      this.#memory.discarding(() => this.#mapSplit(splitIndex, duplicates, open))
    } finally {
      this.#watch = null
    }
    return found
  }

  /** Where the first event of a key is that a group folds in place. */
  locateKey(work: readonly SplitWork[], group: number, key: Uint8Array, open: (file: FilePlan) => ParquetFile): Place {
    const search = new KeySearch(this.#log, this.#prepared[group]!, key)
    this.#groups[group]!.watchPartition(search)
    try {
      this.#memory.discarding(() => {
        for (const { split, duplicates } of work) this.#mapSplit(split, duplicates, open)
      })
    } finally {
      this.#groups[group]!.leavePartition()
    }
    return search.found ?? {}
  }

  #needed(withContents: boolean): ReadonlySet<number> {
    const { roles, slots, knownAt, asOf } = this.#log
    if (withContents) return new Set(slots.keys())
    const needed = new Set(this.#groups.flatMap((group) => group.needed))
    if (roles.type >= 0) needed.add(roles.type)
    if (knownAt !== null) needed.add(roles.recordedAt)
    if (asOf !== null) needed.add(roles.occurredAt)
    for (const slot of this.#upcaster?.slots ?? []) needed.add(slot)
    if (this.#groups.some((group) => group.mayQuarantine)) for (const slot of roles.id) needed.add(slot)
    return needed
  }

  #mapBatch(
    batch: Batch,
    dropped: Int32Array,
    split: number,
    groups: { blocks: Block[]; sketch: Uint8Array }[],
    totals: MapTotals,
  ): void {
    const outside = rowsOutside(this.#log, batch)
    const types = typesOf(this.#log, batch)
    const isOld = this.#upcaster?.isOld(types.names) ?? null
    const chosen = chooseRows(batch.rows, dropped, outside, isOld, types.codes)
    for (const view of this.#views) {
      count(totals, view, batch.rows, { duplicate: dropped.length, filtered: chosen.outside })
    }
    this.#mapRows(batch, chosen.current, types, split, groups, totals)
    if (chosen.old.length > 0) {
      const upcast = upcastRows(this.#log, this.#upcaster!, batch, chosen.old, types)
      const rows = Int32Array.from({ length: upcast.rows }, (_, row) => row)
      for (const view of this.#views) totals.counters[view]!.filtered += upcast.dropped
      this.#mapRows(upcast.batch, rows, typesOf(this.#log, upcast.batch), split, groups, totals)
    }
  }

  #mapRows(
    batch: Batch,
    rows: Int32Array,
    types: BatchTypes,
    split: number,
    groups: { blocks: Block[]; sketch: Uint8Array }[],
    totals: MapTotals,
  ): void {
    if (rows.length === 0) return
    this.#groups.forEach((group, index) => {
      const { blocks, sketch } = groups[index]!
      const result = group.map(batch, rows, types, { split, ordinal: blocks.length }, totals, sketch)
      if (result === null) return
      blocks.push(result.block)
      this.#watch?.(index, blocks.length - 1, batch, result)
    })
  }
}

function count(totals: MapTotals, view: string, read: number, more: { duplicate?: number; filtered?: number }): void {
  const counters = totals.counters[view]!
  counters.read += read
  counters.duplicate += more.duplicate ?? 0
  counters.filtered += more.filtered ?? 0
}

/** Rows that are neither duplicates nor outside the moments asked for, in current and in old event types. */
function chooseRows(
  rows: number,
  dropped: Int32Array,
  outside: Uint8Array | null,
  isOld: Uint8Array | null,
  codes: Int32Array,
) {
  const current = new Int32Array(rows)
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

function contentWords(batch: Batch, members: Int32Array): Int32Array {
  const all = identityWords(batch.columns as readonly SlotColumn[], batch.rows)
  const words = new Int32Array(members.length * 2)
  members.forEach((row, i) => {
    words[2 * i] = all[2 * row]!
    words[2 * i + 1] = all[2 * row + 1]!
  })
  return words
}
