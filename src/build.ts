import { join } from 'node:path'
import { checkOwners } from './commit/owner.ts'
import { type BuiltViews, discardAfterFailure, publishedNames, type StagedViews, stageAll } from './commit/views.ts'
import { identifyAll } from './dedupe/all.ts'
import type { LoadedJob } from './job/load.ts'
import { aheadNotes } from './map/ahead.ts'
import { mapAll } from './map/all.ts'
import { timelinesOf } from './map/timelines.ts'
import { refuseUnfoundPaths, unseenTypes } from './map/unfound.ts'
import type { LogBounds } from './model/plan.ts'
import type { RebuildOptions } from './model/report.ts'
import type { ViewDefinition } from './model/view.ts'
import { checkPublishedInputs } from './plan/input-changes.ts'
import { layersOf } from './plan/layers.ts'
import { refuseInputs, refuseUrls } from './plan/plan-input.ts'
import { inputLogs, planLayer } from './plan/plan-rebuild.ts'
import { reduceAll } from './reduce/all.ts'
import type { Stages } from './stages.ts'
import { type StartExecutor, startExecutor, threadsFor } from './start-executor.ts'
import type { Disk } from './storage/store.ts'
import type { Executor } from './workers/executor.ts'

export interface BuildAllRequest {
  readonly job: LoadedJob
  readonly options: RebuildOptions
  /** Which events count besides: for views of what was known. */
  readonly bounds?: LogBounds | undefined
  /** Whether a path into documents that leads to nothing is an error: not where earlier logic is run once more. */
  readonly refusesUnfoundPaths?: boolean
  /** Starts what runs the tasks; absent: threads of this process, or this thread. */
  readonly start?: StartExecutor
}

/**
 * Builds views from their logs, and then those that are made of other views' rows.
 *
 * @returns What was built, in layers; `finishStaged` of `commit` publishes or removes it.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. No files remain then.
 */
export async function buildAll(request: BuildAllRequest, stages: Stages, files: Disk): Promise<BuiltViews[]> {
  const { job, options } = request
  refuseUrls(options)
  const layers = layersOf(job.name, job.definition.views, options.views)
  refuseInputs(options, inputLogs(layers))
  const rows = new Map<string, readonly string[]>()
  const built: BuiltViews[] = []
  try {
    for (const views of layers) {
      const layer = await build({ ...request, views, rows }, stages, files)
      built.push(layer)
      for (const { name } of views) rows.set(name, partsOf(layer, name))
    }
    return built
  } catch (error) {
    for (const { staged } of built) discardAfterFailure(staged, files)
    throw error
  }
}

function partsOf({ reduced, staged }: BuiltViews, view: string): string[] {
  return reduced.get(view)!.parts.map(({ name }) => join(staged.folders[view]!, name))
}

/** Views to build: those of one layer. */
interface BuildRequest extends BuildAllRequest {
  readonly views: readonly ViewDefinition[]
  /** By view whose rows are a log: its part files. */
  readonly rows: ReadonlyMap<string, readonly string[]>
}

/** Builds views of one layer: plan → identify → map → shuffle → reduce. */
async function build(request: BuildRequest, stages: Stages, files: Disk): Promise<BuiltViews> {
  const { job, options, start = startExecutor } = request
  const plan = await stages.run('plan', () => planLayer({ ...request, files }))
  const ownership = checkOwners(job, publishedNames(plan, options.views), options, files)
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
    if (request.refusesUnfoundPaths === true) refuseUnfoundPaths(plan, mapped, files)
    const timelines = timelinesOf(plan, job.definition.views, mapped)
    const types = unseenTypes(plan, job.definition.views, mapped)
    const notes = [...inputNotes, ...types, ...aheadNotes(plan, mapped, timelines.logs, files)]
    const reduced = await stages.run('reduce', () =>
      reduceAll(
        { plan, duplicates, mapped, timelines: timelines.folds, folders: staged.folders },
        workers,
        stages,
        files,
      ),
    )
    // Nothing is left for them to do; corrections may need others.
    await workers.close()
    return { job, plan, mapped, timelines, reduced, staged, ownership, inputNotes: notes, threads }
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
