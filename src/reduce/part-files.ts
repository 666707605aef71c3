import { attemptPath, attemptsFolder } from '../storage/generations.ts'
import type { Disk } from '../storage/store.ts'
import type { ReducedPart } from './tasks.ts'

/**
 * Part files of staged generations. Each attempt of a task writes files of its own below the folder of its view; when all
 * tasks are done, those of the attempts that succeeded are moved to their names and the others are removed.
 */

/** @param folders By view: its staging folder, which is there. */
export function makeAttemptsFolders(folders: Readonly<Record<string, string>>, files: Disk): void {
  for (const folder of Object.values(folders)) files.makeFolder(attemptsFolder(folder))
}

/** Gives the part files their names, and removes everything else of the attempts. */
export function installParts(
  results: readonly ReducedPart[],
  folders: Readonly<Record<string, string>>,
  files: Disk,
): void {
  for (const { parts, attempt } of results) {
    for (const { view, name } of parts) {
      const folder = folders[view]!
      files.rename(attemptPath(folder, name, attempt), `${folder}/${name}`)
    }
  }
  for (const folder of Object.values(folders)) files.remove(attemptsFolder(folder))
}
