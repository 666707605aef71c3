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
  /** Views of several logs. Each of those logs has a group for it, whose events meet where they are reduced. */
  readonly merged: readonly MergedPlan[]
  /** Views of the rows of other views, which are planned when those are built. */
  readonly later: readonly LaterView[]
}

/** A view that reads the rows of another. */
export interface LaterView {
  readonly view: string
  /** The view whose rows it reads. */
  readonly of: string
}
/** A view of several logs where their events meet. */
export interface MergedPlan {
  /** In the order of their precedence: the logs, by index, and the group that each has for the view. */
  readonly members: readonly { readonly log: number; readonly group: number }[]
  readonly log: FoldedLog
  readonly group: GroupPlan
}

/** What is known of the events of a group where they are folded: a log's own, or those of several logs. */
export interface FoldedLog
  extends Pick<LogPlan, 'slots' | 'timeUnit' | 'zone' | 'vintages' | 'bucketBits' | 'reduceBits'> {
  /** A log's name, or those of several joined. */
  readonly name: string
  /** Where events of several logs meet, only the key is common to them. */
  readonly roles: Pick<RoleSlots, 'id' | 'key' | 'type' | 'sequence'>
  /** Where events of several logs meet: what each of them has, in the order of precedence. */
  readonly sources?: readonly SourceLog[]
}

/** One of several logs, as its events are folded with those of others. Slots are those of `FoldedLog`. */
export interface SourceLog {
  readonly name: string
  readonly roles: Pick<RoleSlots, 'id' | 'key' | 'type' | 'sequence'>
  /** Those that have a code of their own. */
  readonly types: readonly string[]
  /** What functions may read of its events, */
  readonly visible: readonly number[]
  /** and what else it has, which doesn't travel. */
  readonly absentNames: readonly string[]
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

/** By log: which of its events count besides. Of a log that isn't named, all. */
export type LogBounds = Readonly<Record<string, RecordedBounds>>

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
  /** Of a view of several logs: how this log's events travel to where they meet the others'. Null where they are all there are. */
  readonly share: SharePlan | null
}

/** One log's part of a view of several logs. */
export interface SharePlan {
  /** Place of the log in the view's order of logs. */
  readonly member: number
  /** What travels of the events of all the view's logs: slots of its `FoldedLog`. */
  readonly slots: readonly Slot[]
  /** By those: which slot of this log it is, −1 where events of this log have none; or the place of the log. */
  readonly from: readonly (number | 'member')[]
  /** By log: the types that have a code of their own. */
  readonly types: readonly (readonly string[])[]
  readonly bucketBits: number
}

/** A group of views where its events are folded, and the map-side groups they come from. */
export interface FoldPlan {
  readonly log: FoldedLog
  readonly group: GroupPlan
  readonly members: MergedPlan['members']
}

/** All that is reduced: the groups of every log, then those of several logs. */
export function foldsOf(plan: Plan): FoldPlan[] {
  const own = plan.logs.flatMap((log, logIndex) =>
    log.groups.flatMap((group, index) =>
      group.share === null ? [{ log, group, members: [{ log: logIndex, group: index }] }] : [],
    ),
  )
  return [...own, ...plan.merged]
}

/** Where the events of one of the logs that are folded together have their roles. */
export function rolesOf({ sources, roles }: FoldedLog, member: number): SourceLog['roles'] {
  return sources?.[member]?.roles ?? roles
}

/** How many buckets a group's keys are spread over, as a power of two. */
export function bucketBitsOf(log: Pick<LogPlan, 'bucketBits'>, { share }: Pick<GroupPlan, 'share'>): number {
  return share === null ? log.bucketBits : share.bucketBits
}

export interface ViewReturns {
  /** By log that the view reads, then by event type; those that return nothing are left out. */
  readonly on: readonly Readonly<Record<string, MayReturn>>[]
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
