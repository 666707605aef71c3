import { dirname, join, relative, resolve, sep } from 'node:path'
import type { Store } from '../storage/store.ts'

/**
 * Which job a file is, wherever its project is checked out or deployed to: the name of the nearest package, and the file's path in it, as
 * `acme-ledger:jobs/balances.ts`; undefined where no folder above it has a `package.json`.
 */
export function identityOf(path: string, files: Store): string | undefined {
  const file = resolve(path)
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const description = join(folder, 'package.json')
    if (files.stat(description)?.kind === 'file') {
      return `${packageName(files.readText(description))}:${relative(folder, file).split(sep).join('/')}`
    }
    if (dirname(folder) === folder) return undefined
  }
}

function packageName(text: string): string {
  try {
    const { name } = (JSON.parse(text) ?? {}) as { name?: unknown }
    return typeof name === 'string' ? name : ''
  } catch {
    // Its path within the folder still tells jobs apart.
    return ''
  }
}
