import type { LoadedJob } from '../job/load.ts'
import { fieldsRead } from '../job/reads.ts'
import { returnsOf } from '../job/returns.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { Plan, RecordedBounds } from '../model/plan.ts'
import type { RebuildOptions } from '../model/report.ts'
import { disk } from '../storage/disk.ts'
import type { Store } from '../storage/store.ts'
import { type ChangedInputs, publishedInputChanges } from './input-changes.ts'
import { makePlan } from './make-plan.ts'
import { refuseUrls } from './plan-input.ts'

/** Those of a rebuild's options that decide its plan. */
export type PlanOptions = Pick<RebuildOptions, 'views' | 'inputs' | 'knownAt' | 'asOf' | 'vintages' | 'strategy'>

/**
 * What `rebuild` would do, from the logs' footers alone.
 *
 * @param bounds By partition, further bounds on which events count: for views of what was known.
 * @throws ConfigurationError where the job has no such view, or InputError where a log can't be read as declared.
 */
export async function planRebuild(
  job: LoadedJob,
  options: PlanOptions,
  files: Store = disk,
  bounds?: RecordedBounds,
): Promise<Plan> {
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
