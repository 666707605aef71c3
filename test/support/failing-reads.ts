import { InputError } from '../../src/model/errors.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk, ReadableFile } from '../../src/storage/store.ts'

export interface FailingReads extends Disk {
  /** Reads so far. */
  readonly reads: number
  /** Path of the read that failed; undefined as long as none did. */
  readonly failedPath: string | undefined
}

/** The disk, but the `at`-th read (from 0) of anything fails, as that of a disk which is about to break. */
export function failingReads(at: number): FailingReads {
  let reads = 0
  let failedPath: string | undefined

  function read<T>(path: string, work: () => T): T {
    if (reads++ !== at) return work()
    failedPath = path
    const cause = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
    throw new InputError(`Cannot read ${path}: EIO: i/o error, read.`, { file: path }, { cause })
  }

  function readable(file: ReadableFile): ReadableFile {
    const { path, byteLength } = file
    return {
      ...{ path, byteLength, close: file.close },
      read: (offset, length) => read(path, () => file.read(offset, length)),
      readInto: (offset, target) => read(path, () => file.readInto(offset, target)),
    }
  }

  return {
    ...disk,
    description: null,
    get reads() {
      return reads
    },
    get failedPath() {
      return failedPath
    },
    list: (path) => read(path, () => disk.list(path)),
    stat: (path) => read(path, () => disk.stat(path)),
    exists: (path) => read(path, () => disk.exists(path)),
    canonicalPath: (path) => read(path, () => disk.canonicalPath(path)),
    readText: (path) => read(path, () => disk.readText(path)),
    openForReading: (path) => read(path, () => readable(disk.openForReading(path))),
  }
}
