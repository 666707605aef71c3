import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { projectFiles } from '../../scripts/check/files.ts'
import { importsOf } from '../../scripts/check/imports.ts'
import { fileSystemIn, staleRulesOf, violationsOf } from '../../scripts/check-imports.ts'
import { repositoryRoot } from '../support/refold.ts'

function check(files: Readonly<Record<string, string>>): string[] {
  return violationsOf(new Map(Object.entries(files)))
}

test('the project keeps its import rules', () => {
  const files = projectFiles(repositoryRoot)
  expect(violationsOf(files)).toEqual([])
  expect(staleRulesOf(files)).toEqual([])
})

test('importsOf() finds every form of import and nothing in comments and strings', () => {
  const text = `import a from './a.ts'
import type { B } from './b.ts'
import { type C } from './c.ts'
export * from './d.ts'
export type { E } from './e.ts'
import './f.ts'
let g: import('./g.ts').G
const h = () => import('./h.ts')
// import './comment.ts'
const text = "import './string.ts'" + \`import './template.ts'\``
  expect(importsOf(text).map(({ specifier, typeOnly, dynamic }) => [specifier, typeOnly, dynamic])).toEqual([
    ['./a.ts', false, false],
    ['./b.ts', true, false],
    ['./c.ts', false, false],
    ['./d.ts', false, false],
    ['./e.ts', true, false],
    ['./f.ts', false, false],
    ['./g.ts', true, true],
    ['./h.ts', false, true],
  ])
})

test('an import of a type counts for the layers', () => {
  expect(check({ 'src/model/a.ts': "import type { P } from '../plan/p.ts'", 'src/plan/p.ts': '' })).toEqual([
    'src/model/a.ts:1: imports ../plan/p.ts, but model may import only itself',
  ])
})

test('an import when it is reached counts for the layers', () => {
  expect(check({ 'src/map/a.ts': "\nawait import('../cli/c.ts')", 'src/cli/c.ts': '' })).toEqual([
    expect.stringContaining('src/map/a.ts:2: imports ../cli/c.ts, but map may import only'),
  ])
})

test('a circle is found, one that only types make is not', () => {
  const a = "import { b } from './b.ts'"
  expect(check({ 'src/model/a.ts': a, 'src/model/b.ts': "import { a } from './a.ts'" })).toEqual([
    'src/model/a.ts: imports itself: src/model/a.ts → src/model/b.ts → src/model/a.ts',
    'src/model/b.ts: imports itself: src/model/b.ts → src/model/a.ts → src/model/b.ts',
  ])
  expect(check({ 'src/model/a.ts': a, 'src/model/b.ts': "import type { A } from './a.ts'" })).toEqual([])
})

test('a package is known where the table says', () => {
  expect(check({ 'src/parquet/a.ts': "import 'hyparquet/src/plan.js'" })).toEqual([])
  expect(check({ 'src/map/a.ts': "import type { X } from 'hyparquet'" })).toEqual([
    'src/map/a.ts:1: imports hyparquet, but only src/parquet/, src/bench/contenders/hyparquet.ts may know hyparquet',
  ])
  expect(check({ 'src/workers/other.ts': "import 'piscina'" })[0]).toContain(
    'only src/workers/pool.ts, src/workers/entry.ts may know piscina',
  )
  expect(check({ 'src/cli/a.ts': "import '@scope/unheard-of/deep'" })[0]).toContain('@scope/unheard-of has no entry')
})

test('files are used through the storage, but in the places that say why', () => {
  const refused = 'but what it reads and writes goes through a storage that it is handed'
  for (const specifier of ['node:fs', 'node:fs/promises']) {
    expect(check({ 'src/plan/a.ts': `import { statSync } from '${specifier}'` })[0]).toContain(refused)
    expect(check({ 'src/plan/a.ts': `import type { Stats } from '${specifier}'` })[0]).toContain(refused)
    expect(check({ 'src/plan/a.ts': `await import('${specifier}')` })[0]).toContain(refused)
    expect(check({ 'src/storage/a.ts': `import '${specifier}'`, 'jobs/j.ts': `import '${specifier}'` })).toEqual([])
  }
  expect(check({ 'src/cli/a.ts': "import 'fs'" })[0]).toContain('fs has no entry')
  const using = [...projectFiles(repositoryRoot)].flatMap(([path, text]) =>
    importsOf(text).some(({ specifier }) => specifier.startsWith('node:fs')) ? [path] : [],
  )
  for (const place of Object.keys(fileSystemIn)) {
    expect(using.some((path) => path === place || (place.endsWith('/') && path.startsWith(place)))).toBe(true)
  }
})

