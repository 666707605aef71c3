import { createHash, randomBytes } from 'node:crypto'
import { identityOfThisProcess, isContained, livenessOf, type ProcessIdentity } from './process-identity.ts'

/** Names of temporary files and folders, with their process, so that what a killed process left can be removed. */

const self = identityOfThisProcess()
const hostMark = markOf(self)

/**
 * What tells processes apart that have one number. Hosts may have names that a path can't hold; containers on one volume may have one
 * name, and do not see each other's processes.
 */
export function markOf(identity: ProcessIdentity): string {
  const { host, boot, namespace } = identity
  const text = isContained(identity) ? `${host} ${boot} ${namespace}` : host
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

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
