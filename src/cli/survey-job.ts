import { openParquet, type ParquetFile } from '../parquet/file.ts'
import type { FilePlan, LogPlan } from '../plan/plan.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

/** Surveys a log from the disk. */
export function surveyJob(log: LogPlan): Survey {
  return openInTurn((open) => surveyLog(log, open))
}

/** Hands out files of a log, one of which is open at a time, because splits follow the files. */
export function openInTurn<T>(survey: (open: (file: FilePlan) => ParquetFile) => T): T {
  let open: ParquetFile | undefined
  const openFile = (file: FilePlan): ParquetFile => {
    if (open?.path === file.path) return open
    open?.file.close()
    open = openParquet(disk.openForReading(file.path))
    return open
  }
  try {
    return survey(openFile)
  } finally {
    open?.file.close()
  }
}
