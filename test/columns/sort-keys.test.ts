import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyHeap } from '../../src/columns/key-heap.ts'
import { sortKeys } from '../../src/columns/sort-keys.ts'

function heapOf(keys: readonly Uint8Array[]): KeyHeap {
  const starts = new Int32Array(keys.length)
  let at = 0
  keys.forEach((key, i) => {
    starts[i] = at
    at += key.length
  })
  return { count: keys.length, bytes: Buffer.concat(keys), starts, lengths: Int32Array.from(keys, (key) => key.length) }
}

function sorted(keys: readonly Uint8Array[]): string[] {
  return Array.from(sortKeys(heapOf(keys)), (index) => Buffer.from(keys[index]!).toString('hex'))
}

const expected = (keys: readonly Uint8Array[]) =>
  [...keys].sort(Buffer.compare).map((key) => Buffer.from(key).toString('hex'))

test('sortKeys() orders by bytes, whatever the keys share', () => {
  const prefix = fc.constantFrom('', 'AC', 'AC0000000', 'a prefix that is longer than eight bytes')
  const tail = fc.uint8Array({ maxLength: 9 })
  const keys = prefix.chain((shared) =>
    fc.array(
      tail.map((bytes) => Buffer.concat([Buffer.from(shared), bytes])),
      { maxLength: 40 },
    ),
  )
  fc.assert(
    fc.property(keys, (list) => {
      expect(sorted(list)).toEqual(expected(list))
    }),
  )
})

test('a key that another begins with comes first, and zero bytes count', () => {
  const keys = ['', '00', '0000', '01', '0100', '00ff', 'ff'].map((hex) => Buffer.from(hex, 'hex'))
  expect(sorted([...keys].reverse())).toEqual(expected(keys))
})

test('many keys that differ only in their last byte', () => {
  const keys = Array.from({ length: 3_000 }, (_, i) =>
    Buffer.from(`AC${String((i * 7_919) % 3_000).padStart(10, '0')}`),
  )
  expect(sorted(keys)).toEqual(expected(keys))
})
