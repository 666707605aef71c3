import { posix } from 'node:path'
import { InputError } from '../model/errors.ts'
import { filesMatching, isPattern } from '../storage/glob.ts'
import { requireLocal } from '../storage/local-path.ts'
import type { Store } from '../storage/store.ts'
import { CountedFiles, type FoundFiles } from './counted-files.ts'

/**
 * The files of a log, sorted by path. Folders mean all Parquet files below them. Below the fixed part of a pattern names
 * beginning with `_` or `.` are skipped, as other engines do. A file that is named in several ways is listed once, by
 * the first of its names. A view that Refold published means the part files of its current generation.
 *
 * @throws InputError where there are none, or where it can't be said which of them count, as in a table of Delta or Iceberg;
 * OutputError where they are of a view that is damaged.
 */
export function listFiles(log: string, patterns: string | readonly string[], store: Store): string[] {
  const files = new Map<string, string>()
  const counted = new CountedFiles(log, store)
  for (const pattern of typeof patterns === 'string' ? [patterns] : patterns) {
    const found = filesOf(requireLocal(pattern, `read log ${log} at`), store)
    const places = counted.select(found)
    if (found.files.length === 0) {
      const why = store.exists(pattern)
        ? 'the folder holds no *.parquet file'
        : isPattern(pattern)
          ? 'no file matches it'
          : 'there is no such file or folder'
      throw new InputError(
        `Cannot read log ${log}: expected Parquet files at ${pattern}, but ${why} (looked from ${process.cwd()}).`,
      )
    }
    for (const [place, file] of places) if (!files.has(place)) files.set(place, file)
  }
  return [...files.values()].sort(compareText)
}

function filesOf(pattern: string, store: Store): FoundFiles {
  // First as written: a folder's name may hold what would be a pattern.
  const stat = store.stat(pattern)
  if (stat !== undefined) {
    const files = stat.kind === 'folder' ? globbed(pattern, '**/*.parquet', store) : [pattern]
    return { pattern, fixed: pattern, files }
  }
  const { folder, rest } = splitPattern(pattern, store)
  return { pattern, fixed: folder, files: store.exists(folder) ? globbed(folder, rest, store) : [] }
}

/** Splits a pattern after its fixed part: the leading folders that hold no pattern or exist under that exact name. */
function splitPattern(pattern: string, store: Store): { folder: string; rest: string } {
  const segments = pattern.split('/')
  let folder = ''
  let fixed = 0
  for (; fixed < segments.length - 1; fixed++) {
    const segment = segments[fixed]!
    const literal = `${folder}${segment}/`
    const isThere = store.exists(literal)
    if (!isThere && /(?<!\\)[*?[{(]/.test(segment)) break
    folder = isThere ? literal : `${folder}${segment.replace(/\\(?=[()[\]{}!*+?@|])/g, '')}/`
  }
  return { folder: folder === '' ? '.' : folder, rest: segments.slice(fixed).join('/') }
}

function globbed(folder: string, pattern: string, store: Store): string[] {
  const found = filesMatching(pattern, folder, ['**/_*', '**/_*/**'], store)
  return found.sort(compareText).map((file) => posix.join(folder, file))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The `name=value` folders of a path, both percent-decoded as Hive and Spark write them. */
export function folderColumns(path: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>()
  for (const segment of path.split(/[\\/]/).slice(0, -1)) {
    const at = segment.indexOf('=')
    if (at > 0) columns.set(decode(segment.slice(0, at)), decode(segment.slice(at + 1)))
  }
  return columns
}

/** The partition a file belongs to: the values of its Hive folders; without any, the folder it lies in. */
export function partitionName(path: string): string {
  const values = [...folderColumns(path)].map(([name, value]) => `${name}=${value}`)
  return values.length > 0 ? values.join('/') : posix.dirname(path)
}

/** Whether the value of a path's `name=value` folder is percent-encoded UTF-8; what is not may mean several texts. */
export function isDecodable(path: string, name: string): boolean {
  const segments = path.split(/[\\/]/).slice(0, -1)
  const values = segments.filter((segment) => decode(segment.split('=', 1)[0]!) === name)
  return values.every((segment) => decoded(segment.slice(segment.indexOf('=') + 1)) !== undefined)
}

function decode(text: string): string {
  return decoded(text) ?? text
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
