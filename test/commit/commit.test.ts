import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { discard, install, makeCurrent, publish, stage, switchAll, withdraw } from '../../src/commit/commit.ts'
import { OutputError } from '../../src/model/errors.ts'
import { manifestColumn } from '../../src/model/manifest.ts'
import { decimal, nullable, timestamp } from '../../src/model/types.ts'
import { disk } from '../../src/storage/disk.ts'
import {
  currentPath,
  findCurrent,
  generationFolder,
  listGenerations,
  manifestPath,
  readManifest,
} from '../../src/storage/generations.ts'
import { digestOf } from '../../src/storage/manifest-file.ts'
import { bodyOf, build, readWhole, writeParts } from '../support/sample-generations.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'refold-commit-'))
})
afterEach(() => rmSync(out, { recursive: true, force: true }))

test('publish() numbers generations and names them by their digest', () => {
  const first = build(out, 'balances', 'one')
  const second = build(out, 'balances', 'two')
  expect(first).toMatchObject({ outcome: 'published', generation: `000001-${first.digest.slice(0, 12)}` })
  expect(second).toMatchObject({ outcome: 'published', generation: `000002-${second.digest.slice(0, 12)}` })
  expect(second.path).toBe(generationFolder(out, 'balances', second.generation))
  expect(findCurrent(out, 'balances')).toEqual({ generation: second.generation, digest: second.digest })
  expect(readManifest(out, 'balances', second.generation)).toMatchObject({ previous: first.generation, format: 1 })
  expect(readManifest(out, 'balances', first.generation).previous).toBeNull()
  expect(readWhole(out, 'balances', first.generation)).toBe('one')
  expect(readWhole(out, 'balances', second.generation)).toBe('two')
})

test('publish() of what is current already changes nothing and clears the staging away', () => {
  const first = build(out, 'balances', 'one')
  expect(build(out, 'balances', 'one')).toEqual({ ...first, outcome: 'unchanged' })
  expect(readdirSync(join(out, 'balances')).sort()).toEqual([first.generation, '_current.json'])
})

test('publish() of what was current before makes a new generation of it', () => {
  const first = build(out, 'balances', 'one')
  build(out, 'balances', 'two')
  const third = build(out, 'balances', 'one')
  expect(third.outcome).toBe('published')
  expect(third.digest).toBe(first.digest)
  expect(third.generation.slice(0, 6)).toBe('000003')
})

test('publish() counts from the highest generation, also after one was made current again', () => {
  const first = build(out, 'balances', 'one')
  build(out, 'balances', 'two')
  makeCurrent(out, 'balances', first, disk)
  expect(findCurrent(out, 'balances')?.generation).toBe(first.generation)
  expect(build(out, 'balances', 'one').outcome).toBe('unchanged')
  const third = build(out, 'balances', 'three')
  expect(third.generation.slice(0, 6)).toBe('000003')
  expect(readManifest(out, 'balances', third.generation).previous).toBe(first.generation)
})

test('publish() publishes anew where the current generation lost a file or its manifest', () => {
  const first = build(out, 'balances', 'one')
  rmSync(join(first.path, 'part-00001.parquet'))
  const second = build(out, 'balances', 'one')
  expect(second.outcome).toBe('published')
  writeFileSync(manifestPath(second.path), '{')
  const third = build(out, 'balances', 'one')
  expect(third.outcome).toBe('published')
  expect(readWhole(out, 'balances', third.generation)).toBe('one')
})

test('publish() publishes anew where a file of the current generation was cut short', () => {
  const first = build(out, 'balances', 'one')
  for (const name of ['part-00000.parquet', '_exceptions/part-00000.parquet']) {
    truncateSync(join(findPath(), name), 2)
    expect(build(out, 'balances', 'one')).toMatchObject({ outcome: 'published', digest: first.digest })
    expect(readWhole(out, 'balances', findCurrent(out, 'balances')!.generation)).toBe('one')
  }
  function findPath(): string {
    return generationFolder(out, 'balances', findCurrent(out, 'balances')!.generation)
  }
})

