import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The version of an installed package; undefined where it isn't installed. Loads none of its code. */
export function installedVersion(name: string): string | undefined {
  let resolved: string
  try {
    resolved = createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
  for (let folder = dirname(resolved); folder !== dirname(folder); folder = dirname(folder)) {
    const description = readDescription(join(folder, 'package.json'))
    if (description?.name === name) return description.version
  }
  return undefined
}

/** Refold's own version, in a clone as in the published package. */
export function ownVersion(): string {
  return readDescription(fileURLToPath(new URL('../../package.json', import.meta.url)))!.version!
}

function readDescription(path: string): { readonly name?: string; readonly version?: string } | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }) : undefined
}
