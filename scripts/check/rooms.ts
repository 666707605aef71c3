/** The rooms of src, as they are and as ARCHITECTURE.md names them. */
import type { Files } from './files.ts'
import { lineCountOf } from './syntax.ts'

/** A folder of src, or a file directly in it. */
export interface Room {
  readonly name: string
  files: number
  lines: number
}

/** How much is in each room, by name. */
export function roomsOf(files: Files): Room[] {
  const rooms = new Map<string, Room>()
  for (const [path, text] of files) {
    if (!path.startsWith('src/')) continue
    const name = path.split('/')[1]!
    const room = rooms.get(name) ?? { name, files: 0, lines: 0 }
    rooms.set(name, room)
    room.files++
    room.lines += lineCountOf(text)
  }
  return [...rooms.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where the first column of the table below `## Rooms` and src differ. One sentence each. */
export function roomProblems(rooms: readonly Room[], architecture: string): string[] {
  const problems: string[] = []
  const named = new Map<string, number>()
  for (const { name, line } of roomsNamedIn(architecture)) {
    if (named.has(name)) problems.push(`ARCHITECTURE.md:${line}: names the room ${name} again`)
    else if (!rooms.some((room) => room.name === name))
      problems.push(`ARCHITECTURE.md:${line}: names the room ${name}, but there is no src/${name}`)
    named.set(name, line)
  }
  if (named.size === 0) return ['ARCHITECTURE.md: expected a table of rooms below "## Rooms", found none']
  for (const { name } of rooms)
    if (!named.has(name)) problems.push(`src/${name}: is not in the table of rooms of ARCHITECTURE.md`)
  return problems
}

/** Paths in src that ARCHITECTURE.md names and that match no file and no folder. `*` is any part of a name. */
export function stalePaths(files: Files, architecture: string): string[] {
  const stale: string[] = []
  for (const [index, line] of architecture.split('\n').entries()) {
    for (const [path] of line.matchAll(/\bsrc\/[\w./*-]*[\w*]/g)) {
      const pattern = path.replaceAll('.', '\\.').replaceAll('*', '[^/]*')
      const named = new RegExp(`^${pattern}(/|$)`)
      if (![...files.keys()].some((file) => named.test(file)))
        stale.push(`ARCHITECTURE.md:${index + 1}: names ${path}, but there is no such file`)
    }
  }
  return stale
}

function roomsNamedIn(architecture: string): { name: string; line: number }[] {
  const lines = architecture.split('\n')
  const heading = lines.indexOf('## Rooms')
  if (heading === -1) return []
  const named: { name: string; line: number }[] = []
  for (let at = heading + 1; at < lines.length && !lines[at]!.startsWith('#'); at++) {
    const [, cell = ''] = lines[at]!.startsWith('|') ? lines[at]!.split('|') : []
    for (const [, name] of cell.matchAll(/`([^`]+)`/g)) named.push({ name: name!, line: at + 1 })
  }
  return named
}
