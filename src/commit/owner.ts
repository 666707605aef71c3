import { hostname } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import type { LoadedJob } from '../job/load.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { RebuildOptions } from '../model/report.ts'
import { findReadableManifest, listViews, type Run, readRun } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'

/** A view belongs to the job that published it: another job with a view of the same name would replace its rows. */

/** The job as manifests name it; undefined where it came from no file. */
export function ownerName({ bundlePath, path, identity }: LoadedJob, out: string): string | undefined {
  if (bundlePath === undefined) return undefined
  return identity ?? relative(resolve(out), resolve(path)).split(sep).join('/')
}

/** What a rebuild finds of the owners of its views. */
export interface Ownership {
  /** Views that belonged to another job, and are published though they did not change, so that they belong to this one. */
  readonly taken: ReadonlySet<string>
  /** In sentences. */
  readonly notes: readonly string[]
}

/**
 * Refuses to publish over another job's views.
 *
 * @param views The names under which views are published.
 * @throws ConfigurationError that names both jobs, unless `takeOver`; or where a view's name differs from another's only in case.
 */
export function checkOwners(
  job: LoadedJob,
  views: readonly string[],
  { out, takeOver = false }: RebuildOptions,
  files: Store,
): Ownership {
  const own = ownerName(job, out)
  const taken = new Set<string>()
  const notes: string[] = []
  refuseOtherCase(views, out, files)
  for (const view of views) {
    const manifest = findReadableManifest(out, view, files)
    const owner = manifest?.job
    if (manifest === undefined || owner === undefined || owner === own) continue
    const run = readRun(out, view, manifest.generation, files)
    const isGone = own !== undefined && isGoneFromHere(run, files)
    const told = `View ${view} was published by the job ${owner} (generation ${manifest.generation}${run?.finishedAt ? `, ${run.finishedAt}` : ''})`
    if (!takeOver && !isGone) {
      throw new ConfigurationError(
        `Cannot publish view ${view} in ${out}: expected a view of the job ${own ?? 'that a program made, without a file'}. ${told}, and each would replace the rows of the other. Give one of the views another name, or publish it in another folder (--out); or, where this job takes the place of the other, rebuild it once with --take-over (takeOver of rebuild()).`,
        { view },
      )
    }
    taken.add(view)
    const [gone, asked] = takeOver ? ['', ', as was asked for'] : [', whose file is no longer there', '']
    notes.push(`${told}${gone}; it belongs to ${own ?? 'no job'} now${asked}.`)
  }
  return { taken, notes }
}

/** A job's file that was moved or renamed; of files of another host nothing is known. */
function isGoneFromHere(run: Run | undefined, files: Store): boolean {
  return run?.job != null && run.host === hostname() && !files.exists(run.job)
}

/** On disks that ignore case they would share a folder. */
function refuseOtherCase(views: readonly string[], out: string, files: Store): void {
  const published = listViews(out, files)
  for (const view of views) {
    const other = published.find((name) => name !== view && name.toLowerCase() === view.toLowerCase())
    if (other === undefined) continue
    throw new ConfigurationError(
      `Cannot publish view ${view} in ${out}: expected no view whose name differs only in case, found ${other}. On disks that ignore case they would share a folder. Give the view another name, or publish it in another folder (--out).`,
      { view },
    )
  }
}
