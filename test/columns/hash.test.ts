import { expect, test } from 'vitest'
import { bucketOf, hashBytes } from '../../src/columns/hash.ts'
import { estimateKeys, mergeSketch, newSketch, sketchHashes } from '../../src/shuffle/block.ts'
import { KeyTable } from '../../src/shuffle/key-table.ts'
import { slotOfRow } from '../support/key-rows.ts'

const hashText = (text: string) => {
  const bytes = Buffer.from(text)
  return hashBytes(bytes, 0, bytes.length) >>> 0
}

// Published values of MurmurHash3 x86 32-bit with seed 0.
test.each([
  ['', 0],
  ['a', 0x3c2569b2],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
])('hashBytes(%j) is MurmurHash3', (text, expected) => {
  expect(hashText(text)).toBe(expected)
})

test('bucketOf() takes the top bits', () => {
  expect(bucketOf(0xf0000000 | 0, 4)).toBe(15)
  expect(bucketOf(0x7fffffff, 1)).toBe(0)
  expect(bucketOf(-1, 0)).toBe(0)
})

test('estimateKeys() is near the number of keys, and does not depend on how they are split', () => {
  const hashes = Int32Array.from({ length: 100_000 }, (_, i) => hashText(`key ${i}`))
  const whole = newSketch()
  sketchHashes(whole, hashes, hashes.length)
  const merged = newSketch()
  for (let from = 0; from < hashes.length; from += 7_777) {
    const piece = newSketch()
    const part = hashes.subarray(from, from + 7_777)
    sketchHashes(piece, part, part.length)
    mergeSketch(merged, piece)
  }
  expect(merged).toEqual(whole)
  expect(estimateKeys(whole)).toBeGreaterThan(93_000)
  expect(estimateKeys(whole)).toBeLessThan(107_000)
})

test('KeyTable gives every key one slot, through growth and collisions of hashes', () => {
  const table = new KeyTable(16)
  const slots = new Map<string, number>()
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 5_000; i++) {
      const text = `k${i}`.padEnd(1 + (i % 23), '.')
      const bytes = Buffer.alloc(24)
      const length = bytes.write(text)
      const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 24))
      // A hash of three bits: nearly all keys collide.
      const slot = slotOfRow(table, words, length, hashText(text) & 7)
      expect(slot).toBe(slots.get(text) ?? slots.size)
      slots.set(text, slot)
    }
  }
  expect(table.size).toBe(slots.size)
  table.clear()
  expect(slotOfRow(table, new Int32Array(1), 0, 0)).toBe(0)
})
