import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError, RefoldError } from '../model/errors.ts'
import type { JobDefinition } from '../model/view.ts'
import { disk } from '../storage/disk.ts'
import { requireLocal } from '../storage/local-path.ts'
import { isAbandoned, jobFolderPrefix } from '../storage/temporary.ts'
import { installGuards } from '../view/purity.ts'
import { bundleJob } from './bundle.ts'
import { fingerprintDefinition, fingerprintViews } from './fingerprint.ts'
import { identityOf } from './identity.ts'
import { exportsOf } from './import.ts'
import { positionInJob } from './position.ts'
import { refuseModuleFaults, refuseOuterFaults } from './refuse-outer.ts'
import { validateJob } from './validate.ts'

/** A job that was bundled, imported and found valid. */
export interface LoadedJob {
  readonly path: string
  /** The file's name without its extension. */
  readonly name: string
  /** Which job it is, wherever its project is: see `identityOf`. Absent where the file is in no package. */
  readonly identity?: string
  readonly definition: JobDefinition
  /** The job as one module, for worker threads to import. Absent where the job came from no file. */
  readonly bundlePath: string | undefined
  /** By view: a hash of its logic, of all code it reaches and of its options; lower-case hexadecimal. */
  readonly fingerprints: ReadonlyMap<string, string>
  /** Removes the bundle. Worker threads that run it must have ended. */
  dispose(): void
}

/**
 * Loads a job file: TypeScript or JavaScript that exports a `defineJob(…)` as its default.
 *
 * @throws ConfigurationError where the file is missing, doesn't compile, throws, or defines a job that can't run.
 */
export async function loadJob(path: string): Promise<LoadedJob> {
  checkFile(path)
  removeAbandoned()
  const folder = disk.makeTemporaryFolder(jobFolderPrefix())
  const dispose = () => disk.remove(folder)
  try {
    const bundlePath = await bundleJob(path, folder)
    const exports = await importJob(path, bundlePath)
    if (!('default' in exports)) {
      throw new ConfigurationError(
        `Cannot use the job ${path}: expected a default export made by defineJob, found ${describeExports(exports)}. ` +
          'End the file with: export default defineJob({ views: […] })',
        { file: path },
      )
    }
    const definition = validateJob(exports.default, path)
    refuseModuleFaults(path, bundlePath)
    const fingerprints = await fingerprintViews(path, definition, exports)
    const identity = identityOf(path, disk)
    return {
      path,
      name: nameOf(path),
      ...(identity !== undefined && { identity }),
      definition,
      bundlePath,
      fingerprints,
      dispose,
    }
  } catch (error) {
    dispose()
    throw error
  }
}

/** A job made by a program, without a file. Only the inline executor can run it: threads have nothing to import. */
export function loadedFromDefinition(definition: JobDefinition): LoadedJob {
  const path = 'a job without a file'
  const validated = validateJob(definition, path)
  refuseOuterFaults(path, validated)
  const fingerprints = fingerprintDefinition(validated)
  return { path, name: 'job', definition: validated, bundlePath: undefined, fingerprints, dispose: () => {} }
}

/** Removes the bundles of processes that were killed. */
function removeAbandoned(): void {
  for (const { name } of disk.list(tmpdir())) {
    if (!isAbandoned(name)) continue
    try {
      disk.remove(join(tmpdir(), name))
    } catch {
      // Another user's: it does no harm.
    }
  }
}

function nameOf(path: string): string {
  return basename(path).replace(/\.[^.]+$/, '')
}

function checkFile(path: string): void {
  const stat = disk.stat(requireLocal(path, 'load the job'))
  if (stat?.kind === 'file') return
  const found = stat === undefined ? 'no such file' : 'a folder'
  throw new ConfigurationError(
    `Cannot load the job ${path}: expected a TypeScript or JavaScript file, found ${found}.`,
    {
      file: path,
    },
  )
}

async function importJob(path: string, bundlePath: string): Promise<Readonly<Record<string, unknown>>> {
  // So that a stack trace of a user's function shows the user's own lines.
  process.setSourceMapsEnabled(true)
  installGuards()
  try {
    return exportsOf((await import(pathToFileURL(bundlePath).href)) as Record<string, unknown>)
  } catch (error) {
    const position = positionInJob(error, bundlePath)
    const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const file = position?.replace(/:\d+:\d+$/, '') ?? path
    if (error instanceof RefoldError && error.exitCode === 2 && position === undefined) throw error
    throw new ConfigurationError(
      `Cannot load the job ${path}: it threw while it was imported${position === undefined ? '' : `, at ${position}`}: ${thrown}`,
      { file },
      { cause: error },
    )
  }
}

function describeExports(exports: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(exports)
  return names.length === 0 ? 'no exports' : `only the exports ${names.join(', ')}`
}
