import type { Store } from '../storage/store.ts'
import { openParquet, type ParquetFile } from './file.ts'

/** Returns a file as often as it is requested. */
export type OpenFile = (file: { readonly path: string }) => ParquetFile

/** Reads files with one open at a time: for readers that go through them one after the other. */
export function openInTurn<T>(files: Store, work: (open: OpenFile) => T): T {
  let opened: ParquetFile | undefined
  const open: OpenFile = ({ path }) => {
    if (opened?.path === path) return opened
    opened?.file.close()
    opened = undefined
    const file = files.openForReading(path)
    try {
      opened = openParquet(file)
      return opened
    } catch (error) {
      file.close()
      throw error
    }
  }
  try {
    return work(open)
  } finally {
    opened?.file.close()
  }
}
