import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cyclesOf } from '../../scripts/check/cycles.ts'
import { staleEntries } from '../../scripts/check/entries.ts'
import { exportsOf } from '../../scripts/check/exports.ts'
import { projectFiles } from '../../scripts/check/files.ts'
import { lowered, ratchetProblems } from '../../scripts/check/ratchet.ts'
import { roomProblems, roomsOf, stalePaths } from '../../scripts/check/rooms.ts'
import { piecesOf } from '../../scripts/check/sizes.ts'
import {
  describe as describeStructure,
  problemsOf,
  readAllowed,
  type Structure,
  structureOf,
} from '../../scripts/check-structure.ts'
import { repositoryRoot } from '../support/refold.ts'

type Texts = Readonly<Record<string, string>>

const filesOf = (texts: Texts) => new Map(Object.entries(texts))

function structure(texts: Texts, architecture = ''): Structure {
  return structureOf(filesOf(texts), architecture)
}

/** What breaks the rule whose name begins with `name`. */
function found(texts: Texts, name: string, architecture?: string): readonly string[] {
  const { strict, counted } = structure(texts, architecture)
  return [...strict, ...counted].find((rule) => rule.name.startsWith(name))!.found
}

const lines = (count: number, text = '') => `${text}\n`.repeat(count)

test('the project keeps its structure, within what its ratchet allows', () => {
  const architecture = readFileSync(join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8')
  const project = structureOf(projectFiles(repositoryRoot), architecture)
  expect(problemsOf(project, readAllowed(repositoryRoot))).toEqual([])
})

describe('cycles', () => {
  test('one that a type, a lazy import or a type of an import makes is found', () => {
    for (const back of [
      "import type { A } from './a.ts'",
      "const a = () => import('./a.ts')",
      "let a: import('./a.ts').A",
    ]) {
      expect(found({ 'src/x/a.ts': "\nimport { b } from './b.ts'", 'src/x/b.ts': back }, 'files in import')).toEqual([
        'src/x/a.ts:2 → src/x/b.ts → src/x/a.ts',
        'src/x/b.ts:1 → src/x/a.ts → src/x/b.ts',
      ])
    }
  })

  test('every file of a knot counts once, with its shortest way around; who only imports the knot does not', () => {
    const links = new Map([
      ['outside', ['a']],
      ['a', ['b', 'c']],
      ['b', ['a']],
      ['c', ['d']],
      ['d', ['a', 'leaf']],
    ])
    expect(cyclesOf(links)).toEqual([
      ['a', 'b', 'a'],
      ['b', 'a', 'b'],
      ['c', 'd', 'a', 'c'],
      ['d', 'a', 'c', 'd'],
    ])
    expect(cyclesOf(new Map([['self', ['self']]]))).toEqual([['self', 'self']])
  })
})

describe('sizes', () => {
  const body = (count: number, text?: string) => `{\n${lines(count - 2, text)}}`

  test('functions of every form are measured from their first line to their last', () => {
    const text = `function declared() ${body(71)}
const arrow = () => ${body(72)}
class Box { method() ${body(73)} #hidden() ${body(74)} constructor() ${body(75)} field = () => ${body(76)} }
const object = { property() ${body(77)} }
run(() => ${body(78)})
function short() ${body(70)}`
    expect(found({ 'src/x/a.ts': text }, 'functions over 70').map((one) => one.split(' ').slice(1).join(' '))).toEqual([
      '[given to run], 78 lines',
      'property, 77 lines',
      'Box.field, 76 lines',
      'Box.constructor, 75 lines',
      'Box.#hidden, 74 lines',
      'Box.method, 73 lines',
      'arrow, 72 lines',
      'declared, 71 lines',
    ])
  })

  test('lines of generated code and of nested functions count, and a nested function is one of its own', () => {
    const generated = `const source = () => \`\n${lines(70, 'x')}\``
    expect(found({ 'src/x/a.ts': generated }, 'functions over 70')).toEqual(['src/x/a.ts:1 source, 72 lines'])
    const nested = `\nfunction outer() {\n  function inner() ${body(80)}\n}`
    expect(found({ 'src/x/a.ts': nested }, 'functions over 70')).toEqual([
      'src/x/a.ts:2 outer, 82 lines',
      'src/x/a.ts:3 inner, 80 lines',
    ])
  })

  test('parameters are counted, those that declare a field and the rest too, but not `this`', () => {
    const text = `function six(this: Box, a, b, c, { d }, e = 1, ...f) {}
class Box { constructor(private a, b, c, d, e, f) {} five(a, b, c, d, e) {} }
type Six = (a: 1, b: 1, c: 1, d: 1, e: 1, f: 1) => void`
    expect(found({ 'src/x/a.ts': text }, 'functions with over 5')).toEqual([
      'src/x/a.ts:1 six, 6 parameters',
      'src/x/a.ts:2 Box.constructor, 6 parameters',
    ])
  })

  test('tests are not measured', () => {
    expect(found({ 'test/x/a.ts': `function long(a, b, c, d, e, f) ${body(99)}` }, 'functions over 70')).toEqual([])
  })

  test('a class of 201 lines breaks the rule where classes are to be short, and nowhere else', () => {
    const long = `export class Long ${body(201)}`
    const short = `class Short ${body(200)}`
    const texts = { 'src/map/a.ts': long, 'src/map/b.ts': short, 'src/reduce/c.ts': long, 'src/time/d.ts': long }
    expect(found(texts, 'classes over 200')).toEqual([
      'src/map/a.ts:1 Long, 201 lines',
      'src/reduce/c.ts:1 Long, 201 lines',
    ])
    expect(structure({ ...texts, 'src/time/e.ts': `class Longest ${body(300)}` }).longestClass).toMatchObject({
      name: 'Longest',
      lines: 300,
    })
  })

  test('a file of plan has at most 250 lines', () => {
    const texts = { 'src/plan/a.ts': lines(250), 'src/plan/b.ts': lines(251), 'src/map/c.ts': lines(999) }
    expect(found(texts, 'files over 250')).toEqual(['src/plan/b.ts:1 251 lines'])
  })

  test('places are right after text outside ASCII', () => {
    expect(piecesOf(filesOf({ 'src/a.ts': "const é = '→𝄞'\n// ü\nfunction f() {}" }))).toMatchObject([
      { line: 3, lines: 1 },
    ])
  })
})

describe('exports', () => {
  test('all forms are found', () => {
    const text = `export const a = 1, { b, c: [d], ...e } = x
export function f(): void
export function f(n?: number): void {}
export class G {}
export interface H {}
export type I = H
export { x as j, y }
export * as k from './k.ts'
export default 1`
    expect(exportsOf('src/a.ts', text).map(({ name }) => name)).toEqual([
      ...['a', 'b', 'd', 'e', 'f', 'G', 'H', 'I', 'j', 'y', 'k', 'default'],
    ])
  })

  const exported = 'export const a = 1\nexport const b = a\nexport default b'
  const unused = (importer: string, from = 'src/x/b.ts') =>
    found({ 'src/x/a.ts': exported, [from]: importer }, 'exports that no')
  const [a, b, byDefault] = ['src/x/a.ts:1 a', 'src/x/a.ts:2 b', 'src/x/a.ts:3 default']

  test('one that no import names is unused, also where its own file uses it', () => {
    expect(unused('')).toEqual([a, b, byDefault])
    expect(unused("import { a as other } from './a.ts'")).toEqual([b, byDefault])
    expect(unused("import standard from './a.ts'")).toEqual([a, b])
    expect(unused("import './a.ts'")).toEqual([a, b, byDefault])
  })

  test('every way of importing uses what it names', () => {
    expect(unused("import * as all from './a.ts'")).toEqual([])
    expect(unused("(await import('./a.ts')).a")).toEqual([b, byDefault])
    expect(unused("const { b } = await import('./a.ts')")).toEqual([a, byDefault])
    const several = "const [{ join }, { b, default: d }] = await Promise.all([import('node:path'), import('./a.ts')])"
    expect(unused(several)).toEqual([a])
    expect(unused("import('./a.ts').then(print)")).toEqual([])
    expect(unused("let a: typeof import('./a.ts')")).toEqual([])
    expect(unused("let a: import('./a.ts').a.x")).toEqual([b, byDefault])
  })

  test('scripts use exports; tests do not, and what only they import is counted by itself', () => {
    const importer = "import { a } from '../src/x/a.ts'"
    expect(unused(importer, 'scripts/s.ts')).toEqual([b, byDefault])
    const texts = { 'src/x/a.ts': exported, 'test/a.test.ts': importer }
    expect(found(texts, 'exports that no')).toEqual([b, byDefault])
    expect(found(texts, 'exports that only tests')).toEqual([a])
  })

  test('a type that another export is declared with is used, one that only a body names is not', () => {
    const text = `export interface Options {}
export type Inner = 1
export interface Alone { next: Alone }
export function run(options: Options) { let x: Inner }`
    const texts = { 'src/x/a.ts': text, 'src/x/b.ts': "import { run } from './a.ts'" }
    expect(found(texts, 'exports that no')).toEqual(['src/x/a.ts:2 Inner', 'src/x/a.ts:3 Alone'])
  })

  test('the public door is used from outside', () => {
    expect(found({ 'src/index.ts': exported }, 'exports that no')).toEqual([])
  })

  test('an entry of what is gone is stale', () => {
    const entry = (path: string, name: string) => [{ path, names: [name], reason: '' }]
    const files = filesOf({ 'src/x/a.ts': exported })
    expect(staleEntries(files, entry('src/x/', 'a'))).toEqual([])
    expect(staleEntries(files, entry('src/x/a.ts', 'gone'))).toEqual([expect.stringContaining('its export gone')])
    expect(staleEntries(files, entry('src/y/', '*'))).toEqual([expect.stringContaining('there is no such file')])
  })
})

test('a file is reached by imports and by texts with its path, from commands, scripts and the public door', () => {
  const texts = {
    'bin/refold.js': "await import(new URL('../src/cli/main.ts', import.meta.url).href)",
    'scripts/s.ts': "import '../src/x/for-script.ts'",
    'src/index.ts': "export { a } from './x/a.ts'",
    'src/cli/main.ts': "await import('./verb.ts')",
    'src/cli/verb.ts': "const url = isSource ? './thread.ts' : './thread.js'",
    'src/cli/thread.ts': '',
    'src/x/a.ts': '',
    'src/x/for-script.ts': '',
    'src/x/package.d.ts': '',
    'src/x/dead.ts': "import './dead-too.ts'",
    'src/x/dead-too.ts': '',
    'test/a.test.ts': "import '../src/x/dead.ts'",
  }
  expect(found(texts, 'files that nothing')).toEqual(['src/x/dead.ts', 'src/x/dead-too.ts'])
})

describe('rooms', () => {
  const table = (...cells: string[]) =>
    `# A\n\n## Rooms\n\n| folder | what |\n| --- | --- |\n${cells.map((cell) => `| ${cell} | \`x\` |\n`).join('')}\n## B\n| \`y\` |`
  const files = filesOf({
    'src/map/a.ts': 'a\nb',
    'src/map/b/c.ts': 'a\n',
    'src/plan/a.ts': '',
    'src/index.ts': '',
    'jobs/a.ts': '',
  })

  test('files and lines are counted by room', () => {
    expect(roomsOf(files)).toEqual([
      { name: 'index.ts', files: 1, lines: 0 },
      { name: 'map', files: 2, lines: 3 },
      { name: 'plan', files: 1, lines: 0 },
    ])
  })

  test('the table of ARCHITECTURE.md names all of them, once, and no others', () => {
    const rooms = roomsOf(files)
    expect(roomProblems(rooms, table('`plan`, `map`', '`index.ts`'))).toEqual([])
    expect(roomProblems(rooms, table('`plan`', '`gone`', '`plan`'))).toEqual([
      'ARCHITECTURE.md:8: names the room gone, but there is no src/gone',
      'ARCHITECTURE.md:9: names the room plan again',
      'src/index.ts: is not in the table of rooms of ARCHITECTURE.md',
      'src/map: is not in the table of rooms of ARCHITECTURE.md',
    ])
    expect(roomProblems(rooms, '# A')).toEqual([expect.stringContaining('expected a table of rooms')])
  })
})

