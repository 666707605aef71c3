import { describe, expect, test } from 'vitest'
import { copyInto, grown, resized, withRoom } from '../../src/columns/grow.ts'

const kinds = [
  Uint8Array.of(1, 2, 3),
  Uint16Array.of(1, 2, 3),
  Int32Array.of(1, -2, 3),
  Uint32Array.of(1, 2, 3),
  Float64Array.of(1.5, -0, 3),
]

describe.each(kinds.map((array) => [array.constructor.name, array] as const))('a larger %s', (_, array) => {
  test('is of the same kind, begins with the same numbers and goes on with zeros', () => {
    const larger = grown(array)
    expect(larger.constructor).toBe(array.constructor)
    expect([...larger]).toEqual([...array, ...new Array(13).fill(0)])
  })

  test('has at least twice the room, or what is asked for', () => {
    expect(grown(array, 4)).toHaveLength(6)
    expect(grown(array, 7)).toHaveLength(7)
    expect(resized(array, 5)).toHaveLength(5)
  })

  test('keeps only the numbers in use', () => {
    expect([...resized(array, 4, 1)]).toEqual([array[0], 0, 0, 0])
    expect([...withRoom(array, 4, 2)]).toEqual([array[0], array[1], 0, 0, 0, 0])
  })
})

test('resized() takes integers of 64 bits as well', () => {
  expect([...resized(BigInt64Array.of(-1n, 2n), 3)]).toEqual([-1n, 2n, 0n])
})

test('grown() leaves shared memory for memory of its own', () => {
  const shared = new Int32Array(new SharedArrayBuffer(8)).fill(7)
  const larger = grown(shared, 4)
  expect(larger.buffer).toBeInstanceOf(ArrayBuffer)
  expect([...larger]).toEqual([7, 7, 0, 0])
})

test('withRoom() gives the array itself where it is long enough', () => {
  const array = Int32Array.of(1, 2)
  expect(withRoom(array, 2)).toBe(array)
})

describe('copyInto()', () => {
  test('copies lists of anything, and typed arrays of one kind', () => {
    const document = { a: 1 }
    expect(copyInto([document, 'text'], new Array<unknown>(3))).toEqual([document, 'text', undefined])
    expect([...copyInto(BigInt64Array.of(1n, 2n), new BigInt64Array(3), 1)]).toEqual([1n, 0n, 0n])
  })

  test('begins a typed array with an empty list', () => {
    expect([...copyInto([], new Int32Array(2))]).toEqual([0, 0])
  })
})