test.each(['', '{}', 'null', '{"generation":'])('publish() mends a _current.json that says %j', (text) => {
  build(out, 'balances', 'one')
  writeFileSync(currentPath(out, 'balances'), text)
  expect(() => findCurrent(out, 'balances')).toThrow('Rebuild the view')
  const second = build(out, 'balances', 'one')
  expect(second).toMatchObject({ outcome: 'published', generation: `000002-${second.digest.slice(0, 12)}` })
  expect(findCurrent(out, 'balances')?.generation).toBe(second.generation)
})

test('switchAll() says which views were switched where one could not be, and leaves nothing of the others', () => {
  const installed = ['a', 'b', 'c'].map((view) => {
    const staged = stage(out, view, disk)
    return install(staged, writeParts(staged, 'one'), {}, disk)
  })
  // A folder in the place of the file can't be replaced by one.
  mkdirSync(join(currentPath(out, 'b'), 'x'), { recursive: true })
  expect(() => switchAll(installed, disk)).toThrow(/_current\.json.* Published were: a\. Not published were: b, c\./)
  expect(readWhole(out, 'a', findCurrent(out, 'a')!.generation)).toBe('one')
  for (const { staged } of installed) discard(staged, disk)
  expect(listGenerations(out, 'c')).toEqual([])
  expect(readdirSync(join(out, 'c'))).toEqual([])
})

test('withdraw() takes what was installed back to staging, and leaves what is current already', () => {
  const staged = stage(out, 'balances', disk)
  withdraw(install(staged, writeParts(staged, 'one'), {}, disk), disk)
  expect(listGenerations(out, 'balances')).toEqual([])
  discard(staged, disk)
  expect(readdirSync(join(out, 'balances'))).toEqual([])
  const first = build(out, 'balances', 'one')
  const again = stage(out, 'balances', disk)
  withdraw(install(again, writeParts(again, 'one'), {}, disk), disk)
  expect(readWhole(out, 'balances', first.generation)).toBe('one')
})

test('publish() takes the next number where another process was faster', () => {
  const staged = stage(out, 'balances', disk)
  const body = writeParts(staged, 'one')
  const digest = digestOf(body)
  const files = {
    ...disk,
    // The other process publishes between the look and the move.
    list: (path: string) => {
      const names = disk.list(path)
      const rival = join(out, 'balances', `000001-${digest.slice(0, 12)}`)
      if (!disk.exists(rival)) {
        mkdirSync(rival)
        writeFileSync(join(rival, '_manifest.json'), 'of the rival')
      }
      return names
    },
  }
  const published = publish(staged, body, {}, files)
  expect(published.generation).toBe(`000002-${digest.slice(0, 12)}`)
  expect(readWhole(out, 'balances', published.generation)).toBe('one')
  expect(disk.readText(join(out, 'balances', `000001-${digest.slice(0, 12)}`, '_manifest.json'))).toBe('of the rival')
})

test('publish() gives no number twice where another process publishes just before the move', () => {
  const staged = stage(out, 'balances', disk)
  const rival = {
    ...disk,
    rename: (from: string, to: string) => {
      if (listGenerations(out, 'balances').length === 0) build(out, 'balances', 'of the rival')
      disk.rename(from, to)
    },
  }
  publish(staged, writeParts(staged, 'one'), {}, rival)
  expect(listGenerations(out, 'balances').map((name) => name.slice(0, 6))).toEqual(['000001', '000002'])
  expect(readdirSync(join(out, 'balances')).filter((name) => name.startsWith('_number'))).toEqual([])
})

test("a number that a killed process reserved is in nobody's way", () => {
  mkdirSync(join(out, 'balances'))
  writeFileSync(join(out, 'balances/_number-000001'), '')
  expect(build(out, 'balances', 'one').generation.slice(0, 6)).toBe('000002')
  build(out, 'balances', 'two')
  expect(readdirSync(join(out, 'balances')).filter((name) => name.startsWith('_number'))).toEqual([])
})

