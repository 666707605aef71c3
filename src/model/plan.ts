import type { OrderTerm } from './order.ts'
import type { Strategy, VintageLength } from './report.ts'
import type { Slot } from './slots.ts'
import type { TimeUnit } from './type.ts'

/**
 * What a rebuild will do, as frozen data made before any work: from the log and the views alone, never from the
 * machine, so that the same log and views always give the same plan.
 */
export interface Plan {
  readonly job: string
  readonly logs: readonly LogPlan[]
  /** Views of the rows of other views, which are planned when those are built. */
  readonly later: readonly LaterView[]
}

/** A view that reads the rows of another. */
export interface LaterView {
  readonly view: string
  /** The view whose rows it reads. */
  readonly of: string
}

/** What is to be done of one log, for all views that read it. */
export interface LogPlan {
  readonly name: string
  /** Of a log that is the rows of a view: that view. */
  readonly view: string | null
  readonly rows: number
  readonly bytes: number
  readonly files: readonly FilePlan[]
  /** Runs of neighbouring row groups of one file. */
  readonly splits: readonly SplitPlan[]
  /** Splits that are mapped as one task: each by itself, or all of a partition where views are folded in place. */
  readonly mapTasks: readonly (readonly number[])[]
  /** What handlers may read: first the roles, then the fields. Other parts name slots by their index here. */
  readonly slots: readonly Slot[]
  readonly roles: RoleSlots
  /**
   * How duplicates are found: not at all, as the log is declared to hold each id once; by a bit for each of `span`
   * integers from `min` on; or by hashes.
   */
  readonly identify:
    | { readonly by: 'nothing' }
    | { readonly by: 'bits'; readonly min: bigint; readonly span: number }
    | { readonly by: 'hashes' }
  /** Slots in which deliveries of one event may differ, and which of them counts; null where they may differ in nothing. */
  readonly duplicates: { readonly ignored: readonly number[]; readonly keep: 'first' | 'last' } | null
  readonly groups: readonly GroupPlan[]
  /** Keys are spread over 2^bucketBits buckets, */
  readonly bucketBits: number
  /** which are reduced in 2^reduceBits tasks. */
  readonly reduceBits: number
  readonly timeUnit: TimeUnit
  /** In which days and windows begin. */
  readonly zone: string
  /** How long a partition may be silent and still hold up windows, in the log's time unit. */
  readonly idleTimeout: bigint
  /** A longer time without an event is taken for a clock that is ahead, in the log's time unit. */
  readonly maxClockSkew: bigint
  /** The log says on which day an event was recorded, and not when on that day. */
  readonly recordsDays: boolean
  /** All events of a day are written at once. */
  readonly recordsWholeDays: boolean
  /** Only events recorded, occurred up to this moment (inclusive), in the log's time unit. */
  readonly knownAt: bigint | null
  readonly asOf: bigint | null
  /** The same as ISO 8601; also of a log of a view's rows, where the bounds are those of the events that the view is made of. */
  readonly moments: { readonly knownAt: string | null; readonly asOf: string | null }
  /** By path of a file: between which moments its events must also have been recorded; null where there are no bounds. */
  readonly recorded: Readonly<Record<string, RecordedSpan>> | null
  /** The log's partitions by name, sorted: the values of its Hive folders, or the folder of files that have none. */
  readonly partitions: readonly string[]
  /** For every end of this in which the log recorded an event, the views are kept as they were known then. */
  readonly vintages: VintageLength | null
  /** Moments that every event must have: those by which windows and vintages are found. */
  readonly momentSlots: readonly number[]
}

/** Moments in the log's unit; null where there is no bound. */
export interface RecordedSpan {
  /** Exclusive. */
  readonly after: bigint | null
  /** Inclusive. */
  readonly until: bigint | null
}

/** Which events of a log count, partition by partition, by when they were recorded; in the log's unit. */
export interface RecordedBounds {
  /** Only events recorded later; of a partition that isn't named, all. */
  readonly after?: Readonly<Record<string, bigint>>
  /** Only events recorded up to it; of a partition that isn't named, none. */
  readonly until?: Readonly<Record<string, bigint>>
}

/** Slot indexes of the roles; −1 where the log has none. */
export interface RoleSlots {
  readonly id: readonly number[]
  readonly key: number
  readonly type: number
  readonly occurredAt: number
  readonly recordedAt: number
  readonly sequence: number
}

/** A Parquet file of a log, by its footer. */
export interface FilePlan {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly footerSha256: string
  /** As in `ManifestInput`. */
  readonly recordedFrom?: string
  readonly recordedTo?: string
  /** Index of its partition. */
  readonly partition: number
  /** By slot: where this file has it. */
  readonly sources: readonly SlotSource[]
}

/** Where a file has a slot. */
export type SlotSource =
  | { readonly kind: 'column'; readonly path: readonly string[] }
  /** A path into a JSON column, or into a nested column beyond its structs. */
  | { readonly kind: 'inside'; readonly path: readonly string[]; readonly steps: readonly string[] }
  /** A Hive folder's value, or the value in place of a missing column. */
  | { readonly kind: 'constant'; readonly value: unknown; readonly origin: 'folder' | 'missing' }

/** Neighbouring row groups of one file, which are mapped together. */
export interface SplitPlan {
  /** Index in the log's files. */
  readonly file: number
  readonly rowGroups: readonly RowGroupPlan[]
  readonly rows: number
  /** As compressed in the file, of all columns. */
  readonly bytes: number
}

/** A row group, and what its statistics show. */
export interface RowGroupPlan {
  /** In the file. */
  readonly index: number
  readonly rows: number
  /** Its statistics prove that no event of it lies within known-at and as-of: it isn't read. */
  readonly skipped: boolean
  /**
   * When its known events were recorded, in the log's unit, where statistics show it; null where it holds none that is
   * known, or the log doesn't say when; `unread` where only the column shows it.
   */
  readonly recorded: { readonly min: bigint; readonly max: bigint; readonly events: number } | null | 'unread'
}

/** Views that are shuffled together because they have the same key; or one view that has its own. */
export interface GroupPlan {
  readonly views: readonly string[]
  readonly strategy: Strategy
  /** By what a key's events are ordered, most significant first; empty where they may come in any order. */
  readonly order: readonly OrderTerm[]
  /** Why this strategy, in words. */
  readonly reason: string
  /** Part files that a large log gets, however few its keys. The same for every strategy, as it decides bytes. */
  readonly partsAtLeast: number
  /** Slots that travel with an event, or that handlers read where it is folded as it is read. */
  readonly slots: readonly number[]
  /** Slots that `keyBy` and `filter` read where the event is read. */
  readonly mapSlots: readonly number[]
  /** Whether functions may copy events whole: their accessors are then the event's own, which is slower. */
  readonly copiesEvents: boolean
  /** By view: what its functions that change a state may return. */
  readonly returns: Readonly<Record<string, ViewReturns>>
}

export interface ViewReturns {
  /** By event type; those that return nothing are left out. */
  readonly on: Readonly<Record<string, MayReturn>>
  readonly merge: MayReturn
}

/**
 * What a function that changes a state may return: nothing that is meant, what a call in it gives, or a value.
 */
export type MayReturn = 'nothing' | 'by-product' | 'value'

/** A split in words, for messages. */
export function splitName(log: LogPlan, split: number): string {
  const { file, rowGroups } = log.splits[split]!
  return `${log.files[file]!.path}, row groups ${rowGroups[0]!.index} to ${rowGroups.at(-1)!.index}`
}
