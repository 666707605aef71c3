import type { LogPlan, Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { watermarkOf } from '../time/watermark.ts'
import { vintageCalendar, windowCalendar } from '../view/view-set.ts'
import type { MapResult } from './map-split.ts'
import { noteNewest } from './periods.ts'
import { Triangle, type TriangleTable, triangleTable } from './triangle.ts'

export type { TriangleTable } from './triangle.ts'

/** What a log's splits together say about time, once all are mapped. */
export interface Timeline {
  /** By partition: when its newest known event was recorded; null where it has none. */
  readonly progress: readonly (bigint | null)[]
  /** All that was recorded up to this moment is taken to be known; null where nothing is. In the log's unit. */
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
  const newest = log.partitions.map(() => new Map<number, bigint>())
  results.forEach((result, split) => {
    const { partition } = log.files[log.splits[split]!.file]!
    for (const [period, moment] of result.newest) noteNewest(newest[partition]!, period, moment)
  })
  const progress = newest.map(newestOf)
  const known = progress.filter((moment) => moment !== null)
  return {
    progress,
    watermark: watermarkOf(known, log.idleTimeout),
    cuts: log.vintages === null ? [] : cutsOf(log, newest),
    triangles: trianglesOf(log, definitions, results),
  }
}

function newestOf(byPeriod: ReadonlyMap<number, bigint>): bigint | null {
  let newest: bigint | null = null
  for (const moment of byPeriod.values()) if (newest === null || moment > newest) newest = moment
  return newest
}

/** Goes through the periods and keeps what each partition had recorded by then. */
function cutsOf(log: LogPlan, newest: readonly ReadonlyMap<number, bigint>[]): VintageBoundary[] {
  const calendar = vintageCalendar(log)
  const periods = [...new Set(newest.flatMap((byPeriod) => [...byPeriod.keys()]))].sort((a, b) => a - b)
  const progress = new Map<number, bigint>()
  return periods.map((period) => {
    newest.forEach((byPeriod, partition) => {
      const moment = byPeriod.get(period)
      if (moment !== undefined) noteNewest(progress, partition, moment)
    })
    return {
      period,
      key: vintageKey(calendar, period),
      // Something was recorded in this period at the latest.
      watermark: watermarkOf(progress.values(), log.idleTimeout)!,
    }
  })
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