test('paths that ARCHITECTURE.md names are those of files, of folders, or match some', () => {
  const files = filesOf({ 'src/map/all.ts': '', 'src/map/windows.ts': '' })
  const text =
    'plan  src/map\nSee `src/map/all.ts`, src/map/win*.ts.\n`src/map/al.ts` and src/ma, src/map/a*\nsrc/map/b*.ts'
  expect(stalePaths(files, text)).toEqual([
    'ARCHITECTURE.md:3: names src/map/al.ts, but there is no such file',
    'ARCHITECTURE.md:3: names src/ma, but there is no such file',
    'ARCHITECTURE.md:4: names src/map/b*.ts, but there is no such file',
  ])
})

describe('the ratchet', () => {
  const rules = [{ name: 'long things', found: ['a.ts:1 a', 'b.ts:2 b'] }]

  test('as many as allowed are no problem', () => {
    expect(ratchetProblems(rules, { 'long things': 2 })).toEqual([])
  })

  test('more are listed with their places', () => {
    expect(ratchetProblems(rules, { 'long things': 1 })).toEqual([
      'long things: expected at most 1, found 2:\n    a.ts:1 a\n    b.ts:2 b',
    ])
  })

  test('fewer have to be written down', () => {
    expect(ratchetProblems(rules, { 'long things': 3 })).toEqual([
      'long things: 2, fewer than the 3 allowed; keep it so with node scripts/check-structure.ts --lower',
    ])
  })

  test('rules and numbers belong together', () => {
    expect(ratchetProblems(rules, { 'other things': 3 })).toEqual([
      expect.stringContaining('long things: no number'),
      expect.stringContaining('other things: in scripts/check/ratchet.json, but no rule'),
    ])
  })

  test('lowering never raises a number', () => {
    expect(lowered(rules, { 'long things': 3, 'other things': 1 })).toEqual({ 'long things': 2 })
    expect(lowered(rules, { 'long things': 1 })).toEqual({ 'long things': 1 })
    expect(lowered(rules, {})).toEqual({ 'long things': 2 })
  })
})

test('what was measured is printed in columns', () => {
  const text = describeStructure(
    {
      rooms: [
        { name: 'map', files: 12, lines: 3456 },
        { name: 'plan', files: 6, lines: 78 },
      ],
      longestFunction: { kind: 'function', path: 'src/map/a.ts', line: 7, name: 'f', lines: 69, parameters: 1 },
      longestClass: undefined,
      strict: [{ name: 'dead files', found: [] }],
      counted: [{ name: 'long functions', found: ['a', 'b'] }],
    },
    { 'long functions': 10 },
  )
  expect(text).toBe(`room  files  lines
map      12   3456
plan      6     78
all      18   3534

longest function  69 lines: f, src/map/a.ts:7
longest class     none

rule            found  allowed
dead files          0        0
long functions      2       10`)
})
