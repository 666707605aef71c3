import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { InputError, OutputError } from '../../src/model/errors.ts'
import type { EntryStat, ListedEntry, ReadableFile, Store } from '../../src/storage/store.ts'

/**
 * A store that behaves as an object store does: objects are written whole under a key and never changed or moved, and
 * folders are nothing but what keys have in common.
 */
export function memoryStore(): Store {
  const objects = new Map<string, { readonly bytes: Uint8Array; readonly writtenMs: number }>()
  const has = (path: string) => objects.has(keyOf(path)) && !path.endsWith('/')
  const below = (folder: string) => {
    const prefix = prefixOf(folder)
    return [...objects.keys()].filter((key) => key.startsWith(prefix))
  }

  function put(path: string, bytes: Uint8Array): void {
    objects.set(keyOf(path), { bytes, writtenMs: Date.now() })
  }

  function get(path: string): Uint8Array {
    const object = has(path) ? objects.get(keyOf(path)) : undefined
    if (object !== undefined) return object.bytes
    const found = below(path).length > 0 ? 'expected a file, found a folder' : 'no such file or folder'
    throw new InputError(`Cannot read ${path}: ${found}.`, { file: path })
  }

  function stat(path: string): EntryStat | undefined {
    const object = has(path) ? objects.get(keyOf(path)) : undefined
    if (object === undefined) {
      return below(path).length === 0 ? undefined : { kind: 'folder', bytes: 0, writtenMs: 0, changedMs: 0 }
    }
    const { bytes, writtenMs } = object
    return { kind: 'file', bytes: bytes.length, writtenMs, changedMs: writtenMs }
  }

  return {
    list(folder) {
      const entries = new Map<string, ListedEntry>()
      for (const key of below(folder)) {
        const [name, ...deeper] = key.slice(prefixOf(folder).length).split('/') as [string, ...string[]]
        entries.set(name, { name, kind: deeper.length > 0 ? 'folder' : 'file' })
      }
      return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    stat,
    exists: (path) => stat(path) !== undefined,
    canonicalPath(path) {
      if (stat(path) === undefined) get(path)
      return keyOf(path)
    },
    openForReading: (path) => readable(path, get(path)),
    readText: (path) => Buffer.from(get(path)).toString('utf8'),
    writeNew(path, chunks) {
      if (has(path)) throw new OutputError(`Cannot write ${path}: it exists already.`, { file: path })
      const bytes = Buffer.concat([...chunks])
      put(path, bytes)
      return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    },
    putIfAbsent(path, bytes) {
      if (has(path)) return false
      put(path, Uint8Array.from(bytes))
      return true
    },
    remove(path) {
      objects.delete(keyOf(path))
      for (const key of below(path)) objects.delete(key)
    },
  }
}

function keyOf(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, '')
}

function prefixOf(folder: string): string {
  const key = keyOf(folder)
  return key === '.' ? '' : key.endsWith('/') ? key : `${key}/`
}

function readable(path: string, bytes: Uint8Array): ReadableFile {
  let isOpen = true
  const range = (offset: number, length: number): Uint8Array => {
    if (!isOpen) throw new Error(`${path} was closed before it was read`)
    if (offset < 0 || length < 0 || offset + length > bytes.length) {
      throw new InputError(
        `Cannot read ${path}: expected ${length} bytes from byte ${offset}, found a file of ${bytes.length} bytes.`,
        { file: path },
      )
    }
    return bytes.subarray(offset, offset + length)
  }
  return {
    path,
    byteLength: bytes.length,
    read: (offset, length) => Uint8Array.from(range(offset, length)),
    readInto: (offset, target) => target.set(range(offset, target.length)),
    close: () => {
      isOpen = false
    },
  }
}
