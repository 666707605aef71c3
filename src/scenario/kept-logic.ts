import { createHash } from 'node:crypto'
import { type LoadedJob, loadJob } from '../job/load.ts'
import { OutputError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { keptLogicPath } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'

/** What the logic of a generation is by: the job as it was kept with it. */
export interface Published {
  readonly folder: string
  readonly manifest: Manifest
}

/**
 * Loads the job that a generation was built by, as it was then.
 *
 * @throws OutputError where it wasn't kept or is damaged, ConfigurationError where it no longer runs.
 */
export async function loadKeptLogic({ folder, manifest }: Published, files: Store): Promise<LoadedJob> {
  const path = keptLogicPath(folder)
  const { logic } = manifest
  if (logic === null) {
    throw new OutputError(`Cannot run the logic of generation ${manifest.generation}: its job came from no file.`)
  }
  const found = files.exists(path) ? createHash('sha256').update(files.readText(path)).digest('hex') : 'no file'
  if (found !== logic.sha256) {
    throw new OutputError(
      `Cannot run the logic of generation ${manifest.generation}: expected ${path} with the SHA-256 ${logic.sha256}, found ${found}.`,
      { file: path },
    )
  }
  const job = await loadJob(path)
  if (job.definition.views.some(({ name }) => name === manifest.view)) return job
  job.dispose()
  throw new OutputError(`Cannot run ${path}: expected a job with the view ${manifest.view}, found none.`, {
    file: path,
  })
}
