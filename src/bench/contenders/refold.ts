import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadJob } from '../../job/load.ts'
import { rebuild } from '../../rebuild.ts'
import type { Runner, Written } from '../runner.ts'

/** A clone runs its TypeScript as it is; the published package has JavaScript. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** Workloads that differ by their log alone share a job. */
const jobs: Readonly<Record<string, string>> = { skew: 'balances', zstd: 'balances' }

/** Starting its threads belongs to the work; loading the job, as importing a library, doesn't. */
export function refoldRunner(workers: number): Runner {
  return {
    prepare: async (task) => {
      const name = jobs[task.workload] ?? task.workload
      const job = await loadJob(fileURLToPath(new URL(`../jobs/${name}.${extension}`, import.meta.url)))
      return async () => {
        try {
          const report = await rebuild(job, { out: task.out, workers, inputs: { ledger: task.files } })
          return Object.fromEntries(report.views.map(({ view, path }) => [view, partsOf(path)])) satisfies Written
        } finally {
          job.dispose()
        }
      }
    },
  }
}

function partsOf(folder: string): string[] {
  return globSync('part-*.parquet', { cwd: folder })
    .sort()
    .map((name) => join(folder, name))
}
