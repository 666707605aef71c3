import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** Names of temporary files and folders, with their process, so that what a killed process left can be removed. */

// Hosts may have names that a path can't hold.
const hostMark = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

export type TemporaryPurpose = 'staging' | 'current' | 'notified' | 'spill' | 'new'

/** `_staging-<host>-<process>-<random>` */
export function temporaryName(purpose: TemporaryPurpose): string {
  return `_${purpose}-${hostMark}-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** How the name of a new folder for a loaded job begins, in the folder for temporary files; see `isAbandoned`. */
export function jobFolderPrefix(): string {
  return `refold-job-${hostMark}-${process.pid}-`
}

/** Whether a name is of something that a process of this host began and never will end. */
export function isAbandoned(name: string): boolean {
  const found = /^(?:_staging|_current|_notified|_spill|_new|refold-job)-([0-9a-f]{8})-(\d+)-[0-9a-zA-Z]+$/.exec(name)
  return found !== null && found[1] === hostMark && !isRunning(Number(found[2]))
}

/** Whether this host runs a process of this number. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // EPERM: it runs, and is another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
