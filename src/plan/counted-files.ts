import { posix } from 'node:path'
import { InputError } from '../model/errors.ts'
import { generationNumber } from '../storage/generations.ts'
import { damageOf } from '../storage/listed-file.ts'
import type { Store } from '../storage/store.ts'
import { checkedParts, currentGenerationIn, type GenerationFolder, generationIn } from '../storage/view-folder.ts'
import { FolderOwners, type OwnedFolder } from './folder-owner.ts'

/** What one pattern of a log found. */
export interface FoundFiles {
  readonly pattern: string
  /** The path up to which the pattern names one place: a file or a folder. */
  readonly fixed: string
  readonly files: readonly string[]
}

/** A file of which nothing above it says whether it counts. */
const free = { view: null, generation: null } as const

interface Holder {
  readonly view: GenerationFolder | null
  /** The generation, published or not, whose folder holds a file. */
  readonly generation: GenerationFolder | null
}

/**
 * Which of the files that patterns name are part of a log. Most are; but in a folder that a table format or an unfinished
 * writer owns it can't be said, and of a view that Refold published only the current generation counts, as its manifest lists it.
 */
export class CountedFiles {
  readonly #log: string
  readonly #store: Store
  readonly #owners: FolderOwners
  readonly #holders = new Map<string, Holder>()
  readonly #checked = new Map<string, ReadonlySet<string>>()

  constructor(log: string, store: Store) {
    this.#log = log
    this.#store = store
    this.#owners = new FolderOwners(store)
  }

  /**
   * The files that count, each by its place, which is the same for all paths that lead to it.
   *
   * @throws InputError where a folder's owner decides which files count, or a view holds none of them that does; OutputError
   * where a view is damaged.
   */
  select({ pattern, fixed, files }: FoundFiles): Map<string, string> {
    const counted = new Map<string, string>()
    const left = new Map<string, GenerationFolder>()
    const place = this.#store.exists(fixed) ? this.#store.canonicalPath(fixed) : fixed
    if (files.length === 0) this.#refuseOwned(this.#owners.ofFolder(place), pattern)
    for (const file of files) {
      const at = this.#store.canonicalPath(file)
      if (counted.has(at)) continue
      this.#refuseOwned(this.#owners.ofFile(at) ?? (isSame(at, file) ? null : this.#owners.ofFile(file)), pattern)
      const { view, generation } = this.#holderOf(posix.dirname(at))
      const isNamed = generation !== null && isWithin(place, generation.folder)
      if (view === null || isNamed) {
        if (generation !== null) this.#requireListed(generation, at)
        counted.set(at, file)
      } else if (isWithin(at, view.folder)) {
        this.#requireListed(view, at)
        counted.set(at, file)
      } else {
        this.#requireGeneration(view, at)
        left.set(view.folder, view)
      }
    }
    for (const view of left.values()) {
      if (![...counted.keys()].some((at) => isWithin(at, posix.dirname(view.folder)))) this.#refuseOther(view, pattern)
    }
    return counted
  }

  #holderOf(folder: string): Holder {
    const known = this.#holders.get(folder)
    if (known !== undefined) return known
    const above = posix.dirname(folder)
    const outer = above === folder ? free : this.#holderOf(above)
    const found = {
      view: currentGenerationIn(folder, this.#store) ?? outer.view,
      generation: generationIn(folder, this.#store) ?? outer.generation,
    }
    this.#holders.set(folder, found)
    return found
  }

  /** @throws InputError where the generation doesn't list the file, OutputError where it isn't what was published. */
  #requireListed(generation: GenerationFolder, at: string): void {
    const { folder, manifest } = generation
    if (!this.#checked.has(folder)) this.#checked.set(folder, new Set(checkedParts(generation, this.#store)))
    if (this.#checked.get(folder)!.has(at)) return
    const name = posix.relative(folder, at)
    const listed = [...manifest.exceptions, ...manifest.triangle, ...manifest.corrections].find(
      (file) => file.name === name,
    )
    const found = listed === undefined ? 'it lists no such file' : damageOf(folder, listed, this.#store)
    if (found === undefined) return
    throw new InputError(
      `Cannot read log ${this.#log}: expected ${at} as the manifest of generation ${manifest.generation} of view ${manifest.view} lists it, but found that ${found}. Remove what Refold did not write there, or rebuild the view.`,
      { file: at },
    )
  }

  #requireGeneration({ folder, manifest }: GenerationFolder, at: string): void {
    const view = posix.dirname(folder)
    const [name] = posix.relative(view, at).split('/') as [string]
    if (generationNumber(name) !== undefined) return
    throw new InputError(
      `Cannot read log ${this.#log}: expected only generations in ${view}, which holds the view ${manifest.view}, found ${at}. Move the file away.`,
      { file: at },
    )
  }

  #refuseOther({ folder, manifest }: GenerationFolder, pattern: string): void {
    const view = posix.dirname(folder)
    throw new InputError(
      `Cannot read log ${this.#log}: of the view in ${view} expected files of its current generation, ${manifest.generation}, at ${pattern}, found only those of others. Read ${view}; or name the folder of one generation, without a pattern before it.`,
      { file: view },
    )
  }

  #refuseOwned(owned: OwnedFolder | null, pattern: string): void {
    if (owned === null) return
    const { folder, kind, reason, advice } = owned
    throw new InputError(
      `Cannot read log ${this.#log} at ${pattern}: expected a folder whose files all count, found ${kind} in ${folder}: ${reason}. ${advice}, and read that.`,
      { file: folder },
    )
  }
}

function isSame(canonical: string, path: string): boolean {
  return canonical === path || canonical === posix.resolve(path)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
