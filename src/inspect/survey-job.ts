import type { LoadedJob } from '../job/load.ts'
import type { LogPlan } from '../model/plan.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import { planRebuild } from '../plan/plan-rebuild.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

export interface LogEvents {
  readonly log: string
  readonly events: Survey
}

/** Surveys the logs of a job, each read whole. */
export async function surveyJob(job: LoadedJob): Promise<LogEvents[]> {
  const { logs } = await planRebuild(job, {})
  return logs.map((log) => ({ log: log.name, events: surveyPlanned(log) }))
}

/** One file is open at a time, because splits follow the files. */
export function surveyPlanned(log: LogPlan): Survey {
  return openInTurn(disk, (open) => surveyLog(log, open))
}
