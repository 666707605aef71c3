/** The job a view is built again from. */
import { ConfigurationError } from '../model/errors.ts'
import { vintagesName } from '../model/view.ts'
import { disk } from '../storage/disk.ts'
import { findCurrent, readManifest, readRun } from '../storage/generations.ts'
import type { OptionSpecs } from './verb.ts'

export const jobOption = {
  job: {
    type: 'string',
    value: 'file',
    requiresArg: true,
    describe: "The job file. Default: the one that the view's current generation was built from",
  },
} as const satisfies OptionSpecs

/**
 * The job that is named, or the one that the current generation names.
 *
 * @throws ConfigurationError where there is none, it is no longer where the generation says, or the view is one of vintages,
 *   which no job has.
 */
export function jobOf(given: { readonly job?: string | undefined; readonly out: string }, view: string): string {
  const current = findCurrent(given.out, view)
  if (current !== undefined) refuseVintages(given.out, view, current.generation)
  if (given.job !== undefined) return given.job
  const job = current === undefined ? null : readRun(given.out, view, current.generation)?.job
  if (current !== undefined && job !== null && job !== undefined) {
    if (disk.exists(job)) return job
    throw new ConfigurationError(
      `Cannot load the job ${job}: there is no such file. Generation ${current.generation} of view ${view} was built from it; name the job with --job.`,
      { file: job },
    )
  }
  const why =
    current === undefined ? `${given.out} holds no view ${view}` : `generation ${current.generation} doesn't say`
  throw new ConfigurationError(`Which job is view ${view} of? Expected --job with the job's file, as ${why}.`)
}

function refuseVintages(out: string, view: string, generation: string): void {
  // A view that isn't called so needs no manifest here, which may be what is broken.
  if (!view.endsWith(vintagesName('')) || readManifest(out, view, generation).options.vintages === null) return
  throw new ConfigurationError(
    `Cannot build ${view} again: expected a view, found the vintages of one. Take the view itself; with --known-at it is as it was then.`,
  )
}
