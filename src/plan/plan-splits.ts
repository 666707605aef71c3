import type { LogPlan, RecordedSpan, RoleSlots, RowGroupPlan, SlotSource, SplitPlan } from '../model/plan.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { type MomentBounds, momentBounds } from './moment-bounds.ts'

/** Rows of neighbouring row groups are mapped together up to this many. */
const SPLIT_ROWS = 131_072

/** What decides which row groups are read. */
export interface Timeline {
  /** Known-at and as-of are in nanoseconds. */
  readonly knownAt: bigint | null
  readonly asOf: bigint | null
  /** In the log's unit. */
  readonly recorded: LogPlan['recorded']
  /** Nanoseconds in a step of the log's unit. */
  readonly step: bigint
  /** In the log's unit. */
  readonly maxClockSkew: bigint
  /** The slots of the moments. */
  readonly recordedAt: Type | undefined
  readonly occurredAt: Type | undefined
  /** Whether the moment of recording must be known for every event. */
  readonly readsAll: boolean
}

/**
 * The splits of a file: neighbouring row groups of at most 131,072 rows together, or a single larger one.
 *
 * @param file Its index in the plan.
 */
export function planSplits(
  parquet: ParquetFile,
  file: number,
  sources: readonly SlotSource[],
  roles: RoleSlots,
  timeline: Timeline,
): SplitPlan[] {
  const splits: SplitPlan[] = []
  let rowGroups: RowGroupPlan[] = []
  let rows = 0
  let bytes = 0
  const close = () => {
    if (rowGroups.length > 0) splits.push({ file, rowGroups, rows, bytes })
    rowGroups = []
    rows = 0
    bytes = 0
  }
  const { knownAt, asOf } = timeline
  for (const rowGroup of parquet.rowGroups) {
    if (rows > 0 && rows + rowGroup.rows > SPLIT_ROWS) close()
    const recorded = momentBounds(parquet, rowGroup, sources[roles.recordedAt], timeline.recordedAt)
    const occurred =
      asOf === null ? undefined : momentBounds(parquet, rowGroup, sources[roles.occurredAt], timeline.occurredAt)
    const unknown =
      liesBeyond(recorded, knownAt) || liesOutside(recorded, timeline.recorded?.[parquet.path], timeline.step)
    const known = unknown || roles.recordedAt < 0 ? null : knownOf(recorded, rowGroup.rows, timeline)
    rowGroups.push({
      index: rowGroup.index,
      rows: rowGroup.rows,
      skipped: unknown || liesBeyond(occurred, asOf),
      recorded: known,
    })
    rows += rowGroup.rows
    bytes += rowGroup.bytesCompressed
  }
  close()
  return splits
}

/** Whether statistics prove that all of a row group's moments are later than `until`. */
function liesBeyond(bounds: MomentBounds | undefined, until: bigint | null): boolean {
  return until !== null && bounds !== undefined && bounds.nullCount === 0 && bounds.min > until
}

/** Whether statistics prove that nothing of a row group was recorded within a span. */
function liesOutside(bounds: MomentBounds | undefined, span: RecordedSpan | undefined, step: bigint): boolean {
  if (span === undefined || bounds === undefined) return false
  const isBefore = span.after !== null && bounds.nullCount === 0 && bounds.max <= span.after * step
  return isBefore || liesBeyond(bounds, span.until === null ? null : span.until * step)
}

/** `recorded` of a row group that holds events which count: where all are known, and statistics show no gap among them. */
function knownOf(
  bounds: MomentBounds | undefined,
  rows: number,
  { knownAt, step, readsAll, maxClockSkew }: Timeline,
): RowGroupPlan['recorded'] {
  if (readsAll || bounds?.isExact !== true || bounds.nullCount === undefined) return 'unread'
  const { min, max, nullCount } = bounds
  if (max % step !== 0n || min % step !== 0n || (knownAt !== null && max > knownAt)) return 'unread'
  if (max - min > maxClockSkew * step) return 'unread'
  return { min: min / step, max: max / step, events: rows - nullCount }
}
