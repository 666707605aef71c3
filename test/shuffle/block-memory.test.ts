import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordBatchReader } from 'apache-arrow'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import { BlockMemory, newBudget, withoutSharing } from '../../src/shuffle/block-memory.ts'
import { RunReader } from '../../src/shuffle/run-reader.ts'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-spill-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Blocks of two buckets; the n-th word of the b-th block is 1000 b + n. */
function keepBlocks(memory: BlockMemory, sizes: readonly number[]) {
  return sizes.map((size, block) => {
    const words = memory.allocate(size)
    for (let i = 0; i < size; i++) words[i] = 1000 * block + i
    const starts = Int32Array.of(0, size >> 1, size)
    return { words: memory.keep(words, starts), starts }
  })
}

test('blocks stay in memory while the budget lasts, and what is spilled reads back equal', () => {
  const memory = new BlockMemory(newBudget(3 * 4096, folder), disk, 'a')
  const blocks = keepBlocks(memory, [1000, 1001, 1500, 7, 0])
  memory.close()
  expect(blocks.map(({ words }) => words.kind)).toEqual(['memory', 'memory', 'file', 'memory', 'memory'])
  // Room for nothing to be read ahead, for a bucket, and for all of them.
  for (const roomWords of [0, 600, 4000]) {
    const reader = new RunReader(blocks, 2, roomWords, disk)
    for (const bucket of [0, 1]) {
      for (const [block, { starts }] of blocks.entries()) {
        const from = starts[bucket]!
        const length = starts[bucket + 1]! - from
        const target = new Int32Array(length + 3).fill(-1)
        const half = length >> 1
        reader.copy(block, bucket, 0, half, target, 1)
        reader.copy(block, bucket, half, length, target, 1 + half)
        expect([...target]).toEqual([-1, ...Array.from({ length }, (_, i) => 1000 * block + from + i), -1, -1])
        const sum = reader.checksum(block, target, 1, 1 + half, 0)
        reader.check(block, bucket, reader.checksum(block, target, 1 + half, 1 + length, sum))
      }
    }
    reader.close()
  }
})

test('a spill file is an Arrow stream that others read', () => {
  const memory = new BlockMemory(newBudget(0, folder), disk, 'a')
  keepBlocks(memory, [10, 3, 12])
  memory.close()
  const batches = [...RecordBatchReader.from(readFileSync(join(folder, 'a.arrows')))]
  expect(batches.map((batch) => batch.numRows)).toEqual([10, 3, 12])
  expect([...batches[1]!.getChildAt(0)!.toArray()]).toEqual([1000, 1001, 1002])
})

test('a spill file that was changed is noticed', () => {
  const memory = new BlockMemory(newBudget(0, folder), disk, 'a')
  const [block] = keepBlocks(memory, [100])
  memory.close()
  const path = join(folder, 'a.arrows')
  const bytes = readFileSync(path)
  const at = block!.words.kind === 'file' ? block!.words.byteOffset + 8 : 0
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
  const reader = new RunReader([block!], 2, 100, disk)
  const sumOf = (bucket: number) => {
    const words = new Int32Array(50)
    reader.copy(0, bucket, 0, 50, words, 0)
    return reader.checksum(0, words, 0, 50, 0)
  }
  expect(() => reader.check(0, 0, sumOf(0))).toThrow(OutputError)
  expect(() => reader.check(0, 0, sumOf(0))).toThrow(`Cannot read back what was spilled to ${path}`)
  reader.check(0, 1, sumOf(1))
  reader.close()
})

test('a file that nobody reads any more is removed, and another begun when it is needed', () => {
  const memory = new BlockMemory(newBudget(0, folder), disk, 'a')
  for (let round = 0; round < 2; round++) {
    expect(keepBlocks(memory, [5]).map(({ words }) => words.kind)).toEqual(['file'])
    expect(readdirSync(folder)).toEqual(['a.arrows'])
    memory.removeFile()
    expect(readdirSync(folder)).toEqual([])
  }
})

test('threads share one budget, and each has its own file', () => {
  const budget = newBudget(2 * 4096, folder)
  const [first, second] = [new BlockMemory(budget, disk, 'a'), new BlockMemory(budget, disk, 'b')]
  expect(keepBlocks(first, [1024]).map(({ words }) => words.kind)).toEqual(['memory'])
  expect(keepBlocks(second, [1024, 1024]).map(({ words }) => words.kind)).toEqual(['memory', 'file'])
  expect(keepBlocks(first, [1024]).map(({ words }) => words.kind)).toEqual(['file'])
  first.close()
  second.close()
  expect(readdirSync(folder).sort()).toEqual(['a.arrows', 'b.arrows'])
})

