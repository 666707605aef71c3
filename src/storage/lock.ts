import { hostname } from 'node:os'
import { InputError, OutputError } from '../model/errors.ts'
import type { Disk, Store } from './store.ts'
import { isRunning } from './temporary.ts'

/** Who holds a lock: the contents of its file. */
interface Holder {
  readonly host: string
  readonly process: number
}

/** Holders may end while they are looked at, but not one after the other without end. */
const attemptsMax = 10

/**
 * Takes a lock: a file that one process only can create. One that a process of this host left behind when it was killed is
 * taken over.
 *
 * @param action What it is needed for, for the message: `deliver to file:/a`.
 * @returns Gives it back.
 * @throws OutputError that names the process which holds it.
 */
export function takeLock(path: string, action: string, files: Disk): () => void {
  for (let attempt = 1; !tryToCreate(path, files); attempt++) {
    const text = readIfThere(path, files)
    if (text === undefined && attempt < attemptsMax) continue
    const holder = parseHolder(text ?? '')
    if (attempt >= attemptsMax || holder === undefined || !hasDied(holder)) throw heldBy(holder, path, action)
    removeStale(path, text!, files)
  }
  return () => files.remove(path)
}

function tryToCreate(path: string, files: Store): boolean {
  const holder: Holder = { host: hostname(), process: process.pid }
  return files.putIfAbsent(path, new TextEncoder().encode(`${JSON.stringify(holder)}\n`))
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
    const { host, process } = (JSON.parse(text) ?? {}) as Partial<Holder>
    return typeof host === 'string' && Number.isSafeInteger(process) ? { host, process: process! } : undefined
  } catch {
    // Where the file system has no hard links: its process is about to write it, or was killed before it did.
    return undefined
  }
}

/** Of a process on another host nothing is known. */
function hasDied(holder: Holder): boolean {
  return holder.host === hostname() && !isRunning(holder.process)
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

function heldBy(holder: Holder | undefined, path: string, action: string): OutputError {
  const who = holder === undefined ? 'a process that it does not name' : `process ${holder.process} on ${holder.host}`
  return new OutputError(
    `Cannot ${action}: expected that no other process does so, found ${path}, held by ${who}. Wait until that has ended; if there is none any more, remove the file.`,
    { file: path },
  )
}