test('the digest depends on what was built, and not on where the events lay or what stands in _run.json', () => {
  const part = { name: 'part-00000.parquet', rows: 1, bytes: 3, sha256: 'cd' }
  const body = bodyOf('balances', 'one', [part])
  const window = {
    column: 'day',
    every: 'day',
    zone: 'UTC',
    allowedLateness: '7 days',
    late: 'apply',
    watermark: '2021-05-22T00:00:00.000000Z',
    recordsDays: false,
    recordsWholeDays: false,
  } as const
  const digest = digestOf(body)
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(digestOf({ ...body, inputs: [], progress: [] })).toBe(digest)
  expect(digestOf(Object.fromEntries(Object.entries(body).reverse()) as unknown as typeof body)).toBe(digest)
  const others = [
    { ...body, fingerprint: 'x' },
    { ...body, view: 'x' },
    { ...body, options: { ...body.options, knownAt: '2021-01-01T00:00:00Z' } },
    { ...body, options: { ...body.options, vintages: 'day' as const } },
    { ...body, window: { ...window, watermark: null } },
    { ...body, window },
    { ...body, triangle: [part] },
    { ...body, rows: 2 },
    { ...body, keys: 2 },
    { ...body, counters: { ...body.counters, late: 1 } },
    { ...body, files: [{ ...part, sha256: 'ce' }] },
    { ...body, exceptions: [part] },
    { ...body, key: [] },
    { ...body, columns: [manifestColumn('balance', decimal(12, 3))] },
  ].map(digestOf)
  expect(new Set([digest, ...others]).size).toBe(others.length + 1)
})

test('manifestColumn() keeps what a reader must know of a type', () => {
  expect(manifestColumn('at', nullable(timestamp('ms')))).toEqual({
    name: 'at',
    type: 'timestamp',
    nullable: true,
    unit: 'ms',
  })
  expect(manifestColumn('price', decimal(9, 2, undefined, { initial: 5 }))).toEqual({
    name: 'price',
    type: 'decimal',
    nullable: false,
    precision: 9,
    scale: 2,
  })
})

test('stage() clears away what dead processes of this host left, and nothing else', () => {
  const mine = stage(out, 'balances', disk)
  const [, host] = /_staging-([0-9a-f]{8})-/.exec(mine.folder)!
  const folder = join(out, 'balances')
  // No process has a number this high.
  for (const name of [`_staging-${host}-99999999-0123abcd`, `_current-${host}-99999999-0123abcd`])
    mkdirSync(join(folder, name))
  for (const name of ['_staging-00000000-99999999-0123abcd', '_staging-mine', 'notes']) mkdirSync(join(folder, name))
  const second = stage(out, 'balances', disk)
  expect(
    readdirSync(folder)
      .map((name) => join(folder, name))
      .sort(),
  ).toEqual(
    [
      mine.folder,
      second.folder,
      ...['_staging-00000000-99999999-0123abcd', '_staging-mine', 'notes'].map((name) => join(folder, name)),
    ].sort(),
  )
  discard(mine, disk)
  discard(mine, disk)
  expect(disk.exists(mine.folder)).toBe(false)
})

test('generations are listed by number, also beyond six digits', () => {
  for (const name of ['1000000-0123456789ab', '999999-0123456789ab', '000002-0123456789ab', '_x', 'part-1', '3-ab']) {
    mkdirSync(join(out, 'balances', name), { recursive: true })
  }
  expect(listGenerations(out, 'balances')).toEqual([
    '000002-0123456789ab',
    '999999-0123456789ab',
    '1000000-0123456789ab',
  ])
})

test('a folder that can not be written is told with its path', () => {
  writeFileSync(join(out, 'balances'), 'a file stands here')
  expect(() => stage(out, 'balances', disk)).toThrow(OutputError)
  expect(() => stage(out, 'balances', disk)).toThrow(/balances/)
})
