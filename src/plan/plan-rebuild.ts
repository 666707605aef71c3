import type { LoadedJob } from '../job/load.ts'
import { fieldsRead } from '../job/reads.ts'
import { returnsOf } from '../job/returns.ts'
import type { LogBounds, Plan } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { logsOf, type ViewDefinition } from '../model/view.ts'
import { disk } from '../storage/disk.ts'
import type { Store } from '../storage/store.ts'
import { type ChangedInputs, publishedInputChanges } from './input-changes.ts'
import { laterViews, layersOf } from './layers.ts'
import { makePlan } from './make-plan.ts'
import { type RowsOfViews, refuseInputs, refuseUrls } from './plan-input.ts'

/** Those of a rebuild's options that decide its plan. */
export type PlanOptions = Pick<RebuildOptions, 'views' | 'inputs' | 'knownAt' | 'asOf' | 'vintages' | 'strategy'>

/**
 * What `rebuild` would do, from the logs' footers alone.
 *
 * @param bounds Further bounds on which events count: for views of what was known.
 * @throws ConfigurationError where the job has no such view, or InputError where a log can't be read as declared.
 */
export async function planRebuild(
  job: LoadedJob,
  options: PlanOptions,
  files: Store = disk,
  bounds?: LogBounds,
): Promise<Plan> {
  const layers = layersOf(job.name, job.definition.views, options.views)
  refuseInputs(options, inputLogs(layers))
  return { ...planLayer({ job, options, views: layers[0]!, files, bounds }), later: laterViews(layers) }
}

/** What can be read from other files: logs that have files. */
export function inputLogs(layers: readonly (readonly ViewDefinition[])[]): string[] {
  return [...new Set(layers[0]!.flatMap(logsOf).map(({ name }) => name))]
}

/** Views that are made of the same: logs, or the rows of views that are built. */
export interface LayerToPlan {
  readonly job: LoadedJob
  readonly options: PlanOptions
  readonly views: readonly ViewDefinition[]
  readonly files: Store
  readonly bounds?: LogBounds | undefined
  /** By view: the part files of its rows. */
  readonly rows?: RowsOfViews | undefined
}

/** @throws as `planRebuild` does. */
export function planLayer({ job, options, views, files, bounds, rows }: LayerToPlan): Plan {
  return makePlan({
    job: job.name,
    views,
    rows,
    inputs: options.inputs,
    knownAt: options.knownAt,
    asOf: options.asOf,
    vintages: options.vintages,
    recorded: bounds,
    strategy: options.strategy,
    fieldsRead,
    returnsOf,
    files,
  })
}

/** What a rebuild would do, and what became of the files that the published generations were built from. */
export interface RebuildPlan extends Plan {
  /** Views of which such files are gone or changed. Where one has a `loss`, a rebuild fails unless `allowMissingInputs`. */
  readonly changedInputs: readonly ChangedInputs[]
}

/** The same, with a look at what is published. */
export async function planOverPublished(
  job: LoadedJob,
  options: RebuildOptions,
  files: Store = disk,
): Promise<RebuildPlan> {
  refuseUrls(options)
  const plan = await planRebuild(job, options, files)
  return { ...plan, changedInputs: publishedInputChanges(plan, options.out, files) }
}
