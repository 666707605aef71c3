import { once } from 'node:events'
import { type PathLike, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'
import type { Race } from '../support/racing-writer.ts'

/** What the system answers to a link instead of making it. */
let refusal: string | undefined
vi.mock(import('node:fs'), async (importOriginal) => {
  const fs = await importOriginal()
  const linkSync = (from: PathLike, to: PathLike) => {
    if (refusal === undefined) return fs.linkSync(from, to)
    throw Object.assign(new Error(`${refusal}: link`), { code: refusal, syscall: 'link' })
  }
  return { ...fs, linkSync }
})

test('a file that was closed is not read, though its number may be another file’s by then', () => {
  const folder = scratch('disk')
  writeFileSync(join(folder.path, 'a'), 'first')
  writeFileSync(join(folder.path, 'b'), 'other')
  const first = disk.openForReading(join(folder.path, 'a'))
  first.close()
  const other = disk.openForReading(join(folder.path, 'b'))
  expect(() => first.read(0, 5)).toThrow('was closed before it was read')
  expect(() => first.readInto(0, new Uint8Array(5))).toThrow('was closed before it was read')
  first.close()
  expect(Buffer.from(other.read(0, 5)).toString()).toBe('other')
  other.close()
  folder.remove()
})

test('putIfAbsent() lets one of several writers at once create a file, whole', async () => {
  const folder = scratch('disk')
  const paths = Array.from({ length: 200 }, (_, round) => join(folder.path, String(round)))
  const counters = new Int32Array(new SharedArrayBuffer(12))
  const writers = ['a', 'b', 'c'].map((letter) => letter.repeat(10_000))
  counters[1] = writers.length
  const threads = writers.map(
    (contents) =>
      new Worker(new URL('../support/racing-writer.ts', import.meta.url), {
        workerData: { paths, contents, counters } satisfies Race,
      }),
  )
  await Promise.all(threads.map((thread) => once(thread, 'exit')))
  expect(counters[2]).toBe(paths.length)
  for (const path of paths) expect(writers).toContain(disk.readText(path))
  // Nothing of those that came too late.
  expect(disk.list(folder.path)).toHaveLength(paths.length)
  folder.remove()
})

test.each(['EPERM', 'ENOTSUP'])('putIfAbsent() creates a file where there are no hard links (%s)', (code) => {
  const folder = scratch('disk')
  refusal = code
  try {
    expect(disk.putIfAbsent(join(folder.path, 'a'), Buffer.from('first'))).toBe(true)
    expect(disk.putIfAbsent(join(folder.path, 'a'), Buffer.from('second'))).toBe(false)
    expect(disk.readText(join(folder.path, 'a'))).toBe('first')
    expect(disk.list(folder.path)).toHaveLength(1)
    refusal = 'EIO'
    expect(() => disk.putIfAbsent(join(folder.path, 'b'), Buffer.from('first'))).toThrow(OutputError)
    expect(disk.list(folder.path)).toHaveLength(1)
  } finally {
    refusal = undefined
    folder.remove()
  }
})

test('list() names links, which stat() follows', () => {
  const folder = scratch('disk')
  writeFileSync(join(folder.path, 'a'), 'first')
  symlinkSync('a', join(folder.path, 'b'))
  symlinkSync('none', join(folder.path, 'c'))
  expect(disk.list(folder.path).map(({ name, kind }) => [name, kind])).toEqual([
    ['a', 'file'],
    ['b', 'link'],
    ['c', 'link'],
  ])
  expect(disk.stat(join(folder.path, 'b'))).toMatchObject({ kind: 'file', bytes: 5 })
  expect(disk.exists(join(folder.path, 'c'))).toBe(false)
  expect(disk.canonicalPath(join(folder.path, 'b'))).toBe(disk.canonicalPath(join(folder.path, 'a')))
  folder.remove()
})
