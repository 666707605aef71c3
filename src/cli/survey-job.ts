import type { LogPlan } from '../model/plan.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

/** Surveys a log from the disk; one file is open at a time, because splits follow the files. */
export function surveyJob(log: LogPlan): Survey {
  return openInTurn(disk, (open) => surveyLog(log, open))
}
