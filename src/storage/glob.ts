import { posix } from 'node:path'
import { type FileSystemAdapter, globSync, isDynamicPattern } from 'tinyglobby'
import { InputError } from '../model/errors.ts'
import type { EntryKind, Store } from './store.ts'

/** Whether a text means more than the one path it says. */
export function isPattern(text: string): boolean {
  return isDynamicPattern(text)
}

/**
 * The files below a folder that a pattern means, in no order that is promised. Folders that it can't mean are not listed.
 *
 * @param pattern Relative to the folder.
 * @param ignore Patterns of what is left out.
 * @returns Paths relative to the folder.
 * @throws InputError where a folder can't be listed.
 */
export function filesMatching(pattern: string, folder: string, ignore: readonly string[], files: Store): string[] {
  const walked = new WalkedStore(folder, files)
  const found = globSync(pattern, {
    cwd: folder,
    ignore,
    dot: false,
    expandDirectories: false,
    fs: walked as unknown as FileSystemAdapter,
  })
  if (walked.failure !== undefined) throw walked.failure
  return found
}

/** The part of Node's file system that a search asks for. It would go on without what can't be read: failures are kept. */
class WalkedStore {
  failure: InputError | undefined
  readonly #folder: string
  readonly #root: string
  readonly #files: Store

  constructor(folder: string, files: Store) {
    this.#folder = folder
    this.#root = posix.resolve(folder)
    this.#files = files
  }

  readonly readdirSync = (path: string): WalkedEntry[] =>
    this.#keeping(() => this.#files.list(this.#asGiven(path))).map(({ name, kind }) => new WalkedEntry(name, kind))

  readonly realpathSync = (path: string): string => {
    const given = this.#asGiven(path)
    // A link to nothing is passed over, as other engines do.
    if (this.#keeping(() => this.#files.stat(given)) === undefined) throw new Error(`${given} leads nowhere`)
    return this.#keeping(() => this.#files.canonicalPath(given))
  }

  readonly statSync = (path: string): WalkedEntry => {
    const { kind } = this.#keeping(() => this.#files.stat(path)) ?? { kind: 'other' }
    return new WalkedEntry(posix.basename(path), kind)
  }

  /** The search makes all paths absolute; an object store's are not. */
  #asGiven(path: string): string {
    return posix.join(this.#folder, posix.relative(this.#root, path))
  }

  #keeping<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof InputError) this.failure ??= error
      throw error
    }
  }
}

/** As `Dirent` and `Stats` of Node. */
class WalkedEntry {
  readonly name: string
  readonly #kind: EntryKind

  constructor(name: string, kind: EntryKind) {
    this.name = name
    this.#kind = kind
  }

  isFile(): boolean {
    return this.#kind === 'file'
  }

  isDirectory(): boolean {
    return this.#kind === 'folder'
  }

  isSymbolicLink(): boolean {
    return this.#kind === 'link'
  }
}
