import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCsv, realData, skipReason, temporaryFolder } from '../support/real-data.ts'
import { refold } from '../support/refold.ts'

const data = realData('taiwan_backlog')
const because = skipReason('taiwan_backlog')

interface Printed {
  readonly day: string
  readonly cases: number
  readonly status: string
  readonly completeness: number | null
  readonly estimate: number | null
}

describe.skipIf(data === undefined)(`the daily cases of Taiwan on the command line${because}`, () => {
  const { path: out, remove } = temporaryFolder('taiwan')
  afterAll(remove)
  beforeAll(() => {
    expect(refold(['rebuild', 'jobs/taiwan-backlog.ts', '--out', out]).exitCode).toBe(0)
  })

  const announced = data === undefined ? [] : readCsv(join(data, 'events.csv'))
  const vintages = data === undefined ? [] : readCsv(join(data, 'expected_vintages.csv'))
  const casesAt = (knownAt: string, day: string) =>
    Number(vintages.find((row) => row['known_at'] === knownAt && row['case_date'] === day)!['cases'])

  function run(...parameters: readonly string[]) {
    const { exitCode, stdout, stderr } = refold([...parameters, '--out', out])
    expect(exitCode, stderr).toBe(0)
    return { stdout, stderr }
  }

  it('marks on 25 May the days that could still change, and says that more is to come', () => {
    const { stdout, stderr } = run('show', 'daily-cases', '--tier', 'live', '--known-at', '2021-05-25', '--json')
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Printed)
    const provisional = rows.filter(({ status }) => status === 'provisional')
    expect(provisional.map(({ day }) => day)).toEqual(Array.from({ length: 9 }, (_, i) => `2021-05-${17 + i}`))
    expect(stderr).toContain(
      'Known through 2021-05-25 (Asia/Taipei); 9 of 25 windows are provisional. ' +
        'Figures and estimates count all that was recorded up to 2021-05-25. ',
    )
    for (const { day, cases, completeness, estimate } of provisional) {
      expect(cases, day).toBe(casesAt('2021-05-25', day))
      // They did grow, each of them.
      expect(casesAt('2021-06-06', day), day).toBeGreaterThan(cases)
      expect(completeness, day).toBeLessThan(1)
      expect(estimate, day).toBeGreaterThan(cases)
    }
    // The younger a day, the less of it is known.
    const ages = provisional.map(({ completeness }) => completeness!)
    expect(ages).toEqual(ages.toSorted((a, b) => b - a))
    for (const { day, cases, completeness } of rows.filter(({ status }) => status === 'final')) {
      expect(completeness, day).toBeNull()
      expect(casesAt('2021-06-06', day) / Math.max(1, cases), day).toBeLessThan(1.03)
    }
  })

  it('counts as late after seven days the reports that came later', () => {
    const [{ surveys }] = JSON.parse(refold(['inspect', 'jobs/taiwan-backlog.ts', '--lateness', '--json']).stdout)
    const dayNumber = (text: string) => Date.parse(text) / 86_400_000
    for (const { threshold, late } of surveys[0].thresholds) {
      const days = Number.parseInt(threshold, 10)
      const later = announced.filter((row) => dayNumber(row['report_date']!) > dayNumber(row['case_date']!) + 1 + days)
      expect(late, threshold).toBe(later.length)
    }
  })

  it('traces a day through all that was announced of it', () => {
    const { events } = JSON.parse(run('trace', 'daily-cases', '2021-05-17', '--json').stdout)
    expect(events).toHaveLength(announced.filter((row) => row['case_date'] === '2021-05-17').length)
    for (const { recordedAt, after } of events) {
      // Midnight in Taipei.
      const day = new Date(Date.parse(recordedAt) + 8 * 3_600_000).toISOString().slice(0, 10)
      if (day >= '2021-05-22') expect(after.cases, day).toBe(casesAt(day, '2021-05-17'))
    }
  })

  it('adds up in its triangle to what was announced', () => {
    const found = JSON.parse(run('triangle', 'daily-cases', '--incremental', '--json').stdout)
    const total = announced.reduce((sum, row) => sum + Number(row['delta_cases']), 0)
    const reported = found.ages.reduce((sum: number, age: { reported: number }) => sum + age.reported, 0)
    expect([reported, found.leftOut]).toEqual([total, 0])
    const initial = announced.filter((row) => row['event_type'] === 'INITIAL')
    expect(found.ages[0].reported).toBe(initial.reduce((sum, row) => sum + Number(row['delta_cases']), 0))
  })
})
