import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../src/workers/pool.ts'
import { describeSources, isBuiltFrom, ownModules } from '../../src/workers/thread-modules.ts'
import { scratch } from '../support/logs.ts'

describe('a bundle is of the sources', () => {
  let folder: ReturnType<typeof scratch>
  let clone: string
  let bundle: string
  let note: string

  beforeEach(() => {
    folder = scratch('thread-modules')
    clone = join(folder.path, 'clone')
    bundle = join(folder.path, 'threads')
    note = join(bundle, 'built-from.json')
    for (const path of ['src/map', 'scripts', '../threads']) mkdirSync(join(clone, path), { recursive: true })
    const others = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.js']
    for (const path of ['src/index.ts', 'src/map/all.ts', ...others]) writeFileSync(join(clone, path), `// ${path}\n`)
    writeFileSync(join(bundle, 'entry.js'), '// entry')
    writeFileSync(note, JSON.stringify({ sources: describeSources(clone), files: ['entry.js 8'] }))
  })

  afterEach(() => folder.remove())

  const isCurrent = () => isBuiltFrom(clone, bundle)

  test('while all is as it was, whatever else lies beside the sources', () => {
    writeFileSync(join(clone, 'src/.all.ts.swp'), '')
    expect(isCurrent()).toBe(true)
  })

  test.each([
    ['a source was written again', () => utimesSync(join(clone, 'src/index.ts'), 1, 1)],
    ['a source has another length', () => writeFileSync(join(clone, 'src/index.ts'), '')],
    ['a source is gone', () => rmSync(join(clone, 'src/map/all.ts'))],
    ['a source is new', () => writeFileSync(join(clone, 'src/map/new.ts'), '')],
    ['a package has another version', () => writeFileSync(join(clone, 'package-lock.json'), '{}')],
    ['a file of the bundle is gone', () => rmSync(join(bundle, 'entry.js'))],
    ['a file of the bundle is cut off', () => writeFileSync(join(bundle, 'entry.js'), '//')],
    ['nothing is noted', () => rmSync(note)],
    ['the note is empty', () => writeFileSync(note, '')],
    ['the note is cut off', () => writeFileSync(note, '{"sources":["src/index')],
    ['the note is of another kind', () => writeFileSync(note, '{}')],
  ])('and not when %s', (_, change) => {
    change()
    expect(isCurrent()).toBe(false)
  })
})

test("what a job imports as Refold is the thread's own", async () => {
  const support = (name: string) => new URL(`../support/${name}`, import.meta.url).href
  const redirected = { ...ownModules, tasks: support('import-tasks.ts'), refold: support('other-refold.ts') }
  const pool = createPool({ workers: 1, modules: redirected, setup: ownModules.refold })
  try {
    expect(await pool.run({ kind: 'import' })).toBe('other')
  } finally {
    await pool.close()
  }
})
