import type { Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { type PlanInput, refuseVintages } from './plan-input.ts'
import { planLog } from './plan-log.ts'

/**
 * Reads the logs' footers and decides what is to be done.
 *
 * @throws ConfigurationError where views, logs and options don't go together; InputError where a log's files are missing
 * or don't hold what is declared.
 */
export function makePlan(input: PlanInput): Plan {
  if (input.vintages !== undefined) refuseVintages(input.views)
  const logs = new Map<string, ViewDefinition[]>()
  for (const view of input.views) logs.set(view.log.name, [...(logs.get(view.log.name) ?? []), view])
  return { job: input.job, logs: [...logs.values()].map((views) => planLog(views[0]!.log, views, input)), later: [] }
}
