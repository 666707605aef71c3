import { createHash } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { InputError } from '../model/errors.ts'
import type { ReadableFile, WritableFile, WrittenFile } from './store.ts'
import { codeOf, reading, writing } from './system-error.ts'
import { temporaryName } from './temporary.ts'

/** Files of the real file system. */

export function openForReading(path: string): ReadableFile {
  const descriptor = reading(path, () => openSync(path, 'r'))
  const stat = fstatSync(descriptor)
  if (!stat.isFile()) {
    closeSync(descriptor)
    const found = stat.isDirectory() ? 'a folder' : 'a device'
    throw new InputError(`Cannot read ${path}: expected a file, found ${found}.`, { file: path })
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

export function openForWriting(path: string): WritableFile {
  const descriptor = writing('write', path, () => openSync(path, 'wx'))
  let position = 0
  return {
    get position() {
      return position
    },
    write(bytes) {
      writing('write', path, () => writeAll(descriptor, bytes))
      position += bytes.length
    },
    flush: () => writing('flush', path, () => fsyncSync(descriptor)),
    close: () => closeSync(descriptor),
  }
}

export function writeNew(path: string, chunks: Iterable<Uint8Array>): WrittenFile {
  return writing('write', path, () => create(path, chunks))
}

function create(path: string, chunks: Iterable<Uint8Array>): WrittenFile {
  const descriptor = openSync(path, 'wx')
  try {
    const hash = createHash('sha256')
    let bytes = 0
    for (const chunk of chunks) {
      hash.update(chunk)
      writeAll(descriptor, chunk)
      bytes += chunk.length
    }
    fsyncSync(descriptor)
    return { bytes, sha256: hash.digest('hex') }
  } finally {
    closeSync(descriptor)
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at)
}

/** Written under another name first: a link to it appears in one step, and only where there is nothing yet. */
export function putIfAbsent(path: string, bytes: Uint8Array): boolean {
  return writing('create', path, () => {
    const unfinished = join(dirname(path), temporaryName('new'))
    try {
      create(unfinished, [bytes])
      return link(unfinished, path) ?? createDirectly(path, bytes)
    } finally {
      tryToRemove(unfinished)
    }
  })
}

function tryToRemove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Whether the file was created is what counts; what stays behind is cleared away by the next rebuild.
  }
}

/** How file systems without hard links answer, as FAT or some network shares. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** False where there is something at `to`, undefined where the file system has no links. */
function link(from: string, to: string): boolean | undefined {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (code === 'EEXIST') return false
    if (withoutLinks.has(code)) return undefined
    throw error
  }
}

/** One of several writers succeeds here too, but one that is killed meanwhile leaves a part of the file. */
function createDirectly(path: string, bytes: Uint8Array): boolean {
  let isOurs = false
  try {
    const descriptor = openSync(path, 'wx')
    isOurs = true
    try {
      writeAll(descriptor, bytes)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    return true
  } catch (error) {
    if (!isOurs && codeOf(error) === 'EEXIST') return false
    if (isOurs) tryToRemove(path)
    throw error
  }
}
