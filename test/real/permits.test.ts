import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readCsv, realData, rebuildIn, skipReason } from '../support/real-data.ts'

const data = realData('receipt')

/** `2011-10-11 13:45:40.276000+02:00` as the Parquet file has it: nanoseconds of the wall clock, without its offset. */
const nanosecondsOf = (text: string) => BigInt(Date.parse(`${text.slice(0, 23)}Z`)) * 1_000_000n

describe.skipIf(data === undefined)(`the permit cases of a municipality${skipReason('receipt')}`, () => {
  let result: Awaited<ReturnType<typeof rebuildIn>>
  beforeAll(async () => {
    result = await rebuildIn(join(data!, '..'), 'test/real/jobs/permits.ts')
  })

  it('folds 8,577 events to 1,434 cases', () => {
    expect(result.report.events).toBe(8577)
    expect(result.rowsOf('cases')).toHaveLength(1434)
    expect(result.rowsOf('cases').reduce((events, row) => events + (row.events as number), 0)).toBe(8577)
  })

  it('keeps nanoseconds exact: first and last event of each case, as the log exported to text has them', () => {
    const moments = Map.groupBy(readCsv(join(data!, 'receipt.csv.gz')), (row) => row['case:concept:name']!)
    const expected = new Map(
      [...moments].map(([name, rows]) => {
        const at = rows.map((row) => nanosecondsOf(row['time:timestamp']!)).sort((a, b) => Number(a - b))
        return [name, [rows.length, at[0], at.at(-1)]]
      }),
    )
    const found = new Map(
      result.rowsOf('cases').map((row) => [row['case:concept:name'], [row.events, row.firstAt, row.lastAt]]),
    )
    expect(found).toEqual(expected)
  })
})
