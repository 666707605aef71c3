import { buildAll } from '../build.ts'
import { finishStaged, noCorrections, publishAll } from '../commit/views.ts'
import type { LoadedJob } from '../job/load.ts'
import { isOrderSensitive } from '../model/order.ts'
import type { OrderReport } from '../model/order-report.ts'
import { int32 } from '../model/types.ts'
import { type LogView, sharesOf, type ViewDefinition } from '../model/view.ts'
import { Stages } from '../stages.ts'
import type { Disk } from '../storage/store.ts'
import { makeScenarioFolder } from './folder.ts'

/**
 * What a rebuild would find of the order of events, by view whose result depends on it. The views are built on the side with
 * handlers that do nothing: of their own code, only `keyBy`, `filter` and upcasters run.
 *
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError.
 */
export async function findOrder(job: LoadedJob, files: Disk): Promise<ReadonlyMap<string, OrderReport>> {
  // Rows of views are in the order of their keys.
  const views = job.definition.views
    .filter((view) => isOrderSensitive(view) && view.log?.view === undefined)
    .map(withoutFold)
  if (views.length === 0) return new Map()
  const bare: LoadedJob = {
    ...job,
    definition: { ...job.definition, views },
    fingerprints: new Map(views.map(({ name }) => [name, 'the order of events'])),
    // The job it is made of is disposed of by who loaded it.
    dispose: () => {},
  }
  const { path: out, remove } = makeScenarioFolder(undefined, files)
  try {
    // Threads would load the job's own handlers.
    const options = { out, workers: 0 }
    const stages = new Stages(options)
    const built = await buildAll({ job: bare, options }, stages, files)
    const report = await finishStaged(built, files, async () =>
      publishAll({ job: bare, built, corrections: noCorrections, stages, only: undefined }, files),
    )
    return new Map(report.views.flatMap(({ view, order }) => (order === null ? [] : [[view, order] as const])))
  } finally {
    remove()
  }
}

function withoutFold(view: ViewDefinition): ViewDefinition {
  const common = {
    state: { events: int32() },
    unknown: 'filter',
    onError: 'fail',
    columns: undefined,
    row: undefined,
  } as const
  if (view.logs === undefined) {
    return {
      ...view,
      ...common,
      window: view.window && { ...view.window, measure: undefined },
      on: bareHandlers(view.on),
    }
  }
  return {
    ...view,
    ...common,
    window: view.window && { ...view.window, measure: undefined },
    on: Object.fromEntries(sharesOf(view).map(({ log, on }) => [log.name, bareHandlers(on)])),
  }
}

function bareHandlers(on: LogView['on']): LogView['on'] {
  const handled = Object.keys(on).filter((type) => on[type] !== undefined)
  return Object.fromEntries(handled.map((type) => [type, () => {}]))
}
