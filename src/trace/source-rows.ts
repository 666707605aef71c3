import { join } from 'node:path'
import type { LoadedJob } from '../job/load.ts'
import { viewOf } from '../plan/layers.ts'
import type { RowsOfViews } from '../plan/plan-input.ts'
import type { Disk } from '../storage/store.ts'
import type { TraceOptions } from './key-trace-types.ts'

/**
 * The rows that a view is made of, where those are another view's: built on the side from the log as it is, and removed when
 * `use` has read them.
 */
export async function withSourceRows<Result>(
  job: LoadedJob,
  options: TraceOptions,
  files: Disk,
  use: (rows: RowsOfViews | undefined) => Result,
): Promise<Result> {
  const source = viewOf(job.name, job.definition.views, options.view).log?.view?.name
  if (source === undefined) return use(undefined)
  const { inputs, knownAt, asOf } = options
  const { buildScenario } = await import('../scenario/scenario.ts')
  const built = await buildScenario({ job, view: source, inputs, knownAt, asOf }, {}, files)
  try {
    return use(new Map([[source, built.manifest.files.map(({ name }) => join(built.folder, name))]]))
  } finally {
    built.dispose()
  }
}
