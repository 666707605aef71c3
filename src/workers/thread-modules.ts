import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The modules that a worker thread loads, by their URLs. */
export interface ThreadModules {
  /** What Piscina loads. */
  readonly entry: string
  /** What exports `prepare`. */
  readonly tasks: string
  /** What `import 'refold'` comes to. */
  readonly refold: string
}

const isSource = import.meta.url.endsWith('.ts')
const root = new URL('../', import.meta.url)

/** The modules that this thread runs. */
export const ownModules: ThreadModules = isSource
  ? modulesIn(root, 'workers/entry.ts', 'workers/tasks.ts', 'index.ts')
  : modulesIn(root, 'workers/entry.js', 'workers/tasks.js', 'index.js')

/**
 * The modules for the threads of rebuilds: the same code in a few files, because 150 modules take three times as long
 * to load. The published package has them. A clone has them where they were built from its sources as these are now;
 * elsewhere its threads run the sources.
 */
export function bundledModules(): ThreadModules {
  const folder = isSource ? new URL('../dist/threads/', root) : new URL('threads/', root)
  if (isSource && !isBuiltFrom(fileURLToPath(root), fileURLToPath(folder))) return ownModules
  return modulesIn(folder, 'entry.js', 'tasks.js', 'index.js')
}

function modulesIn(folder: URL, entry: string, tasks: string, refold: string): ThreadModules {
  const at = (path: string) => new URL(path, folder).href
  return { entry: at(entry), tasks: at(tasks), refold: at(refold) }
}

/** Whether the sources' names, sizes and times are those that `scripts/build.js` noted. */
export function isBuiltFrom(sources: string, bundle: string): boolean {
  const noted = join(bundle, 'sources.json')
  if (!existsSync(noted)) return false
  const built = JSON.parse(readFileSync(noted, 'utf8')) as string[]
  const found = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return found.length === built.length && built.every((line) => isUnchanged(sources, line))
}

function isUnchanged(sources: string, line: string): boolean {
  const [path, size, time] = line.split(' ') as [string, string, string]
  const now = statSync(join(sources, path), { throwIfNoEntry: false })
  return now !== undefined && now.size === Number(size) && now.mtimeMs === Number(time)
}
