import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { estimateOf } from '../../src/time/estimate.ts'
import { knownAtAge, type TriangleCount, triangleOf } from '../../src/time/triangle.ts'

/** Cumulative amounts by window, as triangles are printed. */
function countsOf(rows: readonly (readonly number[])[]): TriangleCount[] {
  return rows.flatMap((row, window) =>
    row.map((known, delay) => ({ window, delay, amount: known - (row[delay - 1] ?? 0) })),
  )
}

/**
 * The example of Mack's paper, from G. C. Taylor and F. R. Ashe, "Second moments of estimates of outstanding claims", Journal
 * of Econometrics 23 (1983).
 */
const taylorAshe = [
  [357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
  [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085],
  [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315],
  [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268],
  [443160, 1136350, 2128333, 2897821, 3402672, 3873311],
  [396132, 1333217, 2180715, 2985752, 3691712],
  [440832, 1288463, 2419861, 3483130],
  [359480, 1421128, 2864498],
  [376686, 1363294],
  [344014],
]

describe("Mack's example", () => {
  const triangle = triangleOf(countsOf(taylorAshe), 9)
  const estimates = taylorAshe.map((_, window) => estimateOf(triangle, window))
  const thousands = (amount: number | null) => Math.round(amount! / 1000)

  it('has the published factors', () => {
    const factors = triangle.ages.slice(0, -1).map(({ factor }) => factor!.toFixed(4))
    expect(factors).toEqual(['3.4906', '1.7473', '1.4574', '1.1739', '1.1038', '1.0863', '1.0539', '1.0766', '1.0177'])
  })

  it('has the published variances', () => {
    const variances = triangle.ages.slice(0, -1).map(({ variance }) => Math.round(variance!))
    expect(variances).toEqual([160280, 37737, 41965, 15183, 13731, 8186, 447, 1147, 447])
  })

  it('has the published reserves', () => {
    const reserves = estimates.map(({ ultimate, known }) => thousands(ultimate! - known))
    expect(reserves).toEqual([0, 95, 470, 710, 985, 1419, 2178, 3920, 4279, 4626])
    const total = estimates.reduce((sum, { ultimate, known }) => sum + ultimate! - known, 0)
    expect(Math.round(total)).toBe(18_680_856)
  })

  it('has the published standard errors', () => {
    const errors = estimates.map(({ standardError }) => thousands(standardError))
    expect(errors).toEqual([0, 76, 122, 134, 261, 411, 558, 875, 971, 1363])
  })

  it('knows of a window what its factors say is known at its age', () => {
    for (const { known, ultimate, completeness } of estimates) expect(known / ultimate!).toBeCloseTo(completeness!, 12)
  })

  it('has lognormal intervals around what is still to come', () => {
    // Mean 4,625,811 and standard error 1,363,155.
    const { low, high } = estimates[9]!
    const variance = Math.log(1 + (1_363_155 / 4_625_811) ** 2)
    const middle = Math.log(4_625_811) - variance / 2
    expect(low! - 344_014).toBeCloseTo(Math.exp(middle - 1.959964 * Math.sqrt(variance)), -1)
    expect(high! - 344_014).toBeCloseTo(Math.exp(middle + 1.959964 * Math.sqrt(variance)), -1)
  })
})

describe('a triangle', () => {
  it('holds what was recorded up to the last period only', () => {
    const triangle = triangleOf(countsOf(taylorAshe), 4)
    expect([...triangle.windows.keys()]).toEqual([0, 1, 2, 3, 4])
    expect(triangle.windows.get(0)!.known).toBe(2745596)
    expect(knownAtAge(triangle, 1, 2)).toBe(2170033)
    expect(knownAtAge(triangle, 1, 4)).toBeNull()
    expect(estimateOf(triangle, 5)).toMatchObject({
      age: -1,
      ultimate: null,
      reason: 'its period has not been observed to the end',
    })
  })

  it('adds up amounts that come in several pieces, in any order', () => {
    const pieces = countsOf(taylorAshe).flatMap(({ amount, ...cell }) => [
      { ...cell, amount: 1000 },
      { ...cell, amount: amount - 1000 },
    ])
    expect(triangleOf(pieces.reverse(), 9)).toEqual(triangleOf(countsOf(taylorAshe), 9))
  })

  it('refuses a delay below zero', () => {
    expect(() => triangleOf([{ window: 3, delay: -1, amount: 1 }], 9)).toThrow(
      'expected a delay of 0 or more, found -1 of window 3',
    )
  })

  it('counts windows of which nothing is known yet in its factors', () => {
    const triangle = triangleOf(countsOf([[2, 4], [0, 4], [2, 4], [2, 4], [2]]), 5)
    expect(triangle.ages[0]).toMatchObject({ factor: 18 / 8, windows: 4 })
  })

  it('leaves windows from before the log out of its factors, and still shows them', () => {
    const old = [
      { window: -8000, delay: 8001, amount: 1 },
      { window: -3, delay: 5, amount: 700 },
    ]
    const without = triangleOf(countsOf(taylorAshe), 9)
    const triangle = triangleOf([...countsOf(taylorAshe), ...old], 9)
    expect(triangle.ages).toEqual(without.ages)
    expect(triangle.windows.get(-8000)!.known).toBe(1)
    expect(estimateOf(triangle, 8)).toEqual(estimateOf(without, 8))
  })

  it('is not taken in by one very late report', () => {
    const regular = Array.from({ length: 50 }, (_, window) => ({ window, delay: 0, amount: 10 }))
    const triangle = triangleOf([...regular, { window: 1, delay: 47, amount: 1 }], 49)
    const { ultimate, low, high } = estimateOf(triangle, 49)
    expect(ultimate).toBeCloseTo(10.33, 1)
    expect(low! >= 10 && high! < 13).toBe(true)
  })

  it('may have a hundred thousand windows', () => {
    // Windows 37 apart have the same delays: half of each on the day, half later.
    const counts = Array.from({ length: 100_000 }, (_, window) => [
      { window, delay: 0, amount: 1 },
      { window, delay: window % 37, amount: 1 },
    ]).flat()
    const triangle = triangleOf(counts, 100_050)
    expect(triangle.windows.size).toBe(100_000)
    expect(triangle.ages).toHaveLength(37)
    expect(triangle.ages[0]!.completeness).toBeCloseTo(38 / 74, 4)
    expect(triangle.ages[18]!.completeness).toBeCloseTo(56 / 74, 4)
  })
})

describe('revisions', () => {
  it('that lower what is known make factors below one', () => {
    const rows = [[100, 90, 88], [200, 178, 176], [100, 91, 88], [100, 91, 89], [100, 90], [100]]
    const { ultimate, low, high, completeness, reason } = estimateOf(triangleOf(countsOf(rows), 5), 5)
    expect(reason).toBeNull()
    expect(completeness).toBeGreaterThan(1)
    expect(ultimate).toBeCloseTo(88.2, 0)
    expect(low! < ultimate! && ultimate! < high! && high! < 100).toBe(true)
  })

  it('of single windows leave an interval that goes below what is known', () => {
    const rows = [[100, 130], [100, 90], [100, 125], [100, 95], [100]]
    const { low, known } = estimateOf(triangleOf(countsOf(rows), 4), 4)
    expect(low!).toBeLessThan(known)
  })
})

describe('too little to go by is said', () => {
  const reasonOf = (rows: readonly (readonly number[])[], window: number, last = rows.length - 1) =>
    estimateOf(triangleOf(countsOf(rows), last), window).reason

  test('nothing at all', () => {
    expect(estimateOf(triangleOf([], 9), 9)).toEqual({
      window: 9,
      age: 0,
      known: 0,
      completeness: null,
      ultimate: null,
      standardError: null,
      low: null,
      high: null,
      reason: 'nothing was recorded of any window through the last wholly observed period',
      past: null,
    })
  })

  test('windows from before the log began, and a name for how far it is observed', () => {
    const old = triangleOf([{ window: 0, delay: 5, amount: 1 }], 9)
    expect(estimateOf(old, 0).reason).toBe("all known windows are from before the log's first period of recording")
    expect(estimateOf(triangleOf([], 9), 9, { through: '2021-03-31' }).reason).toBe(
      'nothing was recorded of any window through 2021-03-31',
    )
  })

  test('one window', () => {
    expect(reasonOf([[10]], 0)).toBeNull()
    expect(reasonOf([[10, 20]], 1, 1)).toBe('too few windows show how amounts grow after age 0')
  })

  test('a log too young to have seen windows come to an end', () => {
    const rows = [[10, 30, 90], [10, 31], [10]]
    for (const window of [0, 1, 2])
      expect(reasonOf(rows, window)).toBe('too few windows show how amounts grow after age 1')
  })

  test('a window that nobody reported on', () => {
    const rows = [[10, 20], [10, 21], [10, 19], [10, 20], [0]]
    expect(estimateOf(triangleOf(countsOf(rows), 4), 4)).toMatchObject({
      known: 0,
      completeness: 0.5,
      ultimate: null,
      reason: 'nothing was recorded of it through the last wholly observed period',
    })
    expect(estimateOf(triangleOf(countsOf(rows), 4), 17)).toMatchObject({ ultimate: null })
    // Long after, nothing is to be expected any more.
    expect(estimateOf(triangleOf(countsOf(rows), 9), 4)).toMatchObject({
      known: 0,
      ultimate: 0,
      standardError: 0,
      reason: null,
    })
  })

  test('a window of which more was withdrawn than reported', () => {
    const rows = [[10, 20], [10, 21], [10, 19], [10, 20], [-3]]
    expect(reasonOf(rows, 4)).toBe('what is known of it is below zero')
  })

  test('an age at which nothing is ever known', () => {
    const rows = [[0, 20], [0, 21], [0, 19], [0, 20], [0]]
    expect(estimateOf(triangleOf(countsOf(rows), 4), 4)).toMatchObject({
      completeness: 0,
      ultimate: null,
      reason: 'at age 0, nothing was known of any window that is older',
    })
  })

  test('windows that lose all', () => {
    const rows = [[10, 0], [10, 0], [10, 0], [10, 0], [10]]
    expect(reasonOf(rows, 4)).toBe('after age 0, windows lose all that was known of them')
  })

  test('an estimate that its own standard error exceeds', () => {
    const rows = [[10, 10], [10, 500], [10, 10], [10, 10], [10]]
    expect(reasonOf(rows, 4)).toBe('too little is known of it: the standard error is above the estimate')
  })
})

describe('for any counts', () => {
  const anyCounts = fc.array(
    fc.record({
      window: fc.integer({ min: -3, max: 12 }),
      delay: fc.nat(8),
      amount: fc.oneof(fc.integer({ min: -5, max: 20 }), fc.double({ min: -5, max: 20, noNaN: true })),
    }),
  )

  it('an estimate is a number with an interval around it, or null with a reason', () => {
    fc.assert(
      fc.property(anyCounts, fc.integer({ min: -5, max: 15 }), (counts, last) => {
        const triangle = triangleOf(counts, last)
        for (let window = -5; window <= 15; window++) {
          const { ultimate, standardError, low, high, reason } = estimateOf(triangle, window)
          if (reason !== null) {
            expect([ultimate, standardError, low, high]).toEqual([null, null, null, null])
          } else {
            for (const number of [ultimate, standardError, low, high]) expect(Number.isFinite(number)).toBe(true)
            expect(standardError).toBeGreaterThanOrEqual(0)
            expect(low!).toBeLessThanOrEqual(high!)
          }
        }
      }),
    )
  })

  it('factors are those of whole sums over windows that are old enough', () => {
    const integers = fc.array(
      fc.record({ window: fc.nat(12), delay: fc.nat(8), amount: fc.integer({ min: -5, max: 20 }) }),
    )
    fc.assert(
      fc.property(integers, fc.integer({ min: 0, max: 15 }), (counts, last) => {
        const triangle = triangleOf(counts, last)
        const windows = [...triangle.windows.keys()].filter((window) => window >= triangle.first)
        for (const { age, factor, volume } of triangle.ages.slice(0, -1)) {
          const older = windows.filter((window) => window + age + 1 <= last)
          const total = (at: number) => older.reduce((sum, window) => sum + knownAtAge(triangle, window, at)!, 0)
          expect(volume).toBe(total(age))
          if (volume > 0) expect(factor).toBeCloseTo(total(age + 1) / volume, 9)
          else expect(factor).toBeNull()
        }
      }),
    )
  })

  it("standard errors are those of Mack's formula, summed up step by step", () => {
    const reports = fc.array(
      fc.record({ window: fc.nat(12), delay: fc.nat(4), amount: fc.integer({ min: 20, max: 40 }) }),
      {
        minLength: 30,
      },
    )
    fc.assert(
      fc.property(reports, (counts) => {
        const triangle = triangleOf(counts, 12)
        for (const window of triangle.windows.keys()) {
          const { age, known, ultimate, standardError } = estimateOf(triangle, window)
          if (ultimate === null) continue
          let amount = known
          let squares = 0
          for (const { factor, variance, volume } of triangle.ages.slice(age, -1)) {
            squares += (variance! / factor! ** 2) * (1 / amount + 1 / volume)
            amount *= factor!
          }
          expect(ultimate).toBeCloseTo(amount, 6)
          expect(standardError).toBeCloseTo(amount * Math.sqrt(squares), 6)
        }
      }),
    )
  })
})
