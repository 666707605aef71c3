import type { LoadedJob } from '../job/load.ts'

/** Loads a job, works with it and removes what was made for it, also where the process ends in between. */
export async function withJob<T>(path: string, work: (job: LoadedJob) => Promise<T>): Promise<T> {
  const { loadJob } = await import('../job/load.ts')
  const job = await loadJob(path)
  process.once('exit', job.dispose)
  try {
    return await work(job)
  } finally {
    process.removeListener('exit', job.dispose)
    job.dispose()
  }
}
