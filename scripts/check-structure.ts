/**
 * Checks how the code is divided: into rooms, files, classes and functions, and who uses what of it. Prints what it
 * measured and then what breaks the rules, and ends with 1 if anything does.
 *
 * `--list` also lists what the ratchet still allows. `--lower` lowers the ratchet's numbers to what was counted.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { cyclesOf } from './check/cycles.ts'
import { isEntry, staleEntries, startsOf } from './check/entries.ts'
import { type Export, unusedExports } from './check/exports.ts'
import { type Files, projectFiles } from './check/files.ts'
import { graphOf } from './check/imports.ts'
import { type Allowed, lowered, type Rule, ratchetPath, ratchetProblems } from './check/ratchet.ts'
import { unreachedFiles } from './check/reached.ts'
import { type Room, roomProblems, roomsOf, stalePaths } from './check/rooms.ts'
import { longestOf, type Piece, piecesOf } from './check/sizes.ts'
import { lineCountOf } from './check/syntax.ts'

const functionLinesMax = 70
const parametersMax = 5
const classLinesMax = 200
const classRooms = ['scan', 'dedupe', 'map', 'reduce']
const fileLinesMax = 250
const fileRooms = ['plan']

export interface Structure {
  readonly rooms: readonly Room[]
  readonly longestFunction: Piece | undefined
  readonly longestClass: Piece | undefined
  /** What is never allowed. */
  readonly strict: readonly Rule[]
  /** What is allowed as often as the ratchet says. */
  readonly counted: readonly Rule[]
}

/**
 * @param files Texts of all that is written in TypeScript or JavaScript, by path relative to the root.
 * @param architecture The text of ARCHITECTURE.md.
 */
export function structureOf(files: Files, architecture: string): Structure {
  const checked = new Map([...files].filter(([path]) => !path.startsWith('test/')))
  const pieces = piecesOf(checked)
  const rooms = roomsOf(files)
  return {
    rooms,
    longestFunction: longestOf(pieces, 'function'),
    longestClass: longestOf(pieces, 'class'),
    strict: [
      { name: 'files that nothing reaches', found: unreachedFiles(files, startsOf(files)) },
      { name: 'rooms that ARCHITECTURE.md and src disagree about', found: roomProblems(rooms, architecture) },
      { name: 'paths in ARCHITECTURE.md that do not exist', found: stalePaths(files, architecture) },
      { name: 'entries in scripts/check/entries.ts of what is gone', found: staleEntries(files) },
    ],
    counted: [cycleRule(checked), ...sizeRules(pieces), fileRule(checked), ...exportRules(files)],
  }
}

function cycleRule(files: Files): Rule {
  const graph = graphOf(files)
  const cycles = cyclesOf(new Map([...graph].map(([path, edges]) => [path, edges.map(({ to }) => to)])))
  const found = cycles.map(([path, next, ...others]) => {
    const line = graph.get(path!)!.find(({ to }) => to === next)!.line
    return [`${path}:${line}`, next, ...others].join(' → ')
  })
  return { name: 'files in import cycles, types included', found }
}

function sizeRules(pieces: readonly Piece[]): Rule[] {
  const rule = (
    name: string,
    breaks: (piece: Piece) => boolean,
    size: (piece: Piece) => number,
    unit: string,
  ): Rule => {
    const found = pieces.filter(breaks).sort((a, b) => size(b) - size(a))
    return { name, found: found.map((one) => `${placeOf(one)} ${one.name}, ${size(one)} ${unit}`) }
  }
  const lines = (piece: Piece) => piece.lines
  const parameters = (piece: Piece) => piece.parameters
  const isFunction = ({ kind }: Piece) => kind === 'function'
  return [
    rule(
      `functions over ${functionLinesMax} lines`,
      (one) => isFunction(one) && one.lines > functionLinesMax,
      lines,
      'lines',
    ),
    rule(
      `functions with over ${parametersMax} parameters`,
      (one) => isFunction(one) && one.parameters > parametersMax,
      parameters,
      'parameters',
    ),
    rule(
      `classes over ${classLinesMax} lines in ${classRooms.join(', ')}`,
      (one) => !isFunction(one) && one.lines > classLinesMax && isIn(classRooms, one.path),
      lines,
      'lines',
    ),
  ]
}

