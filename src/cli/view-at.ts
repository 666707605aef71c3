/** A view as it is published, or as it was at a moment. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../model/errors.ts'
import { findCurrent, jobFolderPrefix, readManifest } from '../storage/generations.ts'
import { inputOption, momentOptions, parseInputs } from './rebuild-options.ts'
import type { Context, OptionSpecs } from './verb.ts'
import { type FoundView, findView } from './view-files.ts'
import { jobOf, jobOption } from './view-job.ts'

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
 * Finds a generation; where a moment is given, rebuilds the view as of then from its job, into a folder that is gone when
 * the work is done. What is published stays as it is.
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
  const job = jobOf(given, view)
  // Named as a folder of a loaded job, so that it is cleared away as one where this process is killed.
  const folder = mkdtempSync(join(tmpdir(), jobFolderPrefix()))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    await rebuildInto(folder, job, view, given, context)
    const moments = [knownAt && `known at ${knownAt}`, asOf && `as of ${asOf}`].filter(Boolean).join(', ')
    return await work({ ...findView(folder, view), title: `View ${view}, ${moments},` })
  } finally {
    process.removeListener('exit', remove)
    remove()
  }
}

function refuseWithoutMoment({ job, input }: GivenView): void {
  const option = job !== undefined ? '--job' : input !== undefined ? '--input' : undefined
  if (option === undefined) return
  throw new ConfigurationError(
    `${option} is for --known-at and --as-of, which rebuild the view: without them the generation that was published is shown.`,
  )
}

async function rebuildInto(
  out: string,
  path: string,
  view: string,
  { knownAt, asOf, input, quiet, out: published }: GivenView,
  { output, signal, interruptible }: Context,
): Promise<void> {
  const [{ loadEngine, withJob }, { showProgress }] = await Promise.all([
    import('./engine.ts'),
    import('./progress.ts'),
  ])
  const engine = await loadEngine()
  const progress = showProgress(process.stderr, process.stdout, quiet)
  const report = await withJob(path, (job) =>
    engine.rebuild(job, {
      ...{ views: [view], out, signal },
      ...(knownAt !== undefined && { knownAt }),
      ...(asOf !== undefined && { asOf }),
      ...(input !== undefined && { inputs: parseInputs(input) }),
      onProgress: (now) => progress.update(now),
      onThreads: (threads) => {
        if (threads > 0) interruptible()
      },
    }),
  ).finally(progress.finish)
  const current = findCurrent(published, view)
  if (current === undefined) return
  const { fingerprint } = readManifest(published, view, current.generation)
  if (fingerprint === report.views[0]!.fingerprint) return
  output.note(`${path} is not what generation ${current.generation} was built from: the rows are by its logic of now.`)
}
