import {
  closeSync,
  type Dirent,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { appendLines } from './append-lines.ts'
import { openForReading, openForWriting, putIfAbsent, writeNew } from './disk-files.ts'
import type { Disk, EntryStat, ListedEntry } from './store.ts'
import { codeOf, reading, writing } from './system-error.ts'

/** The real file system. */
export const disk: Disk = {
  description: { kind: 'disk' },
  list: (folder) => reading(folder, () => listEntries(folder)),
  stat: (path) => reading(path, () => statOf(path)),
  exists: (path) => reading(path, () => statOf(path) !== undefined),
  canonicalPath: (path) => reading(path, () => realpathSync.native(path)),
  openForReading,
  readText: (path) => reading(path, () => readFileSync(path, 'utf8')),
  writeNew,
  putIfAbsent,
  remove: (path) => writing('remove', path, () => rmSync(path, { recursive: true, force: true })),
  openForWriting,
  appendLines: (path, lines, mayBeThere) => {
    if (appendLines(path, lines, mayBeThere)) disk.syncFolder(dirname(path))
  },
  makeFolder: (path) => writing('create the folder', path, () => makeFolder(path)),
  makeTemporaryFolder: (prefix) => {
    const path = join(tmpdir(), prefix)
    return writing('create the folder', path, () => mkdtempSync(path))
  },
  rename: (from, to) => writing(`move ${from} to`, to, () => renameSync(from, to)),
  syncFolder: (path) => writing('flush the folder', path, () => syncAndClose(openSync(path, 'r'))),
}

function listEntries(folder: string): ListedEntry[] {
  let found: Dirent[]
  try {
    found = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return []
    throw error
  }
  return found
    .map((entry): ListedEntry => ({ name: entry.name, kind: entry.isSymbolicLink() ? 'link' : kindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function statOf(path: string): EntryStat | undefined {
  let stat: Stats | undefined
  try {
    stat = statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // A pattern may be longer than a name can be.
    if (codeOf(error) === 'ENAMETOOLONG') return undefined
    throw error
  }
  if (stat === undefined) return undefined
  const kind = kindOf(stat)
  return { kind, bytes: kind === 'file' ? stat.size : 0, writtenMs: stat.mtimeMs, changedMs: stat.ctimeMs }
}

function kindOf(entry: Dirent | Stats): EntryStat['kind'] {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other'
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
