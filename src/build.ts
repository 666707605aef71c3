import { checkOwners } from './commit/owner.ts'
import { type BuiltViews, discardAfterFailure, publishedNames, type StagedViews, stageAll } from './commit/views.ts'
import { identifyAll } from './dedupe/all.ts'
import type { LoadedJob } from './job/load.ts'
import { mapAll } from './map/all.ts'
import { timelinesOf } from './map/timelines.ts'
import type { RecordedBounds } from './model/plan.ts'
import type { RebuildOptions } from './model/report.ts'
import { checkPublishedInputs } from './plan/input-changes.ts'
import { refuseUrls } from './plan/plan-input.ts'
import { planRebuild } from './plan/plan-rebuild.ts'
import { reduceAll } from './reduce/all.ts'
import type { Stages } from './stages.ts'
import { type StartExecutor, startExecutor, threadsFor } from './start-executor.ts'
import type { Disk } from './storage/store.ts'
import type { Executor } from './workers/executor.ts'

export interface BuildRequest {
  readonly job: LoadedJob
  readonly options: RebuildOptions
  /** By partition, which events count besides: for views of what was known. */
  readonly bounds?: RecordedBounds | undefined
  /** Starts what runs the tasks; absent: threads of this process, or this thread. */
  readonly start?: StartExecutor
}

/**
 * Builds views from their logs: plan → identify → map → shuffle → reduce.
 *
 * @returns What was built; `finishStaged` of `commit` publishes or removes it.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. No files remain then.
 */
export async function build(request: BuildRequest, stages: Stages, files: Disk): Promise<BuiltViews> {
  const { job, options, bounds, start = startExecutor } = request
  refuseUrls(options)
  const plan = await stages.run('plan', () => planRebuild(job, options, files, bounds))
  const ownership = checkOwners(job, publishedNames(plan), options, files)
  const inputNotes = checkPublishedInputs(plan, options, files)
  const threads = options.workers ?? threadsFor(job, plan, files)
  options.onThreads?.(threads)
  const staged = stageAll(plan, options, threads, files)
  let started: Executor | undefined
  try {
    const workers = await start({ job, plan, workers: threads, budget: staged.budget, files })
    started = workers
    const duplicates = await stages.run('identify', () => identifyAll(plan, staged.budget, workers, stages, files))
    const mapped = await stages.run('map', () => mapAll(plan, duplicates, workers, stages, files))
    const timelines = timelinesOf(plan, job.definition.views, mapped)
    const reduced = await stages.run('reduce', () =>
      reduceAll({ plan, duplicates, mapped, timelines, folders: staged.folders }, workers, stages, files),
    )
    // Nothing is left for them to do; corrections may need others.
    await workers.close()
    return { job, plan, mapped, timelines, reduced, staged, ownership, inputNotes, threads }
  } catch (error) {
    await cleanUp(started, staged, files)
    throw error
  }
}

/** Ends the threads, so that nothing is written any more, and removes what was staged. */
async function cleanUp(workers: Executor | undefined, staged: StagedViews, files: Disk): Promise<void> {
  try {
    await workers?.close()
  } catch {
    // What failed first is what the caller gets. What threads may still write to is left to the next rebuild.
    return
  }
  discardAfterFailure(staged, files)
}
