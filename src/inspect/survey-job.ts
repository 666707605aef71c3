import type { LoadedJob } from '../job/load.ts'
import { RefoldError } from '../model/errors.ts'
import type { SequenceScope } from '../model/log.ts'
import { isOrderSensitive } from '../model/order.ts'
import type { OrderReport } from '../model/order-report.ts'
import type { LogPlan } from '../model/plan.ts'
import { logsOf } from '../model/view.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import { planRebuild } from '../plan/plan-rebuild.ts'
import { findOrder } from '../scenario/order-scenario.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

export interface LogEvents {
  readonly log: string
  /** The log's zone, in which days begin. */
  readonly zone: string
  readonly events: Survey
  /** What the log declares its sequence to count; null where it has none. */
  readonly sequenceScope: SequenceScope | null
  /** The log's views whose result depends on the order of events. */
  readonly views: readonly ViewOrder[]
}

export interface ViewOrder {
  readonly view: string
  /** What a rebuild would find of the order of its events; null where it would fail. */
  readonly order: OrderReport | null
  /** Why a rebuild would fail. */
  readonly problem: string | null
}

/** Surveys the logs of a job, each read whole. */
export async function surveyJob(job: LoadedJob): Promise<LogEvents[]> {
  const { logs } = await planRebuild(job, {})
  const found = await findOrders(job)
  const read = job.definition.views.flatMap(logsOf)
  const scopeOf = (name: string): SequenceScope => read.find((log) => log.name === name)!.sequenceScope
  return logs.map((log) => ({
    log: log.name,
    zone: log.zone,
    events: surveyPlanned(log),
    sequenceScope: log.roles.sequence < 0 ? null : scopeOf(log.name),
    views: found.filter(({ view }) => log.groups.some((group) => group.views.includes(view))),
  }))
}

/** A log that can't be folded is surveyed nevertheless, as that may show why. */
async function findOrders(job: LoadedJob): Promise<ViewOrder[]> {
  const views = job.definition.views
    .filter((view) => isOrderSensitive(view) && view.log?.view === undefined)
    .map(({ name }) => name)
  try {
    const orders = await findOrder(job, disk)
    return views.map((view) => ({ view, order: orders.get(view)!, problem: null }))
  } catch (error) {
    if (!(error instanceof RefoldError)) throw error
    return views.map((view) => ({ view, order: null, problem: error.message }))
  }
}

/** One file is open at a time, because splits follow the files. */
export function surveyPlanned(log: LogPlan): Survey {
  return openInTurn(disk, (open) => surveyLog(log, open))
}
