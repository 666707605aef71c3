import { dirname, join } from 'node:path'
import { InputError, OutputError, RefoldError } from '../model/errors.ts'
import type { Manifest, ManifestBody } from '../model/manifest.ts'
import {
  type Current,
  currentPath,
  exceptionsFolder,
  findCurrent,
  findReadableCurrent,
  generationFolder,
  generationName,
  generationNumber,
  listGenerations,
  manifestPath,
  namesIn,
  readManifest,
  refuseNewerFormat,
  reservationPath,
  reservedNumber,
  runPath,
  temporaryPath,
  viewFolder,
} from '../storage/generations.ts'
import { digestOf } from '../storage/manifest-file.ts'
import type { Disk, Store } from '../storage/store.ts'
import { isAbandoned } from '../storage/temporary.ts'

/**
 * Publishing: a generation is made in a staging folder, flushed, moved to its name in one step, and only then named in
 * `_current.json`, which is replaced in one step too. Whatever is killed and whenever, a reader that follows
 * `_current.json` finds the old generation whole or the new one whole, and nothing published is ever written to again.
 */

/** A generation being built. Part files are written into `folder`, lists of exceptions below it. */
export interface StagedView {
  readonly out: string
  readonly view: string
  readonly folder: string
}

export interface Published {
  readonly generation: string
  /** `unchanged`: the current generation has the same digest already; it stays, and what was staged is gone. */
  readonly outcome: 'published' | 'unchanged'
  readonly digest: string
  /** Folder of the generation. */
  readonly path: string
}

/**
 * Begins a generation, and clears away what killed processes of this host left behind.
 *
 * @throws OutputError where the current generation is a newer version's.
 */
export function stage(out: string, view: string, files: Disk): StagedView {
  refuseNewerFormat(out, view, files)
  // A number up to that of the newest generation is never used again, whichever process reserved it.
  const newest = newestNumber(out, view, files)
  for (const name of namesIn(viewFolder(out, view), files)) {
    if (isAbandoned(name) || (reservedNumber(name) ?? newest + 1) <= newest) {
      files.remove(join(viewFolder(out, view), name))
    }
  }
  // Last, so that a fault leaves nothing.
  const folder = temporaryPath(out, view, 'staging')
  files.makeFolder(folder)
  return { out, view, folder }
}

/** Removes what was staged. Does nothing where it was published. */
export function discard(staged: StagedView, files: Store): void {
  files.remove(staged.folder)
}

/** A generation under its own name that `_current.json` may not name yet. */
export interface InstalledView extends Published {
  readonly staged: StagedView
}

/**
 * Makes the staged generation the current one, or finds that the current one is the same already.
 *
 * @param body What the generation is; its files have been written and flushed.
 * @param run What isn't digested: times, host, workers. Goes to `_run.json`.
 */
export function publish(staged: StagedView, body: ManifestBody, run: object, files: Disk): Published {
  const installed = install(staged, body, run, files)
  switchAll([installed], files)
  const { generation, outcome, digest, path } = installed
  return { generation, outcome, digest, path }
}

/**
 * All of publishing but the last step: the generation gets its name, and no reader sees it yet.
 *
 * @param mustReplace Also where the current generation has the same digest: it was found to be damaged where its names, sizes and manifest
 * don't show it, or belongs to another job.
 */
export function install(
  staged: StagedView,
  body: ManifestBody,
  run: object,
  files: Disk,
  mustReplace = false,
): InstalledView {
  const { out, view, folder } = staged
  const digest = digestOf(body)
  // A damaged `_current.json` counts as none: publishing replaces it, which repairs the view.
  const current = findReadableCurrent(out, view, files)
  refuseNewerFormat(out, view, files)
  if (current?.digest === digest && !mustReplace && isWhole(out, view, current, files)) {
    discard(staged, files)
    const path = generationFolder(out, view, current.generation)
    return { staged, generation: current.generation, outcome: 'unchanged', digest, path }
  }
  writeJson(runPath(folder), run, files)
  const generation = moveToItsName(staged, body, digest, current?.generation ?? null, files)
  return { staged, generation, outcome: 'published', digest, path: generationFolder(out, view, generation) }
}

/**
 * Makes readers see what was installed, one view after the other.
 *
 * @throws OutputError that names the views whose readers see the new generation and those whose readers don't, where
 * one of several can't be switched. What no reader sees is staged again.
 */
export function switchAll(installed: readonly InstalledView[], files: Disk): void {
  const changed = installed.filter(({ outcome }) => outcome === 'published')
  for (const [index, { staged, generation, digest }] of changed.entries()) {
    try {
      makeCurrent(staged.out, staged.view, { generation, digest }, files)
    } catch (error) {
      const unseen = changed.slice(index).filter((view) => !isSeen(view, files))
      for (const view of unseen) withdraw(view, files)
      if (changed.length === 1 || !(error instanceof OutputError)) throw error
      const names = (views: readonly InstalledView[]) => views.map(({ staged }) => staged.view).join(', ') || 'none'
      const seen = changed.filter((view) => !unseen.includes(view))
      throw new OutputError(
        `${error.message} Published were: ${names(seen)}. Not published were: ${names(unseen)}. Rebuild to publish them.`,
        error.place,
        { cause: error },
      )
    }
  }
}

