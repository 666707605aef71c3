import type { LogPlan, Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { LogClock, type PartitionRun } from '../time/clock-skew.ts'
import { watermarkOf } from '../time/watermark.ts'
import { vintageCalendar, windowCalendar } from '../view/view-set.ts'
import type { MapResult } from './map-split.ts'
import { Triangle, type TriangleTable, triangleTable } from './triangle.ts'

export type { TriangleTable } from './triangle.ts'

/** What a log's splits together say about time, once all are mapped. */
export interface Timeline {
  /** By partition: when its newest known event was recorded, of those that are not ahead; null where it has none. */
  readonly progress: readonly (bigint | null)[]
  /** All that was recorded up to this moment is taken to be known; null where nothing is. In the log's unit. */
  readonly watermark: bigint | null
  /** Events of clocks that are ahead, and the newest moment that isn't; null where there are none. */
  readonly ahead: { readonly events: number; readonly end: bigint } | null
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
  readonly watermark: bigint
}

export function timelinesOf(
  plan: Plan,
  views: readonly ViewDefinition[],
  mapped: readonly (readonly MapResult[])[],
): Timeline[] {
  const definitions = new Map(views.map((view) => [view.name, view]))
  return plan.logs.map((log, index) => timelineOf(log, definitions, mapped[index]!))
}

function timelineOf(
  log: LogPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
  results: readonly MapResult[],
): Timeline {
  const periods = periodsOf(log, results)
  const clock = new LogClock(log.maxClockSkew)
  const cuts = periods.map(([period, runs]) => {
    clock.add(runs)
    return { period, watermark: watermarkOf(clock.progress.values(), log.idleTimeout)! }
  })
  return {
    progress: log.partitions.map((_, partition) => clock.progress.get(partition) ?? null),
    watermark: watermarkOf(clock.progress.values(), log.idleTimeout),
    ahead: clock.ahead === 0 ? null : { events: clock.ahead, end: clock.end! },
    cuts: log.vintages === null ? [] : namedCuts(log, cuts),
    triangles: trianglesOf(log, definitions, results),
  }
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

function namedCuts(log: LogPlan, cuts: readonly Omit<VintageBoundary, 'key'>[]): VintageBoundary[] {
  const calendar = vintageCalendar(log)
  return cuts.map((cut) => ({ ...cut, key: vintageKey(calendar, cut.period) }))
}

/** What `--known-at` takes for the end of a period: its last day, or its last moment. */
function vintageKey(calendar: ReturnType<typeof vintageCalendar>, period: number): number | bigint {
  if (calendar.keyKind === 'date') return Number(calendar.keyOf(period + 1)) - 1
  const last = calendar.endOf(period) - 1n
  return calendar.unit === 'ns' ? last : Number(last)
}

function trianglesOf(
  log: LogPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
  results: readonly MapResult[],
): Map<string, TriangleTable> {
  const tables = new Map<string, TriangleTable>()
  for (const name of log.groups.flatMap((group) => group.views)) {
    const view = definitions.get(name)!
    if (view.window === undefined) continue
    const triangle = new Triangle()
    for (const result of results) triangle.add(result.triangles[name]!)
    tables.set(name, triangleTable(windowCalendar(log, view.window), view, triangle.cells()))
  }
  return tables
}
