import { discardAll, publishAll, type StagedViews, stageAll } from './commit/views.ts'
import type { LoadedJob } from './job/load.ts'
import { fieldsRead } from './job/reads.ts'
import { identifyAll, mapAll } from './map/all.ts'
import { ConfigurationError } from './model/errors.ts'
import type { RebuildOptions, RebuildReport } from './model/report.ts'
import { makePlan } from './plan/make-plan.ts'
import type { Plan } from './plan/plan.ts'
import { reduceAll } from './reduce/all.ts'
import { Stages } from './stages.ts'
import { disk } from './storage/disk.ts'
import type { Executor } from './workers/executor.ts'
import { startWorkers, threadsFor } from './workers/start.ts'

/**
 * Rebuilds views from their logs: plan → map → shuffle → reduce → commit.
 *
 * @param job From `loadJob`, or `loadedFromDefinition` (which runs with 0 workers only).
 * @returns What was published, with counters and times.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. Nothing is published then, unless the
 * OutputError says so: views are switched one after the other, and it names those that were.
 */
export async function rebuild(job: LoadedJob, options: RebuildOptions): Promise<RebuildReport> {
  const stages = new Stages(options)
  const plan = await stages.run('plan', () => planRebuild(job, options))
  const threads = options.workers ?? threadsFor(job, plan)
  options.onThreads?.(threads)
  const staged = stageAll(plan, options, disk)
  let workers: Executor | undefined
  let failure: unknown
  try {
    const executor = await startWorkers(job, plan, threads, staged.budget)
    workers = executor
    const duplicates = await stages.run('identify', () => identifyAll(plan, executor, stages))
    const mapped = await stages.run('map', () => mapAll(plan, duplicates, executor, stages))
    const reduced = await stages.run('reduce', () =>
      reduceAll(plan, duplicates, mapped, staged.folders, executor, stages),
    )
    return await stages.run('commit', () => publishAll({ job, plan, mapped, reduced, staged, threads, stages }, disk))
  } catch (error) {
    failure = error
    throw error
  } finally {
    await cleanUp(workers, staged, failure)
  }
}

/** Ends the threads, so that nothing is written any more, and removes what was staged; what was published no longer is. */
async function cleanUp(workers: Executor | undefined, staged: StagedViews, failure: unknown): Promise<void> {
  try {
    await workers?.close()
    discardAll(staged, disk)
  } catch (error) {
    // What failed first is what the caller must hear of.
    if (failure === undefined) throw error
  }
}

/** What `rebuild` would do, from the logs' footers alone. */
export async function planRebuild(job: LoadedJob, options: RebuildOptions): Promise<Plan> {
  const { views } = job.definition
  const unknown = options.views?.find((name) => !views.some((view) => view.name === name))
  if (unknown !== undefined) {
    const names = views.map((view) => view.name).join(', ')
    throw new ConfigurationError(`Job ${job.name} has no view "${unknown}": it has ${names}.`)
  }
  const wanted = views.filter((view) => options.views?.includes(view.name) ?? true)
  return makePlan({
    job: job.name,
    views: wanted,
    inputs: options.inputs,
    knownAt: options.knownAt,
    asOf: options.asOf,
    strategy: options.strategy,
    fieldsRead,
    files: disk,
  })
}
