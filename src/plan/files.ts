import { existsSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { globSync, isDynamicPattern } from 'tinyglobby'
import { InputError } from '../model/errors.ts'

/**
 * The files of a log, sorted by path. Folders mean all Parquet files below them. Names beginning with `_` or `.` are
 * skipped, as other engines do.
 */
export function listFiles(log: string, patterns: string | readonly string[]): string[] {
  const files = new Set<string>()
  for (const pattern of typeof patterns === 'string' ? [patterns] : patterns) {
    const found = filesOf(pattern)
    if (found.length === 0) {
      const why = isDynamicPattern(pattern)
        ? 'no file matches it'
        : existsSync(pattern)
          ? 'the folder holds no *.parquet file'
          : 'there is no such file or folder'
      throw new InputError(
        `Cannot read log ${log}: expected Parquet files at ${pattern}, but ${why} (looked from ${process.cwd()}).`,
      )
    }
    for (const file of found) files.add(file)
  }
  return [...files].sort((a, b) => (a < b ? -1 : 1))
}

function filesOf(pattern: string): string[] {
  if (isDynamicPattern(pattern)) return globbed(pattern)
  if (!existsSync(pattern)) return []
  return statSync(pattern).isDirectory() ? globbed(`${pattern.replace(/\/+$/, '')}/**/*.parquet`) : [pattern]
}

function globbed(pattern: string): string[] {
  return globSync(pattern, {
    ignore: ['**/_*', '**/_*/**'],
    dot: false,
    expandDirectories: false,
    absolute: isAbsolute(pattern),
  })
}

/** The `name=value` folders of a path, values percent-decoded as Hive and Spark write them. */
export function folderColumns(path: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>()
  for (const segment of path.split(/[\\/]/).slice(0, -1)) {
    const at = segment.indexOf('=')
    if (at > 0) columns.set(segment.slice(0, at), decode(segment.slice(at + 1)))
  }
  return columns
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
