import { openParquet, type ParquetFile } from '../parquet/file.ts'
import type { FilePlan, LogPlan } from '../plan/plan.ts'
import { disk } from '../storage/disk.ts'
import { type Survey, surveyLog } from './survey.ts'

/** Surveys a log from the disk; one file is open at a time, because splits follow the files. */
export function surveyJob(log: LogPlan): Survey {
  let open: ParquetFile | undefined
  const openFile = (file: FilePlan): ParquetFile => {
    if (open?.path === file.path) return open
    open?.file.close()
    open = openParquet(disk.openForReading(file.path))
    return open
  }
  try {
    return surveyLog(log, openFile)
  } finally {
    open?.file.close()
  }
}
