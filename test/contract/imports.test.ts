import { expect, test } from 'vitest'
import { projectFiles } from '../../scripts/check/files.ts'
import { importsOf } from '../../scripts/check/imports.ts'
import { staleRulesOf, violationsOf } from '../../scripts/check-imports.ts'
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

test('src reaches neither tests nor jobs, and a job is written as a user would', () => {
  expect(check({ 'src/cli/a.ts': "import '../../test/support/x.ts'" })[0]).toContain('there is no test/support/x.ts')
  expect(check({ 'src/cli/a.ts': "import '../../jobs/j.ts'", 'jobs/j.ts': '' })[0]).toContain('nothing outside src')
  expect(check({ 'jobs/j.ts': "import 'refold'\nimport 'node:path'" })).toEqual([])
  expect(check({ 'jobs/j.ts': "import '../src/index.ts'", 'src/index.ts': '' })[0]).toContain("a job imports 'refold'")
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
