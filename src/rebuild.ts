import { discardAll, publishAll, type StagedViews, stageAll } from './commit/views.ts'
import { correctAll } from './correct/all.ts'
import { identifyAll } from './dedupe/all.ts'
import type { LoadedJob } from './job/load.ts'
import { fieldsRead } from './job/reads.ts'
import { mapAll } from './map/all.ts'
import { timelinesOf } from './map/timelines.ts'
import { ConfigurationError } from './model/errors.ts'
import type { Plan, RecordedBounds } from './model/plan.ts'
import type { RebuildOptions, RebuildReport } from './model/report.ts'
import { makePlan } from './plan/make-plan.ts'
import { reduceAll } from './reduce/all.ts'
import { Stages } from './stages.ts'
import { disk } from './storage/disk.ts'
import type { Executor } from './workers/executor.ts'
import { startWorkers, threadsFor } from './workers/start.ts'

/**
 * Rebuilds views from their logs: plan → map → shuffle → reduce → correct → commit.
 *
 * @param job From `loadJob`, or `loadedFromDefinition` (which runs with 0 workers only).
 * @param bounds By partition, which events count besides: for views of what was known.
 * @returns What was published, with counters and times.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. Nothing is published then, unless the
 * OutputError says so: views are switched one after the other, and it names those that were.
 */
export async function rebuild(
  job: LoadedJob,
  options: RebuildOptions,
  bounds?: RecordedBounds,
): Promise<RebuildReport> {
  const stages = new Stages(options)
  const plan = await stages.run('plan', () => planRebuild(job, options, bounds))
  const threads = options.workers ?? threadsFor(job, plan)
  options.onThreads?.(threads)
  const staged = stageAll(plan, options, threads, disk)
  let workers: Executor | undefined
  let failure: unknown
  try {
    const executor = await startWorkers(job, plan, threads, staged.budget)
    workers = executor
    const duplicates = await stages.run('identify', () => identifyAll(plan, staged.budget, executor, stages))
    const mapped = await stages.run('map', () => mapAll(plan, duplicates, executor, stages))
    const timelines = timelinesOf(plan, job.definition.views, mapped)
    const reduced = await stages.run('reduce', () =>
      reduceAll(plan, duplicates, mapped, timelines, staged.folders, executor, stages),
    )
    // Nothing is left for them to do; corrections may need others.
    await executor.close()
    const corrections = await stages.run('correct', () =>
      correctAll({ job, plan, reduced, staged, options, engine: { rebuild, planRebuild }, stages }, disk),
    )
    const finished = { job, plan, mapped, timelines, reduced, corrections, staged, threads, stages }
    return await stages.run('commit', () => publishAll(finished, disk))
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
export async function planRebuild(job: LoadedJob, options: RebuildOptions, bounds?: RecordedBounds): Promise<Plan> {
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
    vintages: options.vintages,
    recorded: bounds,
    strategy: options.strategy,
    fieldsRead,
    files: disk,
  })
}
