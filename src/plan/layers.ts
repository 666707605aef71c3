import { ConfigurationError } from '../model/errors.ts'
import type { LaterView } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'

/**
 * The views that a rebuild makes, in layers: those of the first are made of logs, those of each other of the rows of views in
 * layers before it.
 *
 * @param views All of a job.
 * @param wanted Names of those that are asked for; absent: all. What they are made of is added.
 * @throws ConfigurationError where the job has no such view.
 */
export function layersOf(
  job: string,
  views: readonly ViewDefinition[],
  wanted: readonly string[] | undefined,
): ViewDefinition[][] {
  for (const name of wanted ?? []) viewOf(job, views, name)
  const needed = new Set<string>()
  for (const view of views) {
    if (wanted?.includes(view.name) ?? true) for (const { name } of chainOf(view)) needed.add(name)
  }
  const layers: ViewDefinition[][] = []
  for (const view of views.filter(({ name }) => needed.has(name))) {
    const depth = chainOf(view).length - 1
    layers[depth] = [...(layers[depth] ?? []), view]
  }
  return layers
}

/** @throws ConfigurationError where the job has no such view. */
export function viewOf(job: string, views: readonly ViewDefinition[], wanted: string): ViewDefinition {
  const view = views.find(({ name }) => name === wanted)
  if (view !== undefined) return view
  const names = views.map(({ name }) => name).join(', ')
  throw new ConfigurationError(`Job ${job} has no view "${wanted}": it has ${names}.`)
}

/** The views of all layers but the first. */
export function laterViews(layers: readonly (readonly ViewDefinition[])[]): LaterView[] {
  return layers.slice(1).flatMap((views) => views.map(({ name, log }) => ({ view: name, of: log!.view!.name })))
}

/** A view, the view whose rows it reads, and so on. */
function chainOf(view: ViewDefinition): ViewDefinition[] {
  const source = view.log?.view
  return source === undefined ? [view] : [view, ...chainOf(source as ViewDefinition)]
}
