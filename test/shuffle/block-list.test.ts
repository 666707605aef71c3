import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Block } from '../../src/shuffle/block.ts'
import { blocksOf, listBlocks } from '../../src/shuffle/block-list.ts'
import { decodeTask, encodeTask } from '../../src/workers/wire.ts'

const buckets = 8

const anyBlock = fc
  .record({
    member: fc.nat(2),
    split: fc.nat(5),
    ordinal: fc.nat(3),
    sizes: fc.array(fc.nat(9), { minLength: buckets, maxLength: buckets }),
    path: fc.constantFrom('a', 'b', 'c'),
    byteOffset: fc.nat(2 ** 40),
  })
  .map(({ member, split, ordinal, sizes, path, byteOffset }): Block => {
    const starts = new Int32Array(buckets + 1)
    sizes.forEach((size, bucket) => {
      starts[bucket + 1] = starts[bucket]! + size
    })
    const checksums = Int32Array.from(sizes, (size, bucket) => -size * bucket)
    const strings = [null, { ...column, data: Uint8Array.of(split, ordinal) }]
    return {
      member,
      split,
      ordinal,
      rows: starts[buckets]!,
      starts,
      words: { kind: 'file', path, byteOffset, checksums },
      strings,
    }
  })

const column = {
  kind: 'bytes',
  length: 1,
  nullCount: 0,
  validity: null,
  offsets: Int32Array.of(0, 2),
  gap: 0,
} as const

/** What a block says of some buckets. */
function told({ starts, words, ...rest }: Block, from: number, to: number): unknown {
  if (words.kind !== 'file') throw new Error('the blocks lie in files')
  const { checksums, ...place } = words
  return { ...rest, ...place, starts: [...starts.subarray(from, to + 1)], checksums: [...checksums.subarray(from, to)] }
}

test('listBlocks() gives a task what it needs to know of its buckets, with shared memory and without', () => {
  const anyRange = fc.tuple(fc.nat(buckets), fc.nat(buckets)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 6 }), anyRange, (blocks, [from, to]) => {
      const expected = blocks.map((block) => told(block, from, to))
      const shared = blocksOf(listBlocks(blocks, true)(from, to))
      expect(shared.map((block) => told(block, from, to))).toEqual(expected)
      const sent = { task: { kind: 'reduce', blocks: listBlocks(blocks, false)(from, to) }, attempt: 1 }
      const { task } = decodeTask(encodeTask(sent)) as unknown as typeof sent
      const received = blocksOf(task.blocks)
      expect(received.map((block) => told(block, from, to))).toEqual(expected)
      for (const { starts } of received) expect(starts).toHaveLength(buckets + 1)
    }),
  )
})

test('all tasks are given the same shared memory, and without it each only its own buckets', () => {
  const blocks = fc.sample(anyBlock, { seed: 1, numRuns: 100 })
  const listOf = listBlocks(blocks, true)
  expect(listOf(0, 1).starts).toBe(listOf(3, 5).starts)
  expect(listOf(0, 1).starts.buffer).toBeInstanceOf(SharedArrayBuffer)
  const { starts, checksums } = listBlocks(blocks, false)(3, 5)
  expect(starts.buffer).toBeInstanceOf(ArrayBuffer)
  expect([starts.length, checksums.length]).toEqual([300, 200])
})
