import fc from 'fast-check'
import { expect, test } from 'vitest'
import { replayOf } from '../../src/time/replay.ts'
import { knownAtAge, type TriangleCount, triangleOf } from '../../src/time/triangle.ts'

const anyCounts = fc.array(
  fc.record({ window: fc.integer({ min: -3, max: 14 }), delay: fc.nat(9), amount: fc.integer({ min: -5, max: 20 }) }),
)

test('the ladder of every past period is that of a triangle of what was known then', () => {
  fc.assert(
    fc.property(anyCounts, fc.integer({ min: 0, max: 20 }), (counts, last) => {
      const now = triangleOf(counts, last)
      const { ladders } = replayOf(now)
      for (const ladder of ladders) {
        const then = triangleOf(counts, ladder.last)
        // A window's net amount of zero counts as an addition to a triangle of pieces, and as one here too.
        expect(ladder.ages).toHaveLength(then.ages.length)
        for (const [age, found] of ladder.ages.entries()) {
          const expected = then.ages[age]!
          expect([found.age, found.windows, found.reason]).toEqual([age, expected.windows, expected.reason])
          for (const name of ['factor', 'variance', 'volume', 'completeness', 'ownError', 'sharedError'] as const) {
            if (expected[name] === null) expect(found[name], name).toBeNull()
            else expect(found[name], name).toBeCloseTo(expected[name], 7)
          }
        }
      }
      expect(ladders.at(-1)?.ages ?? now.ages).toEqual(now.ages)
    }),
  )
})

test('what was known of a window at the end of each past period is what the triangle says', () => {
  fc.assert(
    fc.property(anyCounts, fc.integer({ min: 0, max: 20 }), (counts, last) => {
      const triangle = triangleOf(counts, last)
      const { ladders, knownOf } = replayOf(triangle)
      for (const window of triangle.windows.keys()) {
        const known = ladders.map(({ last: period }) => knownAtAge(triangle, window, period - window) ?? 0)
        expect([...knownOf(window)]).toEqual(known)
      }
    }),
  )
})

test('the past is looked back on as far as it is cheap, however many windows there are and however long delays', () => {
  const many = Array.from({ length: 100_000 }, (_, window): TriangleCount[] => [
    { window, delay: 0, amount: 10 },
    { window, delay: window % 37, amount: 1 },
  ]).flat()
  expect(replayOf(triangleOf(many, 99_999)).ladders).toHaveLength(201)
  const late = [...many, { window: 0, delay: 90_000, amount: 1 }]
  expect(replayOf(triangleOf(late, 99_999)).ladders).toHaveLength(44)
  const never = [...many, { window: 0, delay: 5_000_000, amount: 1 }]
  expect(replayOf(triangleOf(never, 5_000_000)).ladders).toEqual([])
  expect(replayOf(triangleOf([], 9)).ladders).toEqual([])
}, 120_000)
