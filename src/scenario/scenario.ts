import { buildAll } from '../build.ts'
import { finishStaged, noCorrections, publishAll } from '../commit/views.ts'
import type { LoadedJob } from '../job/load.ts'
import type { Manifest } from '../model/manifest.ts'
import type { LogBounds, Plan } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { type PlanOptions, planRebuild } from '../plan/plan-rebuild.ts'
import { Stages } from '../stages.ts'
import { readManifest } from '../storage/generations.ts'
import type { Disk, Store } from '../storage/store.ts'
import { makeScenarioFolder } from './folder.ts'

/** A view as it would be by other logic, from other events, or as of another moment than it is published. */
export interface Scenario {
  readonly job: LoadedJob
  readonly view: string
  /** By log: the files or globs to read instead of those that the log's definition names. */
  readonly inputs?: RebuildOptions['inputs'] | undefined
  /** As in `RebuildOptions`. */
  readonly knownAt?: string | undefined
  readonly asOf?: string | undefined
  /** Which events count besides. */
  readonly bounds?: LogBounds | undefined
}

/** How a scenario is built. Without `spillFolder` it spills into its own folder. */
export interface ScenarioOptions
  extends Pick<
    RebuildOptions,
    'workers' | 'memoryBytes' | 'spillFolder' | 'strategy' | 'signal' | 'onProgress' | 'onThreads'
  > {
  /**
   * A folder of the caller's, which need not exist and which the caller removes: the scenario is built in a new folder in
   * it. Absent: in a temporary folder of the system's, which is removed when the process ends, too; where the process is
   * killed, the next one that loads a job removes it.
   */
  readonly within?: string
}

/** A scenario's generation, complete with its manifest. Nothing of it is part of what is published. */
export interface BuiltScenario {
  readonly manifest: Manifest
  /** Folder of the generation. */
  readonly folder: string
  /** Removes it. */
  dispose(): void
}

/**
 * Builds one view on the side, to be looked at once. What is published stays as it is, and no corrections are made.
 *
 * @returns Call its `dispose()` when it is no longer needed; the job may be disposed of before.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError; what `signal` was aborted with. Nothing
 * is left behind then.
 */
export async function buildScenario(
  scenario: Scenario,
  { within, ...options }: ScenarioOptions,
  files: Disk,
): Promise<BuiltScenario> {
  const { job, view, bounds } = scenario
  const { path: out, remove } = makeScenarioFolder(within, files)
  try {
    const request = { job, options: { ...options, ...planOptionsOf(scenario), out }, bounds }
    const stages = new Stages(request.options)
    const built = await buildAll(request, stages, files)
    const report = await finishStaged(built, files, () =>
      stages.run('commit', () => publishAll({ job, built, corrections: noCorrections, stages, only: [view] }, files)),
    )
    const { generation, path } = report.views[0]!
    return { manifest: readManifest(out, view, generation, files), folder: path, dispose: remove }
  } catch (error) {
    removeAfterFailure(remove)
    throw error
  }
}

/** What building a scenario would read, from the logs' footers alone. */
export async function planScenario(scenario: Scenario, files: Store): Promise<Plan> {
  return planRebuild(scenario.job, planOptionsOf(scenario), files, scenario.bounds)
}

function planOptionsOf({ view, inputs, knownAt, asOf }: Scenario): PlanOptions {
  return {
    views: [view],
    ...(inputs !== undefined && { inputs }),
    ...(knownAt !== undefined && { knownAt }),
    ...(asOf !== undefined && { asOf }),
  }
}

function removeAfterFailure(remove: () => void): void {
  try {
    remove()
  } catch {
    // What failed first is what the caller must hear of.
  }
}
