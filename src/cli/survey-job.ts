import { openInTurn } from '../parquet/open-in-turn.ts'
import type { LogPlan } from '../plan/plan.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

/** Surveys a log from the disk; one file is open at a time, because splits follow the files. */
export function surveyJob(log: LogPlan): Survey {
  return openInTurn(disk, (open) => surveyLog(log, open))
}
