import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { estimatesOf } from '../../src/time/calibration.ts'
import { estimateOf } from '../../src/time/estimate.ts'
import { type TriangleCount, triangleOf } from '../../src/time/triangle.ts'

/** Counts of windows of which each delay adds a share, so that what is to come is known but for what `noise` makes of it. */
function regular(windows: number, shares: readonly number[], noise: (window: number, delay: number) => number) {
  return Array.from({ length: windows }, (_, window) =>
    shares.map((share, delay): TriangleCount => ({ window, delay, amount: Math.round(share * noise(window, delay)) })),
  ).flat()
}

/** A sequence that looks like chance and is always the same, between -1 and 1. */
const chance = (seed: number) => 2 * (((Math.imul(seed + 1, 2654435761) >>> 0) / 2 ** 32) % 1) - 1

describe('an estimate', () => {
  const noisy = regular(60, [300, 200, 100, 50], (w, d) => 1 + 0.3 * chance(7 * w + 131 * d))

  it('is given with how many past ones at the same age held, of windows of which enough is known since', () => {
    const { age, past, low, high, ultimate } = estimatesOf(triangleOf(noisy, 59))(58)
    expect(age).toBe(1)
    // Of the windows of which 300 + 200 was known, all but those of which less than half of the rest has come since.
    expect(past!.compared).toBeGreaterThan(50)
    expect(past!.held / past!.compared).toBeGreaterThan(0.85)
    expect(low! < ultimate! && ultimate! < high!).toBe(true)
  })

  it('has a wider interval where windows grew less evenly than the ladder takes them to', () => {
    // What is to come is high for ten windows and then low for ten, which the variance of a step can't see.
    const waves = regular(80, [300, 100, 100, 100, 100], (w, d) => (d === 0 ? 1 : w % 20 < 10 ? 1.6 : 0.4))
    const triangle = triangleOf(waves, 79)
    const model = estimateOf(triangle, 79)
    const calibrated = estimatesOf(triangle)(79)
    expect(calibrated.high! - calibrated.low!).toBeGreaterThan(1.5 * (model.high! - model.low!))
    expect(calibrated.past!.held / calibrated.past!.compared).toBeGreaterThan(0.85)
  })

  it('is corrected where past ones were all wrong in the same direction', () => {
    // Reporting becomes slower: ever less is known at first of the same 1000.
    const slower = Array.from({ length: 80 }, (_, window): TriangleCount[] => {
      const first = Math.round(800 - 5 * window + 20 * chance(window))
      return [
        { window, delay: 0, amount: first },
        { window, delay: 1, amount: 500 - Math.round(first / 2) },
        { window, delay: 2, amount: 500 - Math.floor(first / 2) - (first % 2) },
      ]
    }).flat()
    const triangle = triangleOf(slower, 79)
    const errorOf = (ultimate: number | null) => Math.abs(Math.log(ultimate! / 1000))
    expect(errorOf(estimateOf(triangle, 79).ultimate)).toBeGreaterThan(0.2)
    expect(errorOf(estimatesOf(triangle)(79).ultimate)).toBeLessThan(0.6 * errorOf(estimateOf(triangle, 79).ultimate))
  })

  it('is that of the ladder where past ones were right on average', () => {
    const triangle = triangleOf(noisy, 59)
    expect(estimatesOf(triangle)(57).ultimate).toBe(estimateOf(triangle, 57).ultimate)
  })

  it('is the same whatever other estimates were asked for before', () => {
    const triangle = triangleOf(noisy, 59)
    const all = estimatesOf(triangle)
    const inOrder = [56, 57, 58, 59].map((window) => all(window))
    expect([59, 58, 57, 56].map((window) => estimatesOf(triangle)(window)).reverse()).toEqual(inOrder)
  })

  it('follows from what is known by then alone', () => {
    const then = noisy.filter(({ window, delay }) => window + delay <= 40)
    for (const window of [37, 38, 39, 40]) {
      expect(estimatesOf(triangleOf(noisy, 40))(window)).toEqual(estimatesOf(triangleOf(then, 40))(window))
    }
  })

  it('of amounts of money is as many times larger in smaller coins', () => {
    const halves = noisy.map((count) => ({ ...count, amount: count.amount / 2 + 0.25 }))
    const cents = halves.map((count) => ({ ...count, amount: 100 * count.amount + 0.125 - 0.125 }))
    const [large, small] = [estimatesOf(triangleOf(halves, 59))(58), estimatesOf(triangleOf(cents, 59))(58)]
    expect(small.ultimate! / large.ultimate!).toBeCloseTo(100, 6)
    expect(small.high! - small.low!).toBeGreaterThan(95 * (large.high! - large.low!))
  })
})