test('attempts of tasks have files of their own, which end with them', () => {
  const memory = new BlockMemory(newBudget(0, folder), disk, 'a')
  const blocks = ['1.1', '1.2', '2.1'].flatMap((task) => memory.during(task, () => keepBlocks(memory, [10, 10])))
  const failing = () => {
    keepBlocks(memory, [10])
    throw new Error('the task failed')
  }
  expect(() => memory.during('3.1', failing)).toThrow('the task failed')
  expect(memory.during('4.1', () => keepBlocks(memory, [0]))[0]!.words.kind).toBe('memory')
  expect(blocks.map(({ words }) => words.kind === 'file' && words.path)).toEqual(
    ['1.1', '1.1', '1.2', '1.2', '2.1', '2.1'].map((task) => `${folder}/a-${task}.arrows`),
  )
  expect(readdirSync(folder).sort()).toEqual(['a-1.1.arrows', 'a-1.2.arrows', 'a-2.1.arrows', 'a-3.1.arrows'])
  // Each is a whole Arrow stream: nothing comes to it any more.
  for (const name of readdirSync(folder)) {
    expect([...RecordBatchReader.from(readFileSync(join(folder, name)))].length).toBeGreaterThan(0)
  }
})

test('without shared memory everything is spilled, whatever the budget', () => {
  const memory = new BlockMemory(withoutSharing(newBudget(1e9, folder)), disk, 'a')
  const blocks = keepBlocks(memory, [1000, 0, 3])
  memory.close()
  expect(blocks.map(({ words }) => words.kind)).toEqual(['file', 'memory', 'file'])
  const strings = { kind: 'bytes', length: 1, nullCount: 0, validity: null, gap: 0 } as const
  const column = { ...strings, offsets: Int32Array.of(0, 1), data: Uint8Array.of(65) }
  const kept = memory.keepStrings(column)
  expect(kept).toEqual(column)
  expect(kept.data.buffer).not.toBe(column.data.buffer)
  expect(kept.data.buffer).toBeInstanceOf(ArrayBuffer)
})

test('a reader of many files keeps only some of them open', () => {
  const memory = new BlockMemory(newBudget(0, folder), disk, 'a')
  const blocks = Array.from({ length: 400 }, (_, file) =>
    memory.during(`${file}`, () => keepBlocks(memory, Array(file + 1).fill(2)).at(-1)!),
  )
  let open = 0
  let most = 0
  const counting: Disk = {
    ...disk,
    openForReading: (path) => {
      const file = disk.openForReading(path)
      most = Math.max(most, ++open)
      const close = () => {
        open--
        file.close()
      }
      return { ...file, close }
    },
  }
  const reader = new RunReader(blocks, 2, 0, counting)
  for (const bucket of [0, 1]) {
    const found = blocks.map((_, block) => {
      const target = new Int32Array(1)
      reader.copy(block, bucket, 0, 1, target, 0)
      return target[0]
    })
    expect(found).toEqual(blocks.map((_, block) => 1000 * block + bucket))
  }
  expect(most).toBe(128)
  reader.close()
  expect(open).toBe(0)
})

test('a folder that can not be written to is told', () => {
  const file = join(folder, 'file')
  mkdirSync(join(folder, 'x'))
  writeFileSync(file, '')
  const memory = new BlockMemory(newBudget(0, file), disk, 'a')
  expect(() => keepBlocks(memory, [10])).toThrow(
    `Cannot write ${file}/a.arrows: a part of the path is a file, not a folder.`,
  )
})

test('a full disk is told, with what to do', () => {
  const full: Disk = {
    ...disk,
    openForWriting: (path) => ({
      position: 0,
      write() {
        const cause = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
        throw new OutputError(`Cannot write ${path}: no space left on the disk.`, { file: path }, { cause })
      },
      flush() {},
      close() {},
    }),
  }
  const memory = new BlockMemory(newBudget(0, folder), full, 'a')
  expect(() => keepBlocks(memory, [10])).toThrow(
    `Cannot write ${folder}/a.arrows: no space left on the disk. What memory has no room for is spilled there: make room, name another spill folder, or allow more memory.`,
  )
})
