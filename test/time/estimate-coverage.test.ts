import { describe, expect, it } from 'vitest'
import { estimatesOf } from '../../src/time/calibration.ts'
import { coverage, ladderAlone } from '../support/coverage.ts'
import { type Reporting, reportingOf } from '../support/reporting.ts'

const DAYS = 120
const DELAYS = 30
const groups = [
  [0, 0],
  [1, 2],
  [3, 4],
  [7, 9],
  [10, 14],
] as const

/** How many intervals of 95 % hold at the age at which the fewest do, and how many of the ladder's own do on average, at most. */
const logs: readonly (readonly [string, Partial<Reporting> & Pick<Reporting, 'seed'>, number, number])[] = [
  ['is steady', { seed: 1 }, 93, 96],
  ['has weekdays', { seed: 2, weekdays: true }, 93, 95],
  ['drifts', { seed: 3, drift: 0.15 }, 88, 75],
  // Corrections come late where reporting changes in the same direction for ever.
  ['becomes ever slower', { seed: 5, level: 200, slower: 0.01 }, 80, 60],
  ['becomes ever faster', { seed: 6, level: 200, slower: -0.01 }, 80, 50],
]

describe.each(logs)('where reporting %s', (_, reporting, least, ladderMost) => {
  const counts = reportingOf({ days: DAYS, delays: DELAYS, level: 100, ...reporting })
  const replayed = { counts, from: 0, to: DAYS + DELAYS, final: DAYS - 1 }
  const found = coverage(replayed, groups, estimatesOf)
  const alone = coverage(replayed, groups, ladderAlone)
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

  it('intervals hold at every age, and not by being as wide as can be', () => {
    for (const { ages, held, estimates } of found) {
      expect(estimates, ages).toBeGreaterThan(80)
      expect(held[2], `${ages}: ${held}`).toBeGreaterThanOrEqual(least)
      // As often as they say: half, and four of five.
      expect(held[0], `${ages}: ${held}`).toBeGreaterThanOrEqual(30)
      expect(held[0], `${ages}: ${held}`).toBeLessThanOrEqual(78)
    }
    expect(mean(found.map(({ held }) => held[2]!))).toBeGreaterThanOrEqual(88)
  })

  it('hold more often than those of the ladder alone', () => {
    expect(mean(alone.map(({ held }) => held[2]!))).toBeLessThanOrEqual(ladderMost)
    expect(mean(found.map(({ held }) => held[2]!))).toBeGreaterThan(mean(alone.map(({ held }) => held[2]!)))
  })
})
