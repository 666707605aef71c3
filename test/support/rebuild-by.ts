import type { LoadedJob } from '../../src/job/load.ts'
import type { RebuildOptions, RebuildReport } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import { startHosts } from './serializing-executor.ts'

/** Who performs tasks: a number of worker threads, hosts that share only files, or such hosts whose attempts get lost. */
export type Performers = number | 'hosts' | 'failing hosts'

/** Rebuilds a job's views by whom the test says. */
export function rebuildBy(
  performers: Performers,
  job: LoadedJob,
  options: Omit<RebuildOptions, 'workers'>,
): Promise<RebuildReport> {
  if (typeof performers === 'number') return rebuild(job, { ...options, workers: performers })
  const start = startHosts({ losesAttempts: performers === 'failing hosts' })
  return rebuild(job, { ...options, workers: 0 }, undefined, start)
}
