import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The modules that a worker thread loads, by their URLs. */
export interface ThreadModules {
  /** What Piscina loads. */
  readonly entry: string
  /** What exports `prepare`. */
  readonly tasks: string
  /** What `import 'refold'` resolves to. */
  readonly refold: string
}

const isSource = import.meta.url.endsWith('.ts')
const root = new URL('../', import.meta.url)

/** The modules that this thread runs. */
export const ownModules: ThreadModules = modulesIn(root, isSource ? 'ts' : 'js')

/**
 * The modules for the threads of rebuilds: the same code in a few files, because 150 modules take three times as long
 * to load. The published package has them. A clone has them where they were built from its sources as these are now;
 * elsewhere its threads run the sources.
 */
export function bundledModules(): ThreadModules {
  const bundle = new URL(isSource ? '../dist/threads/' : 'threads/', root)
  if (isSource && !isBuiltFrom(fileURLToPath(new URL('../', root)), fileURLToPath(bundle))) return ownModules
  return modulesIn(bundle, 'js')
}

function modulesIn(folder: URL, extension: string): ThreadModules {
  const at = (name: string) => new URL(`${name}.${extension}`, folder).href
  return { entry: at('workers/entry'), tasks: at('tasks'), refold: at('index') }
}

/** What `scripts/build.js` notes beside a bundle: names, sizes and times of sources, names and sizes of its files. */
interface BuiltFrom {
  readonly sources: readonly string[]
  readonly files: readonly string[]
}

/**
 * Whether all that a bundle was built from is as it was, and all of the bundle is there.
 *
 * @param clone Folder of the clone.
 * @param bundle Folder of the bundle.
 */
export function isBuiltFrom(clone: string, bundle: string): boolean {
  const noted = readNote(join(bundle, 'built-from.json'))
  if (noted === undefined) return false
  const sources = describeSources(clone)
  return (
    noted.sources.length === sources.length &&
    noted.sources.every((line, index) => line === sources[index]) &&
    noted.files.every((line) => isWhole(bundle, line))
  )
}

/** What goes into a bundle: the sources, the versions of packages, and how it is built. */
export function describeSources(clone: string): string[] {
  const sources = readdirSync(join(clone, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => join('src', path))
  return [...sources, 'package-lock.json', 'tsconfig.build.json', 'tsconfig.json', 'scripts/build.js'].map((path) => {
    const { size, mtimeMs } = statSync(join(clone, path))
    return `${path} ${size} ${mtimeMs}`
  })
}

/** Undefined where there is none, or none that was written to its end. */
function readNote(path: string): BuiltFrom | undefined {
  if (!existsSync(path)) return undefined
  try {
    const { sources, files } = JSON.parse(readFileSync(path, 'utf8')) as Partial<BuiltFrom>
    return Array.isArray(sources) && Array.isArray(files) ? { sources, files } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isWhole(bundle: string, line: string): boolean {
  const space = line.lastIndexOf(' ')
  const found = statSync(join(bundle, line.slice(0, space)), { throwIfNoEntry: false })
  return found !== undefined && found.size === Number(line.slice(space + 1))
}
