import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { estimatesOf } from '../../src/time/calibration.ts'
import type { TriangleCount } from '../../src/time/triangle.ts'
import { coverage, ladderAlone } from '../support/coverage.ts'
import { readCsv, realData, skipReason } from '../support/real-data.ts'

/** Intervals of real figures; see `coverage`. The tables are those of decisions/029. */
const dayOf = (date: string) => Date.parse(date) / 86_400_000

const hus = realData('hus_triangle')
const taiwan = realData('taiwan_backlog')

describe.skipIf(hus === undefined)(`intervals for cases of the outbreak of 2011${skipReason('hus_triangle')}`, () => {
  const counts = (hus === undefined ? [] : readCsv(join(hus, 'husO104Hosp.csv'))).map((row): TriangleCount => {
    const window = dayOf(row['dHosp']!)
    return { window, delay: Math.max(0, dayOf(row['dReport']!) - window), amount: 1 }
  })
  // The longest delay is 15 days.
  const replayed = { counts, from: dayOf('2011-05-07'), to: dayOf('2011-07-05'), final: dayOf('2011-06-20') }
  const groups = [
    [0, 2],
    [3, 4],
    [5, 6],
    [7, 9],
    [10, 14],
    [15, 20],
  ] as const

  it('hold as often as they say, or more often where figures are small whole numbers', () => {
    expect(coverage(replayed, groups, estimatesOf)).toEqual([
      { ages: '0–2', estimates: 0, held: [null, null, null], width: null },
      { ages: '3–4', estimates: 5, held: [20, 60, 80], width: 10.56 },
      { ages: '5–6', estimates: 37, held: [65, 95, 100], width: 3.67 },
      { ages: '7–9', estimates: 84, held: [76, 94, 96], width: 2 },
      { ages: '10–14', estimates: 179, held: [80, 91, 98], width: 0.71 },
      { ages: '15–20', estimates: 223, held: [100, 100, 100], width: 0 },
    ])
  })

  it('of the ladder alone hold less often', () => {
    expect(coverage(replayed, groups, ladderAlone)).toEqual([
      { ages: '0–2', estimates: 0, held: [null, null, null], width: null },
      { ages: '3–4', estimates: 15, held: [60, 80, 93], width: 4.18 },
      { ages: '5–6', estimates: 37, held: [51, 81, 92], width: 2.34 },
      { ages: '7–9', estimates: 86, held: [52, 78, 88], width: 1.27 },
      { ages: '10–14', estimates: 180, held: [64, 76, 79], width: 0.52 },
      { ages: '15–20', estimates: 226, held: [100, 100, 100], width: 0 },
    ])
  })
})

describe.skipIf(taiwan === undefined)(`intervals for Taiwan's daily cases${skipReason('taiwan_backlog')}`, () => {
  const counts = (taiwan === undefined ? [] : readCsv(join(taiwan, 'events.csv'))).map((row): TriangleCount => {
    const window = dayOf(row['case_date']!)
    return { window, delay: dayOf(row['report_date']!) - window, amount: Number(row['delta_cases']) }
  })
  // From the first day with backlog on; days up to 28 May are final at the end.
  const replayed = { counts, from: dayOf('2021-05-22'), to: dayOf('2021-06-06'), final: dayOf('2021-05-28') }
  // Provisional are days of up to 8 days ago.
  const groups = [
    [0, 2],
    [3, 5],
    [6, 8],
    [0, 8],
  ] as const

  it('hold as often as they say, but of ages at which backlog was first announced', () => {
    expect(coverage(replayed, groups, estimatesOf)).toEqual([
      { ages: '0–2', estimates: 24, held: [33, 88, 100], width: 1.12 },
      { ages: '3–5', estimates: 33, held: [15, 33, 94], width: 0.56 },
      { ages: '6–8', estimates: 42, held: [17, 64, 88], width: 0.12 },
      { ages: '0–8', estimates: 99, held: [20, 60, 93], width: 0.37 },
    ])
  })

  it('of the ladder alone hold for few', () => {
    expect(coverage(replayed, groups, ladderAlone)).toEqual([
      { ages: '0–2', estimates: 24, held: [21, 38, 46], width: 0.5 },
      { ages: '3–5', estimates: 33, held: [6, 9, 21], width: 0.24 },
      { ages: '6–8', estimates: 42, held: [2, 7, 10], width: 0.06 },
      { ages: '0–8', estimates: 99, held: [8, 15, 22], width: 0.17 },
    ])
  })
})
