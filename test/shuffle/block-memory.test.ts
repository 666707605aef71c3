import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordBatchReader } from 'apache-arrow'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OutputError } from '../../src/model/errors.ts'
import { BlockMemory, BlockReader, newBudget } from '../../src/shuffle/block-memory.ts'
import { disk } from '../../src/storage/disk.ts'

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
  const reader = new BlockReader(disk)
  for (const [block, { words, starts }] of blocks.entries()) {
    for (const bucket of [0, 1]) {
      const [from, to] = [starts[bucket]!, starts[bucket + 1]!]
      const target = new Int32Array(to - from + 3).fill(-1)
      reader.copy(words, from, to, bucket, target, 1)
      expect([...target]).toEqual([-1, ...Array.from({ length: to - from }, (_, i) => 1000 * block + from + i), -1, -1])
    }
  }
  reader.close()
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
  const reader = new BlockReader(disk)
  expect(() => reader.copy(block!.words, 0, 50, 0, new Int32Array(50), 0)).toThrow(OutputError)
  expect(() => reader.copy(block!.words, 0, 50, 0, new Int32Array(50), 0)).toThrow(
    `Cannot read back what was spilled to ${path}`,
  )
  reader.copy(block!.words, 50, 100, 1, new Int32Array(50), 0)
  reader.close()
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

test('a folder that can not be written to is told', () => {
  const file = join(folder, 'file')
  mkdirSync(join(folder, 'x'))
  writeFileSync(file, '')
  const memory = new BlockMemory(newBudget(0, file), disk, 'a')
  expect(() => keepBlocks(memory, [10])).toThrow(
    `Cannot write ${file}/a.arrows: a part of the path is a file, not a folder.`,
  )
})
