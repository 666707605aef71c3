/** A view as it is published, or as it was at a moment. */
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { type FoundView, findView } from '../read/view-files.ts'
import type { BuiltScenario, ScenarioOptions } from '../scenario/scenario.ts'
import { findCurrent, readManifest } from '../storage/generations.ts'
import { inputOption, momentOptions, parseInputs } from './rebuild-options.ts'
import type { Context, OptionSpecs } from './verb.ts'
import { jobOf, jobOption } from './view-job.ts'
import { withJob } from './with-job.ts'

/** For verbs that read a view. */
export const viewOptions = {
  generation: { type: 'string', value: 'name', requiresArg: true, describe: 'Another than the current generation' },
  ...momentOptions,
  ...jobOption,
  ...inputOption,
} as const satisfies OptionSpecs

interface GivenView {
  readonly generation?: string | undefined
  readonly knownAt?: string | undefined
  readonly asOf?: string | undefined
  readonly job?: string | undefined
  readonly input?: readonly string[] | undefined
  readonly out: string
  readonly quiet: boolean
}

/** A view that was found, and what to call it in messages. */
export interface NamedView extends FoundView {
  readonly title: string
}

/**
 * Finds a generation; where a moment is given, builds the view as of then from its job, on the side, until the work is
 * done. What is published stays as it is.
 */
export async function withView<T>(
  given: GivenView,
  view: string,
  context: Context,
  work: (found: NamedView) => Promise<T>,
): Promise<T> {
  const { knownAt, asOf } = given
  if (knownAt === undefined && asOf === undefined) {
    refuseWithoutMoment(given)
    const found = findView(given.out, view, given.generation)
    return work({ ...found, title: `View ${view}, generation ${found.manifest.generation},` })
  }
  if (given.generation !== undefined) {
    throw new ConfigurationError(
      '--generation and --known-at or --as-of exclude each other: a generation is as it was built.',
    )
  }
  const path = jobOf(given, view)
  const built = await buildAt(path, view, given, context)
  try {
    noteOtherLogic(given.out, path, built.manifest, context)
    const moments = [knownAt && `known at ${knownAt}`, asOf && `as of ${asOf}`].filter(Boolean).join(', ')
    return await work({ ...built, title: `View ${view}, ${moments},` })
  } finally {
    built.dispose()
  }
}

function refuseWithoutMoment({ job, input }: GivenView): void {
  const option = job !== undefined ? '--job' : input !== undefined ? '--input' : undefined
  if (option === undefined) return
  throw new ConfigurationError(
    `${option} is for --known-at and --as-of, which rebuild the view: without them the generation that was published is shown.`,
  )
}

async function buildAt(
  path: string,
  view: string,
  { knownAt, asOf, input, quiet }: GivenView,
  { signal, interruptible }: Context,
): Promise<BuiltScenario> {
  const [{ buildScenario }, { disk }, { showProgress }] = await Promise.all([
    import('../scenario/scenario.ts'),
    import('../storage/disk.ts'),
    import('./progress.ts'),
  ])
  const inputs = input && parseInputs(input)
  const progress = showProgress(process.stderr, process.stdout, quiet)
  const options: ScenarioOptions = {
    signal,
    onProgress: (now) => progress.update(now),
    onThreads: (threads) => {
      if (threads > 0) interruptible()
    },
  }
  return withJob(path, (job) => buildScenario({ job, view, inputs, knownAt, asOf }, options, disk)).finally(
    progress.finish,
  )
}

/** Reports where a view was built by other logic than its current generation. */
function noteOtherLogic(out: string, path: string, { view, fingerprint }: Manifest, { output }: Context): void {
  const current = findCurrent(out, view)
  if (current === undefined || readManifest(out, view, current.generation).fingerprint === fingerprint) return
  output.note(`${path} is not what generation ${current.generation} was built from: the rows are by its logic of now.`)
}
