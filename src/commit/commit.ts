import { basename, dirname, join } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { Manifest, ManifestBody } from '../model/manifest.ts'
import { disk } from '../storage/disk.ts'
import type { Files } from '../storage/files.ts'
import {
  type Current,
  currentPath,
  exceptionsFolder,
  findCurrent,
  generationFolder,
  generationName,
  generationNumber,
  isAbandoned,
  listGenerations,
  manifestPath,
  readManifest,
  runPath,
  temporaryPath,
  viewFolder,
} from '../storage/generations.ts'
import { digestOf } from '../storage/manifest-file.ts'

/**
 * Publishing: a generation is made in a staging folder, flushed, moved to its name in one step, and only then named in
 * `_current.json`, which is replaced in one step too. Whatever is killed and whenever, a reader that follows
 * `_current.json` finds the old generation whole or the new one whole, and nothing published is ever written to again.
 */

/** A generation in the making. Part files are written into `folder`, lists of exceptions below it. */
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

/** Begins a generation, and clears away what killed processes of this host left behind. */
export function stage(out: string, view: string, files: Files = disk): StagedView {
  const folder = temporaryPath(out, view, 'staging')
  files.makeFolder(folder)
  for (const name of files.list(viewFolder(out, view))) {
    if (isAbandoned(name)) files.remove(join(viewFolder(out, view), name))
  }
  return { out, view, folder }
}

/** Removes what was staged. Does nothing where it was published. */
export function discard(staged: StagedView, files: Files = disk): void {
  files.remove(staged.folder)
}

/**
 * Makes the staged generation the current one, or finds that the current one is the same already.
 *
 * @param body What the generation is; its files have been written and flushed.
 * @param run What isn't digested: times, host, workers. Goes to `_run.json`.
 */
export function publish(staged: StagedView, body: ManifestBody, run: object, files: Files = disk): Published {
  const { out, view, folder } = staged
  const digest = digestOf(body)
  const current = findCurrent(out, view, files)
  if (current?.digest === digest && isWhole(out, view, current, files)) {
    discard(staged, files)
    const path = generationFolder(out, view, current.generation)
    return { generation: current.generation, outcome: 'unchanged', digest, path }
  }
  writeJson(runPath(folder), run, files)
  const generation = moveToItsName(staged, body, digest, current?.generation ?? null, files)
  makeCurrent(out, view, { generation, digest }, files)
  return { generation, outcome: 'published', digest, path: generationFolder(out, view, generation) }
}

/** Replaces `_current.json` in one step. Also what a rollback does. */
export function makeCurrent(out: string, view: string, current: Current, files: Files = disk): void {
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

/** Whether the current generation is still what was published, as far as a look at names and manifest tells. */
function isWhole(out: string, view: string, current: Current, files: Files): boolean {
  let manifest: Manifest
  try {
    manifest = readManifest(out, view, current.generation, files)
  } catch (error) {
    // Someone damaged it: it is published anew, which mends the view.
    if (error instanceof OutputError) return false
    throw error
  }
  const folder = generationFolder(out, view, current.generation)
  return manifest.digest === current.digest && manifest.files.every((file) => files.exists(join(folder, file.name)))
}

/** Gives the staged folder the next number that is free; another process may take one at the same time. */
function moveToItsName(
  staged: StagedView,
  body: ManifestBody,
  digest: string,
  previous: string | null,
  files: Files,
): string {
  const { out, view, folder } = staged
  for (;;) {
    const newest = listGenerations(out, view, files).at(-1)
    const generation = generationName(newest === undefined ? 1 : generationNumber(newest)! + 1, digest)
    const manifest: Manifest = { format: 1, ...body, generation, previous, digest }
    writeJson(manifestPath(folder), manifest, files)
    syncAll(folder, body, files)
    const path = generationFolder(out, view, generation)
    try {
      files.rename(folder, path)
    } catch (error) {
      if (!(error instanceof OutputError && files.exists(path) && files.exists(folder))) throw error
      files.remove(manifestPath(folder))
      continue
    }
    files.syncFolder(viewFolder(out, view))
    // The view's own folder may be new, and so may the folder of all views.
    files.syncFolder(out)
    return basename(path)
  }
}

function syncAll(folder: string, body: ManifestBody, files: Files): void {
  const below = new Set([...body.files, ...body.exceptions].map((file) => dirname(join(folder, file.name))))
  if (files.exists(exceptionsFolder(folder))) below.add(exceptionsFolder(folder))
  below.delete(folder)
  for (const path of below) files.syncFolder(path)
  files.syncFolder(folder)
}

function writeJson(path: string, value: object, files: Files): void {
  files.writeNew(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)])
}

function tryToRemove(path: string, files: Files): void {
  try {
    files.remove(path)
  } catch {
    // The first fault is the one to tell; what stays behind is cleared away by the next rebuild.
  }
}
