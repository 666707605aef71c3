import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addInteger, addNumber, type ExactSum, integersOf, mergeSum, roundSum } from '../../src/map/exact-sum.ts'

const none = (): ExactSum => ({ whole: 0n, small: 0, parts: null })

function sumOf(values: readonly number[]): ExactSum {
  const sum = none()
  for (const value of values) {
    if (Number.isSafeInteger(value)) addInteger(sum, value)
    else addNumber(sum, value)
  }
  return sum
}

/** A double as the whole number of 2^−1074 that it is. */
function steps(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & 0xfffffffffffffn
  const size = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n)
  return value < 0 ? -size : size
}

/** The number nearest to so many steps of 2^−1074, found by looking at its neighbours. */
function nearest(wanted: bigint, about: number): boolean {
  const distance = (value: number) => {
    const difference = steps(value) - wanted
    return difference < 0n ? -difference : difference
  }
  const view = new DataView(new ArrayBuffer(8))
  return [-1n, 1n].every((step) => {
    view.setFloat64(0, about === 0 ? 0 : about)
    view.setBigUint64(0, about === 0 ? (step > 0n ? 1n : 0x8000000000000001n) : view.getBigUint64(0) + step)
    return distance(about) <= distance(view.getFloat64(0))
  })
}

const anyNumber = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((value) => value / 10),
  fc.double({ min: -1e200, max: 1e200, noNaN: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(1e16, -1e16, 1, 2 ** -60, 0.1, 0.2, 1e100, -1e100),
)

describe('an exact sum', () => {
  test('forgets nothing, as adding one by one does', () => {
    expect(roundSum(sumOf([1e16, 1.5, -1e16]))).toBe(1.5)
    expect(roundSum(sumOf(Array.from({ length: 10 }, () => 0.1)))).toBe(1)
    expect(integersOf(sumOf(Array.from({ length: 5 }, () => Number.MAX_SAFE_INTEGER)))).toBe(
      5n * BigInt(Number.MAX_SAFE_INTEGER),
    )
  })

  test('is rounded to the nearest number', () => {
    const property = fc.property(fc.array(anyNumber, { maxLength: 20 }), (values) => {
      const wanted = values.reduce((sum, value) => sum + steps(value), 0n)
      expect(nearest(wanted, roundSum(sumOf(values)))).toBe(true)
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test('is the same in any order and in any pieces', () => {
    const property = fc.property(fc.array(anyNumber, { maxLength: 20 }), fc.nat({ max: 20 }), (values, at) => {
      const sorted = values.toSorted((a, b) => a - b)
      const pieces = sumOf(sorted.slice(0, at))
      mergeSum(pieces, sumOf(sorted.slice(at)))
      expect(roundSum(pieces)).toBe(roundSum(sumOf(values)))
    })
    fc.assert(property, { numRuns: 2000 })
  })
})
