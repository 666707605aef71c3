/** The job a view is read anew from. */
import { ConfigurationError } from '../model/errors.ts'
import { findCurrent, readRun } from '../storage/generations.ts'
import type { OptionSpecs } from './verb.ts'

export const jobOption = {
  job: {
    type: 'string',
    value: 'file',
    requiresArg: true,
    describe: "The job file. Default: the one that the view's current generation was built from",
  },
} as const satisfies OptionSpecs

/** The job that is named, or the one that the current generation names. */
export function jobOf(given: { readonly job?: string | undefined; readonly out: string }, view: string): string {
  if (given.job !== undefined) return given.job
  const current = findCurrent(given.out, view)
  const job = current === undefined ? null : readRun(given.out, view, current.generation)?.job
  if (job !== null && job !== undefined) return job
  const why =
    current === undefined ? `${given.out} holds no view ${view}` : `generation ${current.generation} doesn't say`
  throw new ConfigurationError(`Which job is view ${view} of? Expected --job with the job's file, as ${why}.`)
}
