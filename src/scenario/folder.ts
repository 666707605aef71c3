import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Disk } from '../storage/store.ts'
import { jobFolderPrefix } from '../storage/temporary.ts'

export interface ScenarioFolder {
  readonly path: string
  /** Does nothing where it was removed. */
  remove(): void
}

/**
 * A new folder for one scenario.
 *
 * @param within Where it is to lie, and then gone at the latest with that folder; else among the system's temporary
 * files, where no other user may read it, and gone at the latest when this process ends.
 */
export function makeScenarioFolder(within: string | undefined, files: Disk): ScenarioFolder {
  if (within !== undefined) {
    const path = join(within, `scenario-${randomBytes(4).toString('hex')}`)
    files.makeFolder(path)
    return { path, remove: () => files.remove(path) }
  }
  // Named as a folder of a loaded job, so that it is cleared away as one where this process is killed.
  const path = files.makeTemporaryFolder(jobFolderPrefix())
  const remove = () => {
    files.remove(path)
    // Where that failed, the end of the process tries again.
    process.removeListener('exit', remove)
  }
  process.once('exit', remove)
  return { path, remove }
}
