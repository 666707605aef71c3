import { keyProblem } from '../compare/compare.ts'
import type { ComparedGeneration } from '../compare/stream.ts'
import { RefoldError } from '../model/errors.ts'
import type { Manifest, ManifestFile } from '../model/manifest.ts'
import { generationFolder, readManifest, writtenAt } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'
import type { Published } from './situation.ts'
import type { PublishedWindows } from './windows.ts'

/** How many earlier generations are read: for when a figure was first published, and whether its window ever was. */
const earlierMax = 30

/** A generation that was current before. */
export interface EarlierGeneration extends ComparedGeneration {
  readonly generation: string
  readonly files: readonly ManifestFile[]
  /** Microseconds since 1970. */
  readonly publishedAt: number
}

/** The generations of a view that are read. */
export interface Past {
  readonly published: Published
  /** The published generation and those before it, back in time. */
  readonly generations: readonly EarlierGeneration[]
  readonly isPublished: PublishedWindows
}

/** The published generation and those before it, back in time, as far as they are still there and have the same key. */
export function earlierGenerations({ out, manifest }: Published, files: Store): EarlierGeneration[] {
  const earlier = [earlierGeneration(out, manifest, files)]
  let next = manifest.previous
  while (next !== null && earlier.length <= earlierMax) {
    const found = readIfThere(out, manifest.view, next, files)
    if (found === undefined) break
    const generation = earlierGeneration(out, found, files)
    if (keyProblem(generation, earlier[0]!) !== undefined) break
    earlier.push(generation)
    next = found.previous
  }
  return earlier
}

function earlierGeneration(out: string, manifest: Manifest, files: Store): EarlierGeneration {
  const folder = generationFolder(out, manifest.view, manifest.generation)
  const publishedAt = Math.round(writtenAt(out, manifest.view, manifest.generation, files)) * 1000
  return { ...manifest, folder, publishedAt }
}

function readIfThere(out: string, view: string, generation: string, files: Store): Manifest | undefined {
  try {
    return readManifest(out, view, generation, files)
  } catch (error) {
    // Removed or damaged: what was published before isn't known.
    if (error instanceof RefoldError) return undefined
    throw error
  }
}
