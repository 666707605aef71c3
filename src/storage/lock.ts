import { randomBytes } from 'node:crypto'
import { InputError, OutputError } from '../model/errors.ts'
import { identityOfThisProcess, type Liveness, livenessOf, type ProcessIdentity } from './process-identity.ts'
import type { Disk, Store } from './store.ts'

/** Who holds a lock: the contents of its file. */
interface Holder extends ProcessIdentity {
  /** Tells what is written at one time from what the same process writes at another. */
  readonly nonce?: string
}

/** Holders may end while they are looked at, but not one after the other without end. */
const attemptsMax = 10

/**
 * Takes a lock: a file that one process only can create. One that a process left when it was killed is taken over, where it
 * is certain that it no longer runs: no clock and no time limit decides that.
 *
 * @param action What it is needed for, for the message: `deliver to file:/a`.
 * @returns Gives it back; does nothing where someone removed the file, and another process took the lock since.
 * @throws OutputError that names the process which holds it.
 */
export function takeLock(path: string, action: string, files: Disk): () => void {
  const own = identityOfThisProcess()
  const text = `${JSON.stringify({ ...own, nonce: randomBytes(8).toString('hex') })}\n`
  for (let attempt = 1; !files.putIfAbsent(path, new TextEncoder().encode(text)); attempt++) {
    const found = readIfThere(path, files)
    if (found === undefined && attempt < attemptsMax) continue
    const holder = parseHolder(found ?? '')
    const liveness = holder === undefined ? 'unknown' : livenessOf(holder, own)
    if (attempt >= attemptsMax || liveness !== 'ended') throw heldBy(holder, liveness, path, action)
    removeStale(path, found!, files)
  }
  return () => {
    if (readIfThere(path, files) === text) files.remove(path)
  }
}

function readIfThere(path: string, files: Store): string | undefined {
  try {
    return files.readText(path)
  } catch (error) {
    if (error instanceof InputError && !files.exists(path)) return undefined
    throw error
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = (JSON.parse(text) ?? {}) as Record<string, unknown>
    const { host, process } = holder
    if (typeof host !== 'string' || !Number.isSafeInteger(process)) return undefined
    const rest = Object.entries(holder).filter(([, value]) => typeof value === 'string')
    return { ...(Object.fromEntries(rest) as Partial<Holder>), host, process: process as number }
  } catch {
    // Where the file system has no hard links: its process is about to write it, or was killed before it did.
    return undefined
  }
}

/** Moves it aside first: another process may have taken it over since it was read, and then gets it back. */
function removeStale(path: string, text: string, files: Disk): void {
  const aside = `${path}-${process.pid}`
  try {
    files.rename(path, aside)
  } catch (error) {
    // Another process was faster.
    if (error instanceof OutputError && !files.exists(path)) return
    throw error
  }
  if (files.readText(aside) === text) files.remove(aside)
  else files.rename(aside, path)
}

function heldBy(holder: Holder | undefined, liveness: Liveness, path: string, action: string): OutputError {
  const who = holder === undefined ? 'a process that it does not name' : `process ${holder.process} on ${holder.host}`
  // On another host, in another container, or of a machine of this name that was started again.
  const unseen = holder !== undefined && liveness === 'unknown' ? ', which cannot be seen from here' : ''
  return new OutputError(
    `Cannot ${action}: expected that no other process does so, found ${path}, held by ${who}${unseen}. Wait until that has ended; if there is none any more, remove the file.`,
    { file: path },
  )
}
