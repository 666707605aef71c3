import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readCsv, realData, rebuildIn, skipReason } from '../support/real-data.ts'

const data = realData('receipt')

/** `2011-10-11 13:45:40.276000+02:00` as the Parquet file has it: nanoseconds of the wall clock, without its offset. */
const nanosecondsOf = (text: string) => BigInt(Date.parse(`${text.slice(0, 23)}Z`)) * 1_000_000n

/** Number of events, first and last moment in microseconds, and the longest pause in nanoseconds. */
function summaryOf(moments: readonly bigint[]) {
  const ordered = [...moments].sort((a, b) => Number(a - b))
  const pauses = ordered.slice(1).map((moment, index) => Number(moment - ordered[index]!))
  return [moments.length, Number(ordered[0]! / 1000n), Number(ordered.at(-1)! / 1000n), Math.max(0, ...pauses)]
}

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

  it('keeps nanoseconds exact: first and last event and the longest pause of each case, as its text export has them', () => {
    const rows = Map.groupBy(readCsv(join(data!, 'receipt.csv.gz')), (row) => row['case:concept:name']!)
    const expected = [...rows].map(([name, rows]) => [
      name,
      summaryOf(rows.map((row) => nanosecondsOf(row['time:timestamp']!))),
    ])
    const found = result
      .rowsOf('cases')
      .map((row) => [row['case:concept:name'], [row.events, row.firstAt, row.lastAt, row.longestPause]])
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
  })
})
