import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../src/workers/pool.ts'
import { isBuiltFrom, ownModules } from '../../src/workers/thread-modules.ts'
import { scratch } from '../support/logs.ts'

describe('a bundle is of the sources', () => {
  let folder: ReturnType<typeof scratch>
  let sources: string
  let bundle: string

  beforeEach(() => {
    folder = scratch('thread-modules')
    sources = join(folder.path, 'src')
    bundle = join(folder.path, 'threads')
    mkdirSync(join(sources, 'map'), { recursive: true })
    mkdirSync(bundle)
    const paths = ['index.ts', 'map/all.ts']
    for (const path of paths) writeFileSync(join(sources, path), `// ${path}\n`)
    const lines = paths.map((path) => {
      const { size, mtimeMs } = statSync(join(sources, path))
      return `${path} ${size} ${mtimeMs}`
    })
    writeFileSync(join(bundle, 'sources.json'), JSON.stringify(lines))
  })

  afterEach(() => folder.remove())

  const isCurrent = () => isBuiltFrom(sources, bundle)

  test('while they are as they were', () => {
    expect(isCurrent()).toBe(true)
  })

  test.each([
    ['was written again', () => utimesSync(join(sources, 'index.ts'), 1, 1)],
    ['has another length', () => writeFileSync(join(sources, 'index.ts'), '')],
    ['is gone', () => rmSync(join(sources, 'map/all.ts'))],
    ['is new', () => writeFileSync(join(sources, 'map/new.ts'), '')],
  ])('and no longer when one %s', (_, change) => {
    change()
    expect(isCurrent()).toBe(false)
  })

  test('and not where nothing was built', () => {
    rmSync(bundle, { recursive: true })
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
