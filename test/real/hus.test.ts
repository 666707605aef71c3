import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeCalendar } from '../../src/time/calendar.ts'
import { estimateOf } from '../../src/time/estimate.ts'
import { parseMoment } from '../../src/time/moments.ts'
import { knownAtAge, type TriangleCount, triangleOf } from '../../src/time/triangle.ts'
import { readCsv, realData, skipReason } from '../support/real-data.ts'

/**
 * Cases of the EHEC/HUS outbreak of 2011 in Germany: when a patient came to a hospital, and when the public health institute was
 * told. Every past day is gone back to, its estimates are made from what was known then and held against what became known.
 */
const data = realData('hus_triangle')
const days = makeCalendar({ every: 'day', zone: 'Europe/Berlin', unit: 'ms' })
const dayOf = (date: string) =>
  days.indexOf(parseMoment(`${date}T00:00`, { unit: 'ms', zone: 'Europe/Berlin', option: 'the day' }))

describe.skipIf(data === undefined)(`cases of the outbreak of 2011${skipReason('hus_triangle')}`, () => {
  const cases = (data === undefined ? [] : readCsv(join(data, 'husO104Hosp.csv'))).map((row) => ({
    hospital: row.dHosp!,
    report: row.dReport!,
  }))
  const counts = cases.map(({ hospital, report }): TriangleCount => {
    const window = dayOf(hospital)
    return { window, delay: Math.max(0, dayOf(report) - window), amount: 1 }
  })
  const [first, last] = [dayOf('2011-05-07'), dayOf('2011-07-05')]

  it('make a triangle that counts what was reported by each day', () => {
    expect(cases).toHaveLength(630)
    const dates = Array.from({ length: last - first + 1 }, (_, i) =>
      new Date(Date.UTC(2011, 4, 7 + i)).toISOString().slice(0, 10),
    )
    for (const [i, today] of dates.entries()) {
      const triangle = triangleOf(counts, first + i)
      for (const [j, date] of dates.slice(0, i + 1).entries()) {
        const direct = cases.filter(({ hospital, report }) => hospital === date && report <= today).length
        expect(knownAtAge(triangle, first + j, i - j), `${date} as known on ${today}`).toBe(direct)
      }
    }
  })

  it('are foreseen nearer than by what is known, once enough is known', () => {
    const final = triangleOf(counts, last)
    const replays = [0, 1, 2, 3, 4, 5, 6, 7].map((age) => replay(age, final))
    expect(replays).toEqual([
      { age: 0, days: 0, known: null, estimated: null, within: null },
      { age: 1, days: 0, known: null, estimated: null, within: null },
      { age: 2, days: 0, known: null, estimated: null, within: null },
      { age: 3, days: 3, known: 9, estimated: 23.09, within: 1 },
      { age: 4, days: 12, known: 17.17, estimated: 15.21, within: 0.92 },
      { age: 5, days: 22, known: 9.77, estimated: 6.24, within: 0.95 },
      { age: 6, days: 23, known: 8.83, estimated: 4.77, within: 0.96 },
      { age: 7, days: 25, known: 7.84, estimated: 4.06, within: 0.96 },
    ])
  })

  /** Errors at an age, over all past days on which there was an estimate. */
  function replay(age: number, final: ReturnType<typeof triangleOf>) {
    const replayed = []
    for (let today = first + age; today <= last; today++) {
      const window = today - age
      const actual = final.windows.get(window)?.known ?? 0
      const estimate = estimateOf(triangleOf(counts, today), window)
      if (estimate.ultimate !== null) replayed.push({ actual, ...estimate, ultimate: estimate.ultimate })
    }
    const mean = (numbers: readonly number[]) =>
      numbers.length === 0
        ? null
        : Math.round((100 * numbers.reduce((sum, one) => sum + one, 0)) / numbers.length) / 100
    return {
      age,
      days: replayed.length,
      known: mean(replayed.map(({ actual, known }) => Math.abs(actual - known))),
      estimated: mean(replayed.map(({ actual, ultimate }) => Math.abs(actual - ultimate))),
      // A number of cases is whole, so the interval's ends are taken to the next whole ones.
      within: mean(
        replayed.map(({ actual, low, high }) => Number(actual >= Math.floor(low!) && actual <= Math.ceil(high!))),
      ),
    }
  }
})
