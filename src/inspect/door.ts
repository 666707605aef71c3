import type { LoadedJob } from '../job/load.ts'
import type { FilesReport } from './inspect-files.ts'
import type { LogLateness } from './lateness.ts'
import type { LogEvents } from './survey-job.ts'

/**
 * What is in logs, for programs. Job files import this module on every thread, so what it does is loaded when it is called.
 */

/**
 * Describes the files of a log by their footers: rows, columns and how they differ from file to file, statistics.
 *
 * @param files Glob or globs, a folder or a file.
 * @param name What the log is called in the report and in messages. Default: `files`.
 * @throws ConfigurationError where there are no such files, InputError where one can't be read.
 *
 * @example
 * ```ts
 * const { rows, columns } = await inspectLog('data/ledger/*.parquet')
 * ```
 */
export async function inspectLog(files: string | readonly string[], name?: string): Promise<FilesReport> {
  const shown = name ?? [files].flat().join(', ')
  return (await import('./inspect-files.ts')).inspectFiles(shown, files)
}

/**
 * Reads the logs of a job and reports what their events are like: types, time range, order, gaps, duplicates, delays.
 *
 * @throws ConfigurationError where a log doesn't fit its declaration, InputError where a file can't be read.
 */
export async function surveyJob(job: LoadedJob): Promise<readonly LogEvents[]> {
  return (await import('./survey-job.ts')).surveyJob(job)
}

/**
 * Reads the logs of a job and reports how many events several values of `allowedLateness` would call late, and how long windows would
 * stay provisional.
 *
 * @param thresholds Durations as `1 day`. Default: 1, 2, 3, 7, 14 and 30 days.
 * @throws ConfigurationError where no log of the job says when events occurred and when they were recorded.
 *
 * @example
 * ```ts
 * const job = await loadJob('jobs/ledger.ts')
 * const [{ surveys }] = await surveyLateness(job, ['6 hours', '1 day'])
 * ```
 */
export async function surveyLateness(job: LoadedJob, thresholds?: readonly string[]): Promise<readonly LogLateness[]> {
  const { parseThresholds, surveyJobLateness } = await import('./lateness.ts')
  return surveyJobLateness(job, parseThresholds(thresholds, 'thresholds'), 'surveyLateness')
}
