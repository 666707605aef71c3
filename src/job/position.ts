import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapping } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const maps = new Map<string, SourceMap | null>()

/**
 * Where in the job's own sources an error was thrown, as `jobs/ledger.ts:12:5`, or undefined where its stack doesn't
 * touch them. Works whether or not the stack was translated already (`--enable-source-maps`).
 */
export function positionInJob(error: unknown, bundlePath: string): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined
  const map = mapOf(bundlePath)
  const sources = new Set(map?.payload.sources.map((source) => resolve(dirname(bundlePath), source)))
  for (const frame of error.stack.split('\n')) {
    const found = /(?:\(|at |async )?((?:file:\/\/)?\/?[^\s()]+?):(\d+):(\d+)\)?$/.exec(frame.trim())
    if (found === null) continue
    const path = found[1]!.startsWith('file:') ? fileURLToPath(found[1]!) : found[1]!
    const [line, column] = [Number(found[2]), Number(found[3])]
    if (sources.has(path)) return `${pathForPeople(path)}:${line}:${column}`
    const origin = path === bundlePath ? originOf(bundlePath, line, column) : undefined
    if (origin !== undefined) return `${pathForPeople(origin.path)}:${origin.line}:${origin.column}`
  }
  return undefined
}

/** Where a place of the bundle comes from; lines and columns count from 1. */
export function originOf(
  bundlePath: string,
  line: number,
  column: number,
): { readonly path: string; readonly line: number; readonly column: number } | undefined {
  const origin = mapOf(bundlePath)?.findEntry(line - 1, column - 1)
  if (origin === undefined || !isMapping(origin)) return undefined
  const path = resolve(dirname(bundlePath), origin.originalSource)
  return { path, line: origin.originalLine + 1, column: origin.originalColumn + 1 }
}

function mapOf(bundlePath: string): SourceMap | null {
  let map = maps.get(bundlePath)
  if (map === undefined) {
    map = readMap(bundlePath)
    maps.set(bundlePath, map)
  }
  return map
}

function readMap(bundlePath: string): SourceMap | null {
  const code = readBundle(bundlePath)
  if (code === null) return null
  const inline = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/.exec(code)
  return inline === null ? null : new SourceMap(JSON.parse(Buffer.from(inline[1]!, 'base64').toString('utf8')))
}

/** The code of a job's bundle; null where it was removed with its job: an error can still be reported without its position. */
export function readBundle(bundlePath: string): string | null {
  try {
    return readFileSync(bundlePath, 'utf8')
  } catch {
    return null
  }
}

function isMapping(entry: object): entry is SourceMapping {
  return 'originalLine' in entry
}

/** Relative to the current folder where it lies below it. */
export function pathForPeople(path: string): string {
  const fromHere = relative('.', path)
  return fromHere.startsWith('..') ? path : fromHere
}
