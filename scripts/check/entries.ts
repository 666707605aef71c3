/** What is used in a way that no import shows: the beginnings of the program, and exports that others find by name. */
import { exportsOf } from './exports.ts'
import type { Files } from './files.ts'

export interface Entry {
  /** A file, or a folder with `/` at its end. */
  readonly path: string
  /** Its exports that are used; `*` for all. */
  readonly names: readonly string[]
  readonly reason: string
}

export const entries: readonly Entry[] = [
  { path: 'src/index.ts', names: ['*'], reason: 'the public door' },
  { path: 'src/workers/entry.ts', names: ['default'], reason: 'Piscina calls it in each thread (thread-modules.ts)' },
  {
    path: 'src/tasks.ts',
    names: ['prepare'],
    reason: 'workers/entry.ts imports it by URL (thread-modules.ts)',
  },
  { path: 'src/scenario/events-view.ts', names: ['eventsView'], reason: 'the bundle that it writes imports it' },
  {
    path: 'src/workers/wire.ts',
    names: ['*'],
    reason: 'for executors whose workers share no memory; the contract suite runs one',
  },
  {
    path: 'src/shuffle/block-memory.ts',
    names: ['withoutSharing'],
    reason: 'for executors whose workers share no memory; the contract suite runs one',
  },
  { path: 'src/bench/jobs/', names: ['*'], reason: 'jobs, which bench/contenders/refold.ts loads by their names' },
]

export function isEntry(path: string, name: string): boolean {
  return entries.some((entry) => covers(entry, path) && (entry.names.includes('*') || entry.names.includes(name)))
}

/** Where the program begins: entries, commands and scripts. */
export function startsOf(files: Files): string[] {
  return [...files.keys()].filter(
    (path) => entries.some((entry) => covers(entry, path)) || /^(bin|scripts)\/[^/]+$/.test(path),
  )
}

/** Entries that name what is no longer there. */
export function staleEntries(files: Files, among: readonly Entry[] = entries): string[] {
  return among.flatMap(({ path, names }) => {
    const covered = [...files].filter(([file]) => covers({ path }, file))
    if (covered.length === 0) return [`${path}: named by scripts/check/entries.ts, but there is no such file`]
    const exported = new Set(covered.flatMap(([file, text]) => exportsOf(file, text).map(({ name }) => name)))
    return names
      .filter((name) => name !== '*' && !exported.has(name))
      .map((name) => `${path}: scripts/check/entries.ts names its export ${name}, but it has none of that name`)
  })
}

function covers({ path }: Pick<Entry, 'path'>, file: string): boolean {
  return path.endsWith('/') ? file.startsWith(path) : file === path
}
