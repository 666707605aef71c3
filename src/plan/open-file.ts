import { footerSha256, openParquet, type ParquetFile } from '../parquet/file.ts'
import type { Store } from '../storage/store.ts'

/** A file of a log, closed again: what its footer says. */
export interface OpenedFile {
  readonly path: string
  readonly parquet: ParquetFile
  readonly footerSha256: string
}

/** A log may have more files than a process may have open, so each is closed before the next is opened. */
export function openFile(path: string, files: Store): OpenedFile {
  const file = files.openForReading(path)
  try {
    return { path, parquet: openParquet(file), footerSha256: footerSha256(file) }
  } finally {
    file.close()
  }
}
