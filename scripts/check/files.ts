/** The files that the checks read. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** Texts of files by path relative to the root, with `/`. */
export type Files = ReadonlyMap<string, string>

/** All TypeScript and JavaScript files of the project. */
export function projectFiles(root: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of ['bin', 'jobs', 'scripts', 'src', 'test']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const path = posix.join(folder, name.replaceAll('\\', '/'))
      if (/\.[jt]s$/.test(path)) files.set(path, readFileSync(join(root, path), 'utf8'))
    }
  }
  return files
}
