import type { Executor, Prepare } from './executor.ts'
import { createInline } from './inline.ts'
import type { ThreadModules } from './thread-modules.ts'

/** The same tasks for the calling thread and for threads of their own. */
export interface Work<Setup> {
  /** What the calling thread performs tasks with. */
  readonly prepare: Prepare<Setup>
  readonly setup: Setup
  /** What other threads load and are given; throws where they can't do the work. */
  readonly forThreads: () => { readonly modules: ThreadModules; readonly setup: Setup }
}

/** @param workers Number of threads; 0 means the calling thread. */
export async function startWorkers<Setup>(workers: number, work: Work<Setup>): Promise<Executor> {
  if (workers === 0) return createInline(work.prepare, work.setup)
  const { modules, setup } = work.forThreads()
  const { createPool } = await import('./pool.ts')
  return createPool({ workers, modules, setup })
}
