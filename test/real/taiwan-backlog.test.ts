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

const withDays = (rows: readonly Row[]) => rows.map((row) => ({ ...row, day: formatDay(row.day as number) }))
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