function fileRule(files: Files): Rule {
  const found = [...files]
    .filter(([path]) => isIn(fileRooms, path))
    .map(([path, text]) => ({ path, lines: lineCountOf(text) }))
    .filter(({ lines }) => lines > fileLinesMax)
    .sort((a, b) => b.lines - a.lines)
  return {
    name: `files over ${fileLinesMax} lines in ${fileRooms.join(', ')}`,
    found: found.map(({ path, lines }) => `${path}:1 ${lines} lines`),
  }
}

function exportRules(files: Files): Rule[] {
  const { byAll, butByTests } = unusedExports(files, isEntry)
  const listed = (exports: readonly Export[]) => exports.map((one) => `${placeOf(one)} ${one.name}`)
  return [
    { name: 'exports that no other file uses', found: listed(byAll) },
    { name: 'exports that only tests use', found: listed(butByTests) },
  ]
}

function placeOf({ path, line }: { path: string; line: number }): string {
  return `${path}:${line}`
}

function isIn(rooms: readonly string[], path: string): boolean {
  return rooms.some((room) => path.startsWith(`src/${room}/`))
}

/** What was measured, in aligned columns. */
export function describe(
  { rooms, longestFunction, longestClass, strict, counted }: Structure,
  allowed: Allowed,
): string {
  const all = { name: 'all', files: 0, lines: 0 }
  for (const room of rooms) {
    all.files += room.files
    all.lines += room.lines
  }
  const piece = (one: Piece | undefined) =>
    one === undefined ? 'none' : `${one.lines} lines: ${one.name}, ${placeOf(one)}`
  return [
    ...table(
      ['room', 'files', 'lines'],
      [...rooms, all].map(({ name, files, lines }) => [name, `${files}`, `${lines}`]),
    ),
    '',
    `longest function  ${piece(longestFunction)}`,
    `longest class     ${piece(longestClass)}`,
    '',
    ...table(
      ['rule', 'found', 'allowed'],
      [
        ...strict.map(({ name, found }) => [name, `${found.length}`, '0']),
        ...counted.map(({ name, found }) => [name, `${found.length}`, `${allowed[name] ?? '?'}`]),
      ],
    ),
  ].join('\n')
}

/** Lines of a table; all but the first column are aligned to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  return [head, ...rows].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  )
}

/** What breaks the rules. Several lines each where there is something to list. */
export function problemsOf({ strict, counted }: Structure, allowed: Allowed): string[] {
  const broken = strict.filter(({ found }) => found.length > 0)
  return [
    ...broken.map(({ name, found }) => [`${name}:`, ...found].join('\n    ')),
    ...ratchetProblems(counted, allowed),
  ]
}

/** The numbers of ratchet.json. */
export function readAllowed(root: string): Allowed {
  return JSON.parse(readFileSync(join(root, ratchetPath), 'utf8')) as Allowed
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const { values } = parseArgs({ options: { list: { type: 'boolean' }, lower: { type: 'boolean' } } })
  const structure = structureOf(projectFiles(root), readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))
  let allowed = readAllowed(root)
  if (values.lower === true) {
    allowed = lowered(structure.counted, allowed)
    writeFileSync(join(root, ratchetPath), `${JSON.stringify(allowed, null, 2)}\n`)
  }
  console.log(describe(structure, allowed))
  if (values.list === true)
    for (const { name, found } of structure.counted)
      if (found.length > 0) console.log([`\n${name}:`, ...found].join('\n  '))
  const problems = problemsOf(structure, allowed)
  if (problems.length > 0) console.error(`\n${problems.join('\n')}`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
