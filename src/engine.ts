import type { LoadedJob } from './job/load.ts'
import type { RebuildOptions, RebuildReport } from './model/report.ts'
import type { JobDefinition } from './model/view.ts'
import type { RebuildPlan } from './plan/plan-rebuild.ts'

/**
 * The engine for programs. Job files import the same module for `defineView` and its like, on every thread, so what only
 * a program needs is loaded when it is called.
 */

/**
 * Loads a job file: TypeScript or JavaScript that exports a `defineJob(…)` as its default.
 *
 * @throws ConfigurationError where the file is missing, doesn't compile, throws, or defines a job that can't run.
 */
export async function loadJob(path: string): Promise<LoadedJob> {
  return (await import('./job/load.ts')).loadJob(path)
}

/** A job that a program made, without a file; it runs with 0 workers only, as threads have nothing to load. */
export async function loadDefinition(definition: JobDefinition): Promise<LoadedJob> {
  return (await import('./job/load.ts')).loadedFromDefinition(definition)
}

/**
 * Rebuilds views from their logs and publishes them.
 *
 * @param job From `loadJob` or `loadDefinition`; call its `dispose()` when it is no longer needed.
 * @returns What was published, with counters and times.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. Nothing is published then, unless the
 * OutputError says so: views are switched one after the other, and it names those that were.
 */
export async function rebuild(job: LoadedJob, options: RebuildOptions): Promise<RebuildReport> {
  return (await import('./rebuild.ts')).rebuild(job, options)
}

/** What `rebuild` would do, from the logs' footers and the manifests of what is published: plain data. */
export async function planRebuild(job: LoadedJob, options: RebuildOptions): Promise<RebuildPlan> {
  return (await import('./plan/plan-rebuild.ts')).planOverPublished(job, options)
}
