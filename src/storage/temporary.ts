import { randomBytes } from 'node:crypto'
import { identityOfThisProcess, livenessOf, markOf } from './process-identity.ts'

/** Names of temporary files and folders, with their process, so that what a killed process left can be removed. */

const self = identityOfThisProcess()
const hostMark = markOf(self)

export type TemporaryPurpose = 'staging' | 'current' | 'notified' | 'spill' | 'new'

/** `_staging-<host>-<process>-<random>` */
export function temporaryName(purpose: TemporaryPurpose): string {
  return `_${purpose}-${hostMark}-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** How the name of a new folder for a loaded job begins, in the folder for temporary files; see `isAbandoned`. */
export function jobFolderPrefix(): string {
  return `refold-job-${hostMark}-${process.pid}-`
}

/** Whether a name is of something that a process of this host, or of this container, began and never will end. */
export function isAbandoned(name: string): boolean {
  const found = /^(?:_staging|_current|_notified|_spill|_new|refold-job)-([0-9a-f]{8})-(\d+)-[0-9a-zA-Z]+$/.exec(name)
  if (found === null || found[1] !== hostMark) return false
  return livenessOf({ host: self.host, process: Number(found[2]) }, self) === 'ended'
}
