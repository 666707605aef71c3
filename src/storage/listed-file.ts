import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { OutputError, RefoldError } from '../model/errors.ts'
import type { ManifestFile } from '../model/manifest.ts'
import type { ReadableFile, Store } from './store.ts'

/** Files as the manifest of their generation lists them. */

const chunkBytesMax = 2 ** 20

/**
 * Opens a file that was checked against its manifest, to its last byte.
 *
 * @param folder The generation's.
 * @throws OutputError where it is gone or is not what was published.
 */
export function openListed(folder: string, listed: ManifestFile, files: Store): ReadableFile {
  const path = join(folder, listed.name)
  const found = damageOf(folder, listed, files)
  if (found === undefined) return files.openForReading(path)
  throw new OutputError(
    `Cannot use ${path}: expected ${listed.bytes} bytes with the SHA-256 ${listed.sha256}, found ${found}. Restore the file from a copy; or remove the folder ${folder}, and rebuild the view if it is the current generation.`,
    { file: path },
  )
}

/** What is there instead of a file as the manifest lists it; undefined where it is that file. */
export function damageOf(folder: string, { name, bytes, sha256 }: ManifestFile, files: Store): string | undefined {
  const path = join(folder, name)
  if (!files.exists(path)) return 'no such file'
  try {
    const file = files.openForReading(path)
    try {
      if (file.byteLength !== bytes) return `${file.byteLength} bytes`
      const found = hashOf(file)
      return found === sha256 ? undefined : `the SHA-256 ${found}`
    } finally {
      file.close()
    }
  } catch (error) {
    // A folder, say, or a file that may not be read.
    if (error instanceof RefoldError) return error.message.replace(/\.$/, '')
    throw error
  }
}

function hashOf(file: ReadableFile): string {
  const hash = createHash('sha256')
  for (let at = 0; at < file.byteLength; at += chunkBytesMax) {
    hash.update(file.read(at, Math.min(chunkBytesMax, file.byteLength - at)))
  }
  return hash.digest('hex')
}
