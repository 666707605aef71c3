import { join } from 'node:path'
import type { ManifestFile } from '../model/manifest.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { openPart } from './view-files.ts'

/** So many files are kept open, a fraction of what a process may have. */
const openMax = 64

/** Part files of a generation that are left open, so that their footers are read once for many keys. */
export class PartCache {
  readonly #folder: string
  /** The one that was used last comes last. */
  readonly #parts = new Map<string, ParquetFile>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The part, open until `openMax` others were used. */
  open({ name }: ManifestFile): ParquetFile {
    const part = this.#parts.get(name) ?? openPart(join(this.#folder, name))
    this.#parts.delete(name)
    this.#parts.set(name, part)
    if (this.#parts.size > openMax) this.#close(this.#parts.keys().next().value!)
    return part
  }

  close(): void {
    for (const name of [...this.#parts.keys()]) this.#close(name)
  }

  #close(name: string): void {
    const part = this.#parts.get(name)!
    this.#parts.delete(name)
    part.file.close()
  }
}
