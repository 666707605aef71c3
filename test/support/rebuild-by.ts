import type { LoadedJob } from '../../src/job/load.ts'
import type { RebuildOptions, RebuildReport } from '../../src/model/report.ts'
import { rebuild } from '../../src/rebuild.ts'
import type { StartExecutor } from '../../src/start-executor.ts'
import { disk } from '../../src/storage/disk.ts'
import { prepare, type RebuildSetup } from '../../src/tasks.ts'
import type { Perform } from '../../src/workers/executor.ts'
import { createInline } from '../../src/workers/inline.ts'
import { startHosts } from './serializing-executor.ts'

/**
 * Who performs tasks: a number of worker threads, or hosts that share only files. `failing`: each task is performed twice,
 * and what the other attempt results in gets lost.
 */
export type Performers = number | 'failing thread' | 'hosts' | 'failing hosts'

const starts: Readonly<Record<Exclude<Performers, number>, StartExecutor>> = {
  'failing thread': async ({ job, plan, budget, files }) =>
    createInline(prepareTwice, { plan, budget, storage: files, definitions: job.definition.views }),
  hosts: startHosts(),
  'failing hosts': startHosts({ losesAttempts: true }),
}

/** Memory stays shared, so that the second attempt meets what the first did there. */
async function prepareTwice(setup: RebuildSetup): Promise<Perform> {
  const perform = await prepare(setup)
  const twice = async (task: never) => {
    await perform(task, 1)
    return perform(task, 2)
  }
  return Object.assign(twice, { close: () => perform.close?.() })
}

/** Rebuilds a job's views by whom the test says. */
export function rebuildBy(
  performers: Performers,
  job: LoadedJob,
  options: Omit<RebuildOptions, 'workers'>,
): Promise<RebuildReport> {
  if (typeof performers === 'number') return rebuild(job, { ...options, workers: performers })
  return rebuild(job, { ...options, workers: 0 }, disk, starts[performers])
}
