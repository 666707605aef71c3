import { availableParallelism } from 'node:os'
import type { LoadedJob } from './job/load.ts'
import { ConfigurationError } from './model/errors.ts'
import type { Plan } from './model/plan.ts'
import type { ShuffleBudget } from './shuffle/block-memory.ts'
import type { Disk } from './storage/store.ts'
import { prepare, type RebuildSetup } from './tasks.ts'
import type { Executor } from './workers/executor.ts'
import { startWorkers } from './workers/start.ts'
import { bundledModules } from './workers/thread-modules.ts'

/** What an executor is started for. */
export interface ExecutorRequest {
  readonly job: LoadedJob
  readonly plan: Plan
  /** Number of threads; 0 means the calling thread. */
  readonly workers: number
  readonly budget: ShuffleBudget
  readonly files: Disk
}

/** Starts what runs the tasks of one rebuild. */
export type StartExecutor = (request: ExecutorRequest) => Promise<Executor>

/** Fewer events are folded sooner in one thread than in several that must start and warm up: 0.4 s against 0.6 s for 300,000. */
const EVENTS_WORTH_THREADS = 500_000

/** How many threads a rebuild gets that asks for no number. */
export function threadsFor(job: LoadedJob, plan: Plan, files: Disk): number {
  const events = plan.logs.reduce((sum, log) => sum + log.rows, 0)
  const mustStayHere = job.bundlePath === undefined || files.description === null
  return events < EVENTS_WORTH_THREADS || mustStayHere ? 0 : availableParallelism()
}

/**
 * The executor that a rebuild asked for.
 *
 * @throws ConfigurationError where other threads can't load the job or open the storage.
 */
export const startExecutor: StartExecutor = ({ job, plan, workers, budget, files }) =>
  startWorkers<RebuildSetup>(workers, {
    prepare,
    setup: { plan, budget, storage: files, definitions: job.definition.views },
    forThreads: () => ({ modules: bundledModules(), setup: { plan, budget, ...whatThreadsOpen(job, files) } }),
  })

function whatThreadsOpen(job: LoadedJob, files: Disk): Pick<RebuildSetup, 'bundlePath' | 'storage'> {
  const { bundlePath } = job
  if (bundlePath === undefined) {
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
  return { bundlePath, storage }
}
