import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { formatDay } from '../../src/index.ts'
import { type Row, readCsv, readRows, realData, rebuildIn, skipReason } from '../support/real-data.ts'

const data = realData('taiwan_backlog')
const because = skipReason('taiwan_backlog')
const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Without threads, which would take longer to start than 170 events to fold. */
async function seriesKnownAt(knownAt: string): Promise<Row[]> {
  const { rowsOf } = await rebuildIn(repository, 'jobs/taiwan-backlog.ts', { knownAt, workers: 0 })
  return withDays(rowsOf('daily-cases'))
}

const withDays = (rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, day: formatDay(row.day as number) }))
const curve = (rows: readonly Row[]) => Object.fromEntries(rows.map(({ day, cases }) => [day, cases]))

describe.skipIf(data === undefined)(`the daily cases of Taiwan${because}`, () => {
  const vintages = Map.groupBy(
    data === undefined ? [] : readCsv(join(data, 'expected_vintages.csv')),
    (row) => row.known_at!,
  )
  const expectedAt = (day: string) =>
    Object.fromEntries(vintages.get(day)!.map((row) => [row.case_date, Number(row.cases)]))

  it('holds the announced figures, row for row', async () => {
    const rows = await readRows(join(repository, 'data/taiwan-backlog/*.parquet'))
    const committed = rows.map((row) => [
      formatDay(row.report_date as number),
      formatDay(row.case_date as number),
      row.delta_cases,
      row.event_type,
    ])
    const announced = readCsv(join(data!, 'events.csv'))
    expect(committed).toEqual(
      announced.map((row) => [row.report_date, row.case_date, Number(row.delta_cases), row.event_type]),
    )
  })

  it('folds to the final series', async () => {
    const { rowsOf } = await rebuildIn(repository, 'jobs/taiwan-backlog.ts')
    expect(curve(withDays(rowsOf('daily-cases')))).toEqual(expectedAt('2021-06-06'))
  })

  it('folds to the series as it was known on each of 16 days', async () => {
    expect(vintages.size).toBe(16)
    for (const day of vintages.keys()) expect(curve(await seriesKnownAt(day)), day).toEqual(expectedAt(day))
  })

  it('holds the same 16 days among the vintages of one rebuild', async () => {
    const { report, rowsOf } = await rebuildIn(repository, 'jobs/taiwan-backlog.ts', { vintages: 'day', workers: 0 })
    const known = Map.groupBy(withDays(rowsOf('daily-cases-vintages')), ({ knownAt }) => formatDay(knownAt as number))
    for (const day of vintages.keys()) expect(curve(known.get(day)!), day).toEqual(expectedAt(day))
    for (const [day, rows] of known) {
      const apart = await seriesKnownAt(day)
      expect(
        rows.map(({ knownAt: _, ...row }) => row),
        day,
      ).toEqual(apart)
    }
    expect(report.views.map(({ view, counters }) => [view, counters.applied])).toEqual([
      ['daily-cases', 170],
      ['daily-cases-vintages', 170],
    ])
  })

  it('says of each day when it became final, and how many reports came after that', async () => {
    const { rowsOf } = await rebuildIn(repository, 'jobs/taiwan-backlog.ts', { workers: 0 })
    const rows = withDays(rowsOf('daily-cases'))
    // Known up to midnight of 6 June: windows up to 28 May had their seven days.
    const final = rows.filter(({ status }) => status === 'final').map(({ day }) => day)
    expect([final.at(0), final.at(-1)]).toEqual(['2021-05-01', '2021-05-28'])
    expect(rows.filter(({ status }) => status !== 'final').every(({ status }) => status === 'provisional')).toBe(true)
    const announced = readCsv(join(data!, 'events.csv'))
    const dayNumber = (text: string) => Date.parse(text) / 86_400_000
    const late = announced.filter((row) => dayNumber(row.report_date!) > dayNumber(row.case_date!) + 1 + 7)
    const expected = Object.groupBy(late, (row) => row.case_date!)
    for (const { day, lateEvents } of rows) expect(lateEvents, `${day}`).toBe(expected[day as string]?.length ?? 0)
    expect(late.length).toBeGreaterThan(0)
  })

  it('adds to each day what the report of that day announced as backlog', async () => {
    const days = readCsv(join(data!, 'announced_backlog.csv'))
    let before = 0
    for (const { report_date, backlog_announced } of days) {
      const rows = await seriesKnownAt(report_date!)
      const backlogged = rows.reduce((sum, row) => sum + (row.backlogged as number), 0)
      expect(backlogged - before, report_date).toBe(Number(backlog_announced))
      before = backlogged
    }
  })
})
