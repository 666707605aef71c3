import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Manifest } from '../../src/model/manifest.ts'
import { disk } from '../../src/storage/disk.ts'
import {
  findCurrent,
  generationFolder,
  generationNumber,
  listGenerations,
  namesIn,
  readManifest,
  reservedNumber,
} from '../../src/storage/generations.ts'
import { damageOf } from '../../src/storage/listed-file.ts'

/** What is left of views after a rebuild that met a fault, and what must hold of it. */

/** By view: the generation that readers see, each file of which was compared with its manifest. */
export function currentGenerations(out: string, views: readonly string[]): Record<string, Manifest> {
  return Object.fromEntries(
    views.map((view) => {
      const { generation, digest } = findCurrent(out, view)!
      const manifest = readWhole(out, view, generation)
      expect(manifest.digest).toBe(digest)
      return [view, manifest]
    }),
  )
}

/** Reads the manifest of a generation and compares every file that it lists. */
export function readWhole(out: string, view: string, generation: string): Manifest {
  const manifest = readManifest(out, view, generation)
  const folder = generationFolder(out, view, generation)
  for (const listed of listedFiles(manifest)) expect(damageOf(folder, listed, disk), listed.name).toBeUndefined()
  return manifest
}

function listedFiles({ files, exceptions, triangle, corrections }: Manifest): Manifest['files'] {
  return [...files, ...exceptions, ...triangle, ...corrections]
}

/** What two builds of the same must have in common: names and checksums of all files of a view. */
export function checksumsOf(manifest: Manifest): string[] {
  return [manifest.digest, ...listedFiles(manifest).map(({ name, sha256 }) => `${name} ${sha256}`)]
}

// A process that has ended by now.
const { pid: deadProcess } = spawnSync(process.execPath, ['--version'])

/** Makes what this process left unfinished that of a dead one, as it is when the process was really killed. */
export function bury(out: string, views: readonly string[]): void {
  for (const folder of [out, ...views.map((view) => join(out, view))]) {
    for (const name of namesIn(folder, disk)) {
      const buried = name.replace(new RegExp(`^(_[a-z]+-[0-9a-f]{8})-${process.pid}-`), `$1-${deadProcess}-`)
      if (buried !== name) renameSync(join(folder, name), join(folder, buried))
    }
  }
}

/** Names of what is no view, no generation and no `_current.json`; numbers that were given since are in nobody's way. */
export function leftovers(out: string, views: readonly string[]): string[] {
  const besides = namesIn(out, disk).filter((name) => !views.includes(name))
  const within = views.flatMap((view) => {
    const newest = Math.max(...listGenerations(out, view).map((name) => generationNumber(name)!))
    return namesIn(join(out, view), disk).filter(
      (name) =>
        name !== '_current.json' &&
        generationNumber(name) === undefined &&
        !(reservedNumber(name) !== undefined && reservedNumber(name)! < newest),
    )
  })
  return [...besides, ...within]
}

/**
 * All that a later rebuild could make a difference of, as a text. Folders in the making count by their names only, since
 * they are removed whole, and `_run.json` too, which holds times.
 */
export function stateOf(folder: string): string {
  const lines: string[] = []
  const visit = (path: string, name: string): void => {
    const shown = name.replace(/(_[a-z]+)-[0-9a-f]{8}-.*/, '$1-…')
    lines.push(shown)
    if (shown !== name || name.endsWith('/_run.json')) return
    if (disk.stat(path)!.kind !== 'folder') lines.push(disk.readText(path))
    else for (const entry of disk.list(path)) visit(join(path, entry.name), `${name}/${entry.name}`)
  }
  for (const { name } of disk.list(folder)) visit(join(folder, name), name)
  return lines.join('\n')
}