test('what was never withdrawn is expected to be at least what is known', () => {
  const counts = regular(40, [100, 5, 5], (w, d) => (w > 30 && d === 1 ? 30 : 1))
  const estimates = estimatesOf(triangleOf(counts, 39))
  for (const window of [35, 37, 38, 39]) {
    const { known, low, ultimate, completeness } = estimates(window)
    expect(low!).toBeGreaterThanOrEqual(known)
    expect(ultimate!).toBeGreaterThanOrEqual(known)
    expect(completeness).toBeCloseTo(known / ultimate!, 12)
  }
})

test('withdrawals may take an estimate below what is known, and the interval further', () => {
  const counts = regular(40, [100, -8, -4], (w, d) => 1 + 0.2 * chance(3 * w + d))
  const { known, ultimate, low, past } = estimatesOf(triangleOf(counts, 39))(39)
  expect(low! < ultimate! && ultimate! < known).toBe(true)
  expect(past!.held).toBeGreaterThan(0.85 * past!.compared)
})

test('a window that lost all is an error of past estimates and breaks no later one', () => {
  const counts = regular(40, [100, 5], () => 1)
  counts.push({ window: 20, delay: 2, amount: -105 })
  const { past, low, high } = estimatesOf(triangleOf(counts, 39))(38)
  expect([low, high].every(Number.isFinite)).toBe(true)
  expect(past!.held).toBeLessThan(past!.compared)
})

test('a young log has intervals of the ladder, wider for want of a past, and says that none were compared', () => {
  const counts = regular(3, [100, 40], (w) => 1 + 0.1 * w)
  const { past, low, high, ultimate } = estimatesOf(triangleOf([...counts, { window: 3, delay: 0, amount: 100 }], 3))(3)
  expect(past === null || past.compared < 5).toBe(true)
  expect(low! < ultimate! && ultimate! < high!).toBe(true)
})

test('amounts too small for a factor are as good as nothing', () => {
  const counts = [
    { window: 0, delay: 0, amount: 5e-324 },
    { window: 0, delay: 1, amount: 1 / 7 },
    { window: 1, delay: 2, amount: -1 },
  ]
  expect(estimatesOf(triangleOf(counts, 3))(0)).toMatchObject({ ultimate: null, low: null, high: null })
  expect(estimatesOf(triangleOf(counts, 3))(3).reason).toContain('after age 1')
})

test('for any counts there is a number with an interval around it, or null with a reason', () => {
  const anyCounts = fc.array(
    fc.record({
      window: fc.integer({ min: -3, max: 12 }),
      delay: fc.nat(8),
      amount: fc.oneof(fc.integer({ min: -5, max: 20 }), fc.double({ min: -5, max: 20, noNaN: true })),
    }),
  )
  fc.assert(
    fc.property(anyCounts, fc.integer({ min: -5, max: 15 }), (counts, last) => {
      const estimates = estimatesOf(triangleOf(counts, last))
      for (let window = -5; window <= 15; window++) {
        const { ultimate, standardError, low, high, reason, past } = estimates(window)
        if (reason !== null) {
          expect([ultimate, standardError, low, high, past]).toEqual([null, null, null, null, null])
        } else {
          for (const number of [ultimate, standardError, low, high]) expect(Number.isFinite(number)).toBe(true)
          expect(low!).toBeLessThanOrEqual(high!)
          if (past !== null) expect(past.held >= 0 && past.held <= past.compared).toBe(true)
        }
      }
    }),
  )
})
