import { dedupeTasks } from './dedupe/tasks.ts'
import { importBundle } from './job/import.ts'
import { mapTasks } from './map/tasks.ts'
import type { Plan } from './model/plan.ts'
import type { ViewDefinition } from './model/view.ts'
import { reduceTasks } from './reduce/tasks.ts'
import type { ShuffleBudget } from './shuffle/block-memory.ts'
import { openStorage } from './storage/open.ts'
import type { Disk, StorageDescription } from './storage/store.ts'
import { mapSideOf, reduceSideOf } from './strategy/strategies.ts'
import { makeThreadContext } from './thread/context.ts'
import { performStages } from './thread/stage-tasks.ts'
import type { Perform } from './workers/executor.ts'

/** What threads load: the tasks of all stages of a rebuild. What each does is in the `tasks.ts` of its stage. */

/** What a thread needs before its first task. */
export interface RebuildSetup {
  readonly plan: Plan
  readonly budget: ShuffleBudget
  /** Where logs are read and views written: the storage itself in this thread, what another thread opens by itself. */
  readonly storage: Disk | StorageDescription
  /** The module that exports the job; absent where `definitions` are given, in the calling thread. */
  readonly bundlePath?: string
  readonly definitions?: readonly ViewDefinition[]
}

export async function prepare({ plan, budget, storage, bundlePath, definitions }: RebuildSetup): Promise<Perform> {
  const views = definitions ?? (await importBundle(bundlePath!)).views
  const files = 'kind' in storage ? openStorage(storage) : storage
  const thread = makeThreadContext(plan, views, budget, files)
  return performStages([dedupeTasks(thread), mapTasks(thread, mapSideOf), reduceTasks(thread, reduceSideOf)], () =>
    thread.logFiles.close(),
  )
}
