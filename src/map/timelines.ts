import { type FoldedLog, type FoldPlan, foldsOf, type LogPlan, type Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { LogClock, type PartitionRun } from '../time/clock-skew.ts'
import { leastKnown, watermarkOf } from '../time/watermark.ts'
import { vintageCalendar, windowCalendar } from '../view/view-set.ts'
import type { MapResult } from './map-split.ts'
import { Triangle, type TriangleTable, triangleTable } from './triangle.ts'

export type { TriangleTable } from './triangle.ts'

/** What the splits of all logs together say about time, once all are mapped. */
export interface Timelines {
  /** By log. */
  readonly logs: readonly LogTimeline[]
  /** What is reduced, as `foldsOf` the plan lists it. */
  readonly folds: readonly FoldTimeline[]
}

export interface LogTimeline {
  /** By partition: when its newest known event was recorded, of those that are not ahead; null where it has none. */
  readonly progress: readonly (bigint | null)[]
  /** All that was recorded up to this moment is taken to be known; null where nothing is. In the log's unit. */
  readonly watermark: bigint | null
  /** Events of clocks that are ahead, and the newest moment that isn't; null where there are none. */
  readonly ahead: { readonly events: number; readonly end: bigint } | null
}

export interface FoldTimeline {
  /** Of several logs: up to when all of them are known; null where one isn't at all. */
  readonly watermark: bigint | null
  /** The ends of all periods in which an event was recorded, oldest first; empty where no vintages are requested. */
  readonly cuts: readonly VintageBoundary[]
  /** By view with windows. */
  readonly triangles: ReadonlyMap<string, TriangleTable>
}

/** The end of a period of vintages. */
export interface VintageBoundary {
  /** The period, as the calendar of vintages numbers it. */
  readonly period: number
  /** What its vintage is called: its last day, or its last moment. */
  readonly key: number | bigint
  /** Null where one of several logs had recorded nothing by then. */
  readonly watermark: bigint | null
}

export function timelinesOf(
  plan: Plan,
  views: readonly ViewDefinition[],
  mapped: readonly (readonly MapResult[])[],
): Timelines {
  const definitions = new Map(views.map((view) => [view.name, view]))
  const recorded = plan.logs.map((log, index) => recordedBy(log, mapped[index]!))
  const logs = recorded.map(({ timeline }) => timeline)
  const cutsOfLogs = new Map<string, VintageBoundary[]>()
  const folds = foldsOf(plan).map((fold): FoldTimeline => {
    const indexes = fold.members.map(({ log }) => log)
    const name = indexes.join()
    // Views of one log all have the same cuts.
    const cuts =
      cutsOfLogs.get(name) ??
      cutsOf(
        fold.log,
        indexes.map((log) => recorded[log]!),
      )
    cutsOfLogs.set(name, cuts)
    const results = indexes.flatMap((log) => mapped[log]!)
    const watermark = leastKnown(indexes.map((log) => logs[log]!.watermark))
    return { watermark, cuts, triangles: trianglesOf(fold, definitions, results) }
  })
  return { logs, folds }
}

/** A log, and what was known of it at the end of each period in which it recorded something, oldest first. */
interface RecordedLog {
  readonly timeline: LogTimeline
  readonly cuts: readonly Omit<VintageBoundary, 'key'>[]
}

function recordedBy(log: LogPlan, results: readonly MapResult[]): RecordedLog {
  const clock = new LogClock(log.maxClockSkew)
  const cuts = periodsOf(log, results).map(([period, runs]) => {
    clock.add(runs)
    return { period, watermark: watermarkOf(clock.progress.values(), log.idleTimeout) }
  })
  const timeline = {
    progress: log.partitions.map((_, partition) => clock.progress.get(partition) ?? null),
    watermark: watermarkOf(clock.progress.values(), log.idleTimeout),
    ahead: clock.ahead === 0 ? null : { events: clock.ahead, end: clock.end! },
  }
  return { timeline, cuts }
}

/** What was recorded in each period, oldest first. */
function periodsOf(log: LogPlan, results: readonly MapResult[]): [period: number, runs: PartitionRun[]][] {
  const periods = new Map<number, PartitionRun[]>()
  results.forEach(({ recorded }, split) => {
    const { partition } = log.files[log.splits[split]!.file]!
    for (const [period, runs] of recorded) {
      const found = periods.get(period) ?? []
      periods.set(period, found)
      for (const run of runs) found.push({ ...run, partition })
    }
  })
  return [...periods].sort(([a], [b]) => a - b)
}

/** The ends of all periods in which any of the logs recorded something, with what was known of all of them by then. */
function cutsOf(folded: FoldedLog, logs: readonly RecordedLog[]): VintageBoundary[] {
  if (folded.vintages === null) return []
  const calendar = vintageCalendar(folded)
  const periods = [...new Set(logs.flatMap(({ cuts }) => cuts.map(({ period }) => period)))].sort((a, b) => a - b)
  const latest = logs.map(() => -1)
  return periods.map((period) => {
    const watermarks = logs.map(({ cuts }, index) => {
      if (cuts[latest[index]! + 1]?.period === period) latest[index]!++
      return cuts[latest[index]!]?.watermark ?? null
    })
    return { period, key: vintageKey(calendar, period), watermark: leastKnown(watermarks) }
  })
}

/** What `--known-at` takes for the end of a period: its last day, or its last moment. */
function vintageKey(calendar: ReturnType<typeof vintageCalendar>, period: number): number | bigint {
  if (calendar.keyKind === 'date') return Number(calendar.keyOf(period + 1)) - 1
  const last = calendar.endOf(period) - 1n
  return calendar.unit === 'ns' ? last : Number(last)
}

function trianglesOf(
  { log, group }: FoldPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
  results: readonly MapResult[],
): Map<string, TriangleTable> {
  const tables = new Map<string, TriangleTable>()
  for (const name of group.views) {
    const view = definitions.get(name)!
    if (view.window === undefined) continue
    const triangle = new Triangle()
    for (const result of results) triangle.add(result.triangles[name]!)
    tables.set(name, triangleTable(windowCalendar(log, view.window), view, triangle.cells()))
  }
  return tables
}
