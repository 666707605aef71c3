import { posix } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { generationNumber, manifestPath } from './generations.ts'
import { openListed } from './listed-file.ts'
import { type Current, parseCurrent, parseManifest, rebuildAdvice } from './manifest-file.ts'
import type { Store } from './store.ts'

/** Folders that Refold published, recognized by what is in them, whatever they are called and wherever they were moved. */

/** One generation of a view, as its own manifest describes it. */
export interface GenerationFolder {
  readonly folder: string
  readonly manifest: Manifest
}

/**
 * The published generation of the view that a folder holds; undefined where the folder holds no view.
 *
 * @throws OutputError where it holds a view whose `_current.json` or manifest is damaged; NewerFormatError.
 */
export function currentGenerationIn(folder: string, store: Store): GenerationFolder | undefined {
  const current = currentIn(folder, store)
  if (current === undefined) return undefined
  const path = posix.join(folder, current.generation)
  const generation = generationIn(path, store)
  if (generation?.manifest.digest === current.digest) return generation
  const found = generation === undefined ? 'none there' : `the digest ${generation.manifest.digest}`
  throw new OutputError(
    `Cannot read the view in ${folder}: expected generation ${current.generation} with the digest ${current.digest}, found ${found}. ${rebuildAdvice}.`,
    { file: path },
  )
}

/**
 * The generation that a folder is; undefined where it is none.
 *
 * @throws OutputError where its manifest is damaged; NewerFormatError.
 */
export function generationIn(folder: string, store: Store): GenerationFolder | undefined {
  const path = manifestPath(folder)
  if (store.stat(path)?.kind !== 'file') return undefined
  const text = store.readText(path)
  if (generationNumber(posix.basename(folder)) === undefined && !isManifest(text)) return undefined
  return { folder, manifest: parseManifest(text, path, rebuildAdvice) }
}

/** Which generation is published in a folder; other tools may have files of this name, too. */
function currentIn(folder: string, store: Store): Current | undefined {
  const path = posix.join(folder, '_current.json')
  if (store.stat(path)?.kind !== 'file') return undefined
  try {
    return parseCurrent(store.readText(path), path)
  } catch (error) {
    const isView = store.list(folder).some(({ name }) => generationNumber(name) !== undefined)
    if (error instanceof OutputError && !isView) return undefined
    throw error
  }
}

function isManifest(text: string): boolean {
  try {
    const { format, generation, digest } = (JSON.parse(text) ?? {}) as Record<string, unknown>
    return Number.isSafeInteger(format) && typeof generation === 'string' && typeof digest === 'string'
  } catch {
    // Another tool's file: it says nothing about the files beside it.
    return false
  }
}

/**
 * The part files of a generation, in the order of their names.
 *
 * @throws OutputError where one is gone or is not what was published, to its last byte.
 */
export function checkedParts({ folder, manifest }: GenerationFolder, store: Store): string[] {
  return manifest.files.map((file) => {
    openListed(folder, file, store).close()
    return posix.join(folder, file.name)
  })
}
