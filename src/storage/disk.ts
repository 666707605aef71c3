import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { InputError, OutputError } from '../model/errors.ts'
import type { Files, ReadableFile, WritableFile, WrittenFile } from './files.ts'

/** The real file system. */
export const disk: Files = {
  openForReading,
  openForWriting,
  writeNew,
  readText: (path) => reading(path, () => readFileSync(path, 'utf8')),
  exists: (path) => existsSync(path),
  list: (path) => (existsSync(path) ? reading(path, () => readdirSync(path).sort()) : []),
  makeFolder: (path) => writing('create the folder', path, () => makeFolder(path)),
  rename: (from, to) => writing(`move ${from} to`, to, () => renameSync(from, to)),
  syncFolder: (path) => writing('flush the folder', path, () => syncAndClose(openSync(path, 'r'))),
  remove: (path) => writing('remove', path, () => rmSync(path, { recursive: true, force: true })),
}

function openForReading(path: string): ReadableFile {
  const descriptor = reading(path, () => openSync(path, 'r'))
  const stat = fstatSync(descriptor)
  if (!stat.isFile()) {
    closeSync(descriptor)
    throw new InputError(`Cannot read ${path}: expected a file, found ${stat.isDirectory() ? 'a folder' : 'a device'}.`)
  }
  let isOpen = true
  // The system gives a closed file's number to the next one that is opened: reading on would give that one's bytes.
  const requireOpen = () => {
    if (!isOpen) throw new Error(`${path} was closed before it was read`)
  }
  return {
    path,
    byteLength: stat.size,
    read: (offset, length) => {
      requireOpen()
      refuseBeyond(path, offset, length, stat.size)
      const bytes = new Uint8Array(length)
      readExactly(descriptor, path, offset, bytes, stat.size)
      return bytes
    },
    readInto: (offset, target) => {
      requireOpen()
      refuseBeyond(path, offset, target.length, stat.size)
      readExactly(descriptor, path, offset, target, stat.size)
    },
    close: () => {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}

/** Asked before anything is allocated: what a damaged footer claims may be any number. */
function refuseBeyond(path: string, offset: number, length: number, size: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new InputError(
      `Cannot read ${path}: expected ${length} bytes from byte ${offset}, found a file of ${size} bytes.`,
      { file: path },
    )
  }
}

function readExactly(descriptor: number, path: string, offset: number, target: Uint8Array, size: number): void {
  const { length } = target
  let filled = 0
  while (filled < length) {
    const got = reading(path, () => readSync(descriptor, target, filled, length - filled, offset + filled))
    if (got === 0) {
      throw new InputError(`Cannot read ${path}: the file became shorter than ${size} bytes while it was read.`, {
        file: path,
      })
    }
    filled += got
  }
}

function openForWriting(path: string): WritableFile {
  const descriptor = writing('write', path, () => openSync(path, 'wx'))
  let position = 0
  return {
    get position() {
      return position
    },
    write(bytes) {
      writing('write', path, () => {
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at)
      })
      position += bytes.length
    },
    close: () => closeSync(descriptor),
  }
}

function writeNew(path: string, chunks: Iterable<Uint8Array>): WrittenFile {
  return writing('write', path, () => {
    const descriptor = openSync(path, 'wx')
    try {
      const hash = createHash('sha256')
      let bytes = 0
      for (const chunk of chunks) {
        hash.update(chunk)
        for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at)
        bytes += chunk.length
      }
      fsyncSync(descriptor)
      return { bytes, sha256: hash.digest('hex') }
    } finally {
      closeSync(descriptor)
    }
  })
}

/** Step by step: what Node makes all at once it reports as a missing folder where it may not write. */
function makeFolder(path: string): void {
  if (isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeFolder(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process may have made it.
    if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function syncAndClose(descriptor: number): void {
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function reading<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}.`, { file: path }, { cause: error })
  }
}

function writing<T>(action: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new OutputError(`Cannot ${action} ${path}: ${reasonOf(error)}.`, { file: path }, { cause: error })
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'expected a file, found a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'it exists already',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
}

function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return String(error)
  return (error.code !== undefined && reasons[error.code]) || error.message
}