/** Takes a generation that no reader sees back to staging. If that fails it stays where it is, where no reader sees it. */
export function withdraw({ staged, path, outcome }: InstalledView, files: Disk): void {
  if (outcome === 'unchanged') return
  try {
    files.rename(path, staged.folder)
  } catch {
    // The fault that led here is the one to report.
  }
}

/** Whether readers see a generation after a switch that failed: the fault may have come after the step itself. */
function isSeen({ staged, generation }: InstalledView, files: Store): boolean {
  try {
    return findCurrent(staged.out, staged.view, files)?.generation === generation
  } catch (error) {
    // What can't be read names no generation.
    return !(error instanceof RefoldError)
  }
}

/** Replaces `_current.json` in one step. */
export function makeCurrent(out: string, view: string, current: Current, files: Disk): void {
  const temporary = temporaryPath(out, view, 'current')
  try {
    writeJson(temporary, { generation: current.generation, digest: current.digest }, files)
    files.rename(temporary, currentPath(out, view))
  } catch (error) {
    tryToRemove(temporary, files)
    throw error
  }
  files.syncFolder(viewFolder(out, view))
}

/** Whether the current generation is still what was published, as far as names, sizes and manifest show. */
function isWhole(out: string, view: string, current: Current, files: Store): boolean {
  let manifest: Manifest
  try {
    manifest = readManifest(out, view, current.generation, files)
  } catch (error) {
    // Someone damaged it: it is published again, which repairs the view.
    if (error instanceof OutputError) return false
    throw error
  }
  const folder = generationFolder(out, view, current.generation)
  const listed = [...manifest.files, ...manifest.exceptions, ...manifest.triangle, ...manifest.corrections]
  return (
    manifest.digest === current.digest && listed.every(({ name, bytes }) => sizeOf(join(folder, name), files) === bytes)
  )
}

/** Undefined where there is no file that can be read. */
function sizeOf(path: string, files: Store): number | undefined {
  if (!files.exists(path)) return undefined
  try {
    const file = files.openForReading(path)
    file.close()
    return file.byteLength
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

/** Gives the staged folder the next number that is free, which it holds while it needs it. */
function moveToItsName(
  staged: StagedView,
  body: ManifestBody,
  digest: string,
  previous: string | null,
  files: Disk,
): string {
  const { out, view, folder } = staged
  const number = reserveNumber(out, view, files)
  try {
    const generation = generationName(number, digest)
    const manifest: Manifest = { format: 1, ...body, generation, previous, digest }
    writeJson(manifestPath(folder), manifest, files)
    syncAll(folder, body, files)
    files.rename(folder, generationFolder(out, view, generation))
    files.syncFolder(viewFolder(out, view))
    // The view's own folder may be new, and so may the folder of all views.
    files.syncFolder(out)
    return generation
  } finally {
    tryToRemove(reservationPath(out, view, number), files)
  }
}

/**
 * A number that no generation has and no other process takes: a file of its name can be created by one only. The second
 * look is for who was given the number, and gave it back with a generation of it there, after the first.
 */
function reserveNumber(out: string, view: string, files: Store): number {
  for (;;) {
    const names = namesIn(viewFolder(out, view), files)
    const number = Math.max(newestNumber(out, view, files), ...names.map((name) => reservedNumber(name) ?? 0)) + 1
    const path = reservationPath(out, view, number)
    if (!files.putIfAbsent(path, new Uint8Array(0))) continue
    try {
      if (newestNumber(out, view, files) < number) return number
    } catch (error) {
      tryToRemove(path, files)
      throw error
    }
    files.remove(path)
  }
}

function newestNumber(out: string, view: string, files: Store): number {
  const newest = listGenerations(out, view, files).at(-1)
  return newest === undefined ? 0 : generationNumber(newest)!
}

function syncAll(folder: string, body: ManifestBody, files: Disk): void {
  const below = new Set(
    [...body.files, ...body.exceptions, ...body.triangle, ...body.corrections].map((file) =>
      dirname(join(folder, file.name)),
    ),
  )
  if (files.exists(exceptionsFolder(folder))) below.add(exceptionsFolder(folder))
  below.delete(folder)
  for (const path of below) files.syncFolder(path)
  files.syncFolder(folder)
}

function writeJson(path: string, value: object, files: Store): void {
  files.writeNew(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)])
}

function tryToRemove(path: string, files: Store): void {
  try {
    files.remove(path)
  } catch {
    // The first fault is the one to report; what stays behind is cleared away by the next rebuild.
  }
}