test('the disk is chosen by what a program calls, and handed to the rest', () => {
  const files = { 'src/storage/disk.ts': '', 'src/commit/a.ts': "import { disk } from '../storage/disk.ts'" }
  expect(check(files)).toEqual([
    'src/commit/a.ts:1: imports ../storage/disk.ts, but it is handed a storage (src/storage/store.ts) by its caller',
  ])
  const { 'src/storage/disk.ts': disk } = files
  expect(check({ 'src/storage/disk.ts': disk, 'src/cli/a.ts': files['src/commit/a.ts'] })).toEqual([])
})

test('src reaches neither tests nor jobs, and a job is written as a user would', () => {
  expect(check({ 'src/cli/a.ts': "import '../../test/support/x.ts'" })[0]).toContain('there is no test/support/x.ts')
  expect(check({ 'src/cli/a.ts': "import '../../jobs/j.ts'", 'jobs/j.ts': '' })[0]).toContain('nothing outside src')
  expect(check({ 'jobs/j.ts': "import 'refold'\nimport 'node:path'" })).toEqual([])
  expect(check({ 'jobs/j.ts': "import '../src/index.ts'", 'src/index.ts': '' })[0]).toContain("a job imports 'refold'")
})

test('what a job file imports is loaded without the engine and without what reads views', () => {
  const files = projectFiles(repositoryRoot)
  const loaded = new Set<string>()
  const load = (path: string): void => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const { specifier, typeOnly, dynamic } of importsOf(files.get(path)!)) {
      if (!typeOnly && !dynamic && specifier.startsWith('.')) load(posix.join(posix.dirname(path), specifier))
    }
  }
  load('src/index.ts')
  expect([...loaded].filter((path) => !path.startsWith('src/model/')).sort()).toEqual([
    ...['src/engine.ts', 'src/index.ts', 'src/inspect/door.ts', 'src/read/door.ts'],
    // What handlers call; rules of zones are loaded where one is asked.
    ...['calendar', 'duration', 'moment-clock', 'of-moment', 'zone'].map((name) => `src/time/${name}.ts`),
    'src/trace/door.ts',
  ])
})

test('the demonstration uses of Refold what any program can', () => {
  const paths = ['demo.ts', 'demo/rows.ts', 'demo/series.ts', 'demo/text.ts'].map((name) => `scripts/${name}`)
  const imported = paths.flatMap((path) =>
    importsOf(readFileSync(join(repositoryRoot, path), 'utf8'))
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => posix.join(posix.dirname(path), specifier)),
  )
  expect(new Set(imported.filter((path) => path.startsWith('src/')))).toEqual(new Set(['src/index.ts']))
})

test('scripts and tests import what they test, and nobody imports a test', () => {
  const files = { 'src/map/a.ts': '', 'test/a.test.ts': '', 'test/support/b.ts': '' }
  const free = "import 'vitest'\nimport './support/b.ts'\nimport '../src/map/a.ts'\nimport '../scripts/s.ts'"
  expect(check({ ...files, 'scripts/s.ts': "import '../src/map/a.ts'", 'test/c.test.ts': free })).toEqual([])
  expect(check({ ...files, 'scripts/s.ts': "import '../test/support/b.ts'" })[0]).toContain('scripts may import only')
  expect(check({ ...files, 'test/c.test.ts': "import './a.test.ts'" })[0]).toContain('in a file that is no test')
  expect(check({ ...files, 'test/c.test.ts': "import './support/gone.ts'" })[0]).toContain('there is no test/support')
})

test('a rule about what is gone is found, and so is an area without a rule', () => {
  const stale = staleRulesOf(new Map(Object.entries({ 'src/model/a.ts': '', 'src/attic/b.ts': '' })))
  expect(stale).toContain('scripts/check-imports.ts: mayImport has no entry for attic')
  expect(stale).toContain('scripts/check-imports.ts: mayImport has an entry for storage, but there is no src/storage')
  expect(stale).toContain('scripts/check-imports.ts: job may import time, but there is no src/time')
  expect(stale).toContain('scripts/check-imports.ts: acorn is known in src/job/, but there is none')
})
