import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { discard, publish, stage } from '../../src/commit/commit.ts'
import { OutputError } from '../../src/model/errors.ts'
import { disk } from '../../src/storage/disk.ts'
import { findCurrent, listGenerations, namesIn } from '../../src/storage/generations.ts'
import { type FaultyFiles, faults, faultyFiles, Killed } from '../support/faulty-files.ts'
import { build, readAllWhole, readWhole, writeParts } from '../support/sample-generations.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-faults-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What a rebuild does, with what it does when something goes wrong. */
function rebuildOn(files: FaultyFiles, out: string, contents: string): unknown {
  const staged = stage(out, 'balances', files)
  try {
    return publish(staged, writeParts(staged, contents, files), {}, files)
  } catch (error) {
    try {
      discard(staged, files)
    } catch (second) {
      if (!(second instanceof Killed)) throw second
    }
    throw error
  }
}

describe.each(faults)('%s, at every mutation in turn', (fault) => {
  test.each([
    ['over an older generation', ['old']],
    ['over the same generation', ['old', 'new']],
    ['for the first time', []],
  ])('publishing %s leaves the old generation or the new one, whole', (_, before) => {
    let at = 0
    for (; ; at++) {
      const out = join(folder, `${at}`)
      for (const contents of before) build(out, 'balances', contents)
      const published = findCurrent(out, 'balances')
      const all = readAllWhole(out, 'balances')
      const files = faultyFiles(at, fault)
      let error: unknown
      try {
        rebuildOn(files, out, 'new')
      } catch (thrown) {
        error = thrown
      }
      if (!files.triggered) break
      // A reservation that can't be given back hinders nobody.
      const isHarmless = fault === 'no space' && files.mutations[at]!.startsWith('remove _number')
      if (isHarmless) expect(error).toBeUndefined()
      else expect(error).toBeInstanceOf(fault === 'no space' ? OutputError : Killed)
      if (fault === 'no space' && !isHarmless)
        expect((error as Error).message).toMatch(/^Cannot .*: no space left on the disk\.$/)

      const current = findCurrent(out, 'balances')
      if (current?.generation !== published?.generation)
        expect(readWhole(out, 'balances', current!.generation)).toBe('new')
      const after = readAllWhole(out, 'balances')
      for (const [name, contents] of all) expect(after.get(name)).toBe(contents)

      // What the fault left behind is in nobody's way.
      build(out, 'balances', 'new')
      expect(readWhole(out, 'balances', findCurrent(out, 'balances')!.generation)).toBe('new')
      for (const [name, contents] of all) expect(readAllWhole(out, 'balances').get(name)).toBe(contents)
    }
    expect(at).toBeGreaterThan(5)
  })
})

test('a failed publication leaves nothing in the making behind', () => {
  build(folder, 'balances', 'old')
  for (let at = 0; ; at++) {
    const files = faultyFiles(at, 'no space')
    try {
      rebuildOn(files, folder, `new ${at}`)
    } catch {
      // The error is the subject of the tests above.
    }
    if (!files.triggered) break
    // Only what removes can itself leave something.
    if (!files.mutations.at(-1)!.startsWith('remove') || at < files.mutations.length - 1) {
      expect(namesIn(join(folder, 'balances'), disk).filter((name) => /^_(staging|current)-/.test(name))).toEqual([])
    }
  }
  expect(listGenerations(folder, 'balances').length).toBeGreaterThan(1)
})

test('everything is flushed before the step that makes it visible', () => {
  build(folder, 'balances', 'old')
  const files = faultyFiles(-1, 'no space')
  rebuildOn(files, folder, 'new')
  const steps = files.mutations.map((mutation) =>
    mutation.replace(/00000(\d)-[0-9a-f]{12}/, '00000$1').replace(folder.split('/').at(-1)!, 'views'),
  )
  expect(steps).toEqual([
    'make folder _staging-…',
    'write part-00000.parquet',
    'write part-00001.parquet',
    'make folder _exceptions',
    'write part-00000.parquet',
    'write _run.json',
    'create _number-000002',
    'write _manifest.json',
    'sync _exceptions',
    'sync _staging-…',
    'rename _staging-… 000002',
    'sync balances',
    'sync views',
    'remove _number-000002',
    'write _current-…',
    'rename _current-… _current.json',
    'sync balances',
  ])
})
