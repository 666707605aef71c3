import type { Plan } from '../model/plan.ts'
import { type MergedView, sharesOf, type ViewDefinition } from '../model/view.ts'
import { type PlanInput, refuseVintages } from './plan-input.ts'
import { planLog, type ReadLog } from './plan-log.ts'
import { planMerged } from './plan-merged.ts'

/**
 * Reads the logs' footers and decides what is to be done.
 *
 * @throws ConfigurationError where views, logs and options don't go together; InputError where a log's files are missing
 * or don't hold what is declared.
 */
export function makePlan(input: PlanInput): Plan {
  if (input.vintages !== undefined) refuseVintages(input.views)
  const readers = readersOf(input.views)
  const logs = [...readers.values()].map((read) => planLog(read, input))
  const plan: Plan = { job: input.job, logs, merged: [], later: [] }
  return input.views.filter(isMerged).reduce((planned, view) => planMerged(view, planned, input), plan)
}

/** By name: the logs that views read, with those views. */
function readersOf(views: readonly ViewDefinition[]): Map<string, ReadLog> {
  const readers = new Map<string, ReadLog>()
  for (const view of views) {
    for (const share of sharesOf(view)) {
      const { log, own, shares } = readers.get(share.log.name) ?? { log: share.log, own: [], shares: [] }
      const isMerged = view.logs !== undefined
      readers.set(log.name, isMerged ? { log, own, shares: [...shares, share] } : { log, own: [...own, share], shares })
    }
  }
  return readers
}

function isMerged(view: ViewDefinition): view is MergedView {
  return view.logs !== undefined
}
