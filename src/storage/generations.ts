import { join } from 'node:path'
import { ConfigurationError, OutputError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { disk } from './disk.ts'
import { requireLocal } from './local-path.ts'
import { type Current, NewerFormatError, parseCurrent, parseManifest, rebuildAdvice } from './manifest-file.ts'
import type { Store } from './store.ts'
import { type TemporaryPurpose, temporaryName } from './temporary.ts'

/**
 * Every path below the folder that holds the views, and what can be read there:
 *
 *     <out>/<view>/_current.json                          the published generation
 *     <out>/<view>/<generation>/part-00000.parquet …
 *     <out>/<view>/<generation>/_manifest.json, _run.json, _exceptions/part-00000.parquet …
 *     <out>/<view>/<generation>/_triangle/part-00000.parquet, _corrections/part-00000.parquet, _logic.mjs
 *     <out>/<view>/_notified-<target>.json                the last notice that a target received
 *     <out>/<view>/_notifying-<target>                    a process that delivers to it, so that no other does; of files `<out>/_notifying-<target>`
 *     <out>/<view>/_staging-<host>-<process>-<random>/    a generation being built
 *     <out>/<view>/_staging-…/_attempts/                  part files, until all are there
 *     <out>/<view>/_number-000012                         a number that is being given to a generation
 *     <out>/<view>/_new-<host>-<process>-<random>         one of the small files above before it has its name
 *     <out>/_spill-<host>-<process>-<random>/             packed rows that memory had no room for
 *
 * A generation's name is a number, counted up for each view, and the beginning of its digest: `000012-9f86d081884c`.
 */

export type { Current } from './manifest-file.ts'

export const exceptionsFolderName = '_exceptions'
export const triangleFolderName = '_triangle'
export const correctionsFolderName = '_corrections'

/** @throws ConfigurationError where the folder of views is a URL, as for all paths below it. */
export function viewFolder(out: string, view: string): string {
  return join(requireLocal(out, 'use views in'), view)
}

export function generationFolder(out: string, view: string, generation: string): string {
  return join(viewFolder(out, view), generation)
}

export function currentPath(out: string, view: string): string {
  return join(viewFolder(out, view), '_current.json')
}

/** `part-00012.parquet` */
export function partName(index: number): string {
  return `part-${String(index).padStart(5, '0')}.parquet`
}

/**
 * Where the attempts of tasks write part files of a staged generation. It is gone before the generation is published, so
 * that an attempt that was given up, and writes on, never writes into what is published.
 */
export function attemptsFolder(folder: string): string {
  return join(folder, '_attempts')
}

/** The part file of one attempt: `_attempts/part-00012.parquet.2`. */
export function attemptPath(folder: string, name: string, attempt: number): string {
  return join(attemptsFolder(folder), `${name}.${attempt}`)
}

/** A new name of a file or folder being written, beside a view's generations. */
export function temporaryPath(out: string, view: string, purpose: TemporaryPurpose): string {
  return join(viewFolder(out, view), temporaryName(purpose))
}

/** Paths within a generation's folder, staged or published. */
export function manifestPath(folder: string): string {
  return join(folder, '_manifest.json')
}

export function runPath(folder: string): string {
  return join(folder, '_run.json')
}

export function exceptionsFolder(folder: string): string {
  return join(folder, exceptionsFolderName)
}

export function triangleFolder(folder: string): string {
  return join(folder, triangleFolderName)
}

export function correctionsFolder(folder: string): string {
  return join(folder, correctionsFolderName)
}

/** The job that a generation was built by, as one module. */
export function keptLogicPath(folder: string): string {
  return join(folder, '_logic.mjs')
}

/** A new folder for what a rebuild spills, in the folder of views unless another is named. */
export function spillFolder(within: string): string {
  return join(requireLocal(within, 'spill to'), temporaryName('spill'))
}

/** `000012-9f86d081884c` */
export function generationName(number: number, digest: string): string {
  return `${String(number).padStart(6, '0')}-${digest.slice(0, 12)}`
}

/** The number of a generation, or undefined where the name is none of a generation. */
export function generationNumber(name: string): number | undefined {
  const found = /^(\d{6,})-[0-9a-f]{12}$/.exec(name)
  return found === null ? undefined : Number(found[1])
}

/** Exists while a process gives a generation this number, so that no other does. */
export function reservationPath(out: string, view: string, number: number): string {
  return join(viewFolder(out, view), `_number-${String(number).padStart(6, '0')}`)
}

/** The number that a file reserves, or undefined where it is none of those. */
export function reservedNumber(name: string): number | undefined {
  const found = /^_number-(\d{6,})$/.exec(name)
  return found === null ? undefined : Number(found[1])
}

/** Names of all that is directly below a folder, sorted by code unit. */
export function namesIn(folder: string, files: Store): string[] {
  return files.list(folder).map(({ name }) => name)
}

/** Names of a view's generations, oldest first; empty where it was never built. */
export function listGenerations(out: string, view: string, files: Store = disk): string[] {
  const names = namesIn(viewFolder(out, view), files).filter((name) => generationNumber(name) !== undefined)
  return names.sort((a, b) => generationNumber(a)! - generationNumber(b)! || (a < b ? -1 : 1))
}

/** Names of the views that were built. */
export function listViews(out: string, files: Store = disk): string[] {
  return namesIn(requireLocal(out, 'use views in'), files).filter((view) => files.exists(currentPath(out, view)))
}

/** Which generation of a view is published; undefined where it was never built. */
export function findCurrent(out: string, view: string, files: Store = disk): Current | undefined {
  const path = currentPath(out, view)
  return files.exists(path) ? parseCurrent(files.readText(path), path) : undefined
}

/**
 * Which generation of a view is published.
 *
 * @throws ConfigurationError where the view was never built.
 */
export function readCurrent(out: string, view: string, files: Store = disk): Current {
  const current = findCurrent(out, view, files)
  if (current !== undefined) return current
  const built = listViews(out, files)
  const others = built.length === 0 ? `${out} holds no view` : `${out} holds ${built.join(', ')}`
  throw new ConfigurationError(
    `Cannot read view ${view} in ${out}: it was never built there; ${others}. Build it with refold rebuild, or name its folder with --out.`,
  )
}

/**
 * The full name of a generation.
 *
 * @param wanted Its name, its number, or the beginning of its name; the published one where absent.
 * @throws ConfigurationError where there is no such generation, or more than one.
 */
export function resolveGeneration(out: string, view: string, wanted: string | undefined, files: Store = disk): string {
  const current = readCurrent(out, view, files)
  if (wanted === undefined) return current.generation
  const names = listGenerations(out, view, files)
  const isNumber = /^\d{1,6}$/.test(wanted)
  const found = names.filter(
    (name) => name === wanted || (isNumber ? generationNumber(name) === Number(wanted) : name.startsWith(wanted)),
  )
  if (found.length === 1) return found[0]!
  const there = names.map((name) => (name === current.generation ? `${name} (current)` : name)).join(', ')
  throw new ConfigurationError(
    `Cannot read generation ${wanted} of view ${view} in ${out}: expected one generation of this name, ` +
      `found ${found.length === 0 ? 'none' : found.join(' and ')}. There ${names.length === 1 ? 'is' : 'are'} ${there}.`,
  )
}

/**
 * What a generation says about itself, checked against its digest.
 *
 * @param generation Its full name.
 * @throws OutputError where the manifest is missing or damaged, NewerFormatError where a newer version wrote it.
 */
export function readManifest(out: string, view: string, generation: string, files: Store = disk): Manifest {
  const path = manifestPath(generationFolder(out, view, generation))
  if (!files.exists(path)) {
    const found =
      files.list(generationFolder(out, view, generation)).length === 0 ? 'no such folder' : 'a folder without it'
    throw new OutputError(
      `Cannot read generation ${generation} of view ${view}: expected ${path}, found ${found}. It was removed or changed by hand. ${adviceOn(out, view, generation, files)}.`,
      { file: path },
    )
  }
  const manifest = parseManifest(files.readText(path), path, adviceOn(out, view, generation, files))
  if (manifest.view !== view || manifest.generation !== generation) {
    throw new OutputError(
      `Cannot use ${path}: expected the manifest of generation ${generation} of view ${view}, found that of ${manifest.generation} of ${manifest.view}.`,
      { file: path },
    )
  }
  return manifest
}

/** What to do about a damaged generation: a rebuild repairs the current one and leaves all others as they are. */
function adviceOn(out: string, view: string, generation: string, files: Store): string {
  const current = findReadableCurrent(out, view, files)
  if (current === undefined || current.generation === generation) return rebuildAdvice
  const folder = generationFolder(out, view, generation)
  return files.exists(folder)
    ? `Remove the folder ${folder}: the current generation, ${current.generation}, does not need it`
    : `The current generation, ${current.generation}, does not need it`
}

/** Which generation is published; a `_current.json` that is damaged names none. */
export function findReadableCurrent(out: string, view: string, files: Store = disk): Current | undefined {
  try {
    return findCurrent(out, view, files)
  } catch (error) {
    if (error instanceof OutputError) return undefined
    throw error
  }
}

/**
 * The manifest of the current generation; undefined where there is none, or none that can be read: publishing repairs the view.
 *
 * @throws NewerFormatError where it was published by a newer version of Refold.
 */
export function findReadableManifest(out: string, view: string, files: Store = disk): Manifest | undefined {
  const current = findReadableCurrent(out, view, files)
  try {
    return current && readManifest(out, view, current.generation, files)
  } catch (error) {
    if (error instanceof NewerFormatError || !(error instanceof OutputError)) throw error
    return undefined
  }
}

/**
 * Refuses to go on where the current generation was published by a newer version of Refold.
 *
 * @throws NewerFormatError
 */
export function refuseNewerFormat(out: string, view: string, files: Store = disk): void {
  findReadableManifest(out, view, files)
}

/** What `_run.json` says of how a generation came about. */
export interface Run {
  /** Absolute path of the job file; null where the job came from none. */
  readonly job: string | null
  /** The host on which it was built; null where it doesn't say. */
  readonly host: string | null
  /** ISO 8601; null where it doesn't say. */
  readonly startedAt: string | null
  readonly finishedAt: string | null
}

/** Undefined where the file is gone or is none of this version: it isn't part of what was published. */
export function readRun(out: string, view: string, generation: string, files: Store = disk): Run | undefined {
  const path = runPath(generationFolder(out, view, generation))
  return files.exists(path) ? parseRun(files.readText(path)) : undefined
}

/**
 * When a generation was written, in milliseconds since 1970: as it says itself, since a copy of it has other times; else
 * when its manifest was last changed.
 */
export function writtenAt(out: string, view: string, generation: string, files: Store = disk): number {
  const finished = Date.parse(readRun(out, view, generation, files)?.finishedAt ?? '')
  if (!Number.isNaN(finished)) return finished
  const path = manifestPath(generationFolder(out, view, generation))
  const stat = files.stat(path)
  if (stat === undefined) {
    throw new OutputError(
      `Cannot read generation ${generation} of view ${view}: expected ${path}, found no such file.`,
      {
        file: path,
      },
    )
  }
  return stat.writtenMs
}

function parseRun(text: string): Run | undefined {
  try {
    const run: unknown = JSON.parse(text)
    const { job, host, startedAt, finishedAt } = (run ?? {}) as Partial<Record<keyof Run, unknown>>
    const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)
    return {
      job: textOrNull(job),
      host: textOrNull(host),
      startedAt: textOrNull(startedAt),
      finishedAt: textOrNull(finishedAt),
    }
  } catch {
    return undefined
  }
}
