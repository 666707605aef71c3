import { availableParallelism } from 'node:os'
import type { LoadedJob } from '../job/load.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { Plan } from '../model/plan.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Disk } from '../storage/store.ts'
import type { Executor } from './executor.ts'
import { createInline } from './inline.ts'
import { prepare, type RebuildSetup } from './tasks.ts'
import { bundledModules } from './thread-modules.ts'

/** Fewer events are folded sooner in one thread than in several that must start and warm up: 0.4 s against 0.6 s for 300,000. */
const EVENTS_WORTH_THREADS = 500_000

/** How many threads a rebuild gets that asks for no number. */
export function threadsFor(job: LoadedJob, plan: Plan, files: Disk): number {
  const events = plan.logs.reduce((sum, log) => sum + log.rows, 0)
  const mustStayHere = job.bundlePath === undefined || files.description === null
  return events < EVENTS_WORTH_THREADS || mustStayHere ? 0 : availableParallelism()
}

/** The executor that a rebuild asked for: 0 workers means this thread. */
export async function startWorkers(
  job: LoadedJob,
  plan: Plan,
  workers: number,
  budget: ShuffleBudget,
  files: Disk,
): Promise<Executor> {
  if (workers === 0) {
    const setup: RebuildSetup = { plan, budget, storage: files, definitions: job.definition.views }
    return createInline(prepare, setup)
  }
  if (job.bundlePath === undefined) {
    throw new ConfigurationError(
      `Job ${job.name} was made by a program and has no file for threads to load: run it with 0 workers.`,
    )
  }
  const { description: storage } = files
  if (storage === null) {
    throw new ConfigurationError(
      `Job ${job.name} reads from a storage that only the calling thread can open: run it with 0 workers.`,
    )
  }
  const { createPool } = await import('./pool.ts')
  const setup: RebuildSetup = { plan, budget, storage, bundlePath: job.bundlePath }
  return createPool({ workers, modules: bundledModules(), setup })
}
