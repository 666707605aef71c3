import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Row, readRows, realData, rebuildIn, skipReason } from '../support/real-data.ts'

const data = realData('ipl')

describe.skipIf(data === undefined)(`cricket, ball by ball${skipReason('ipl')}`, () => {
  let innings: Row[]
  let report: Awaited<ReturnType<typeof rebuildIn>>['report']

  beforeAll(async () => {
    const result = await rebuildIn(join(data!, '..'), 'test/real/jobs/cricket.ts')
    innings = result.rowsOf('innings')
    report = result.report
  })

  it('counts every ball of every innings', () => {
    expect(report.views[0]!.counters).toMatchObject({ read: 278_205, applied: 278_205, duplicate: 0 })
    expect(innings.reduce((balls, row) => balls + (row.balls as number), 0)).toBe(278_205)
    expect(innings).toHaveLength(2365)
  })

  it('finds the total of every innings to be what the batter and extras made', () => {
    const wrong = innings.filter((row) => (row.batter as number) + (row.extras as number) !== row.total)
    expect(wrong).toEqual([])
    expect(innings.reduce((runs, row) => runs + (row.total as number), 0)).toBe(374_283)
  })

  it('finds the winner by the folded score in 1,132 of 1,146 decided matches; the others were shortened by rain', async () => {
    const scores = Map.groupBy(
      innings.filter((row) => (row.inning as number) <= 2),
      (row) => row.match,
    )
    const matches = await readRows(join(data!, 'matches.parquet'))
    const decided = matches.filter((match) => match.winner !== null)
    const found = decided.filter((match) => {
      const [first, second] = scores.get(match.match_id)!.sort((a, b) => (b.total as number) - (a.total as number))
      return first!.team === match.winner && first!.total !== second!.total
    })
    expect([found.length, decided.length]).toEqual([1132, 1146])
  })

  it('is refused where ids are said to be unique and two different balls have the same', async () => {
    const checked = rebuildIn(join(data!, '..'), 'test/real/jobs/cricket-checked.ts')
    await expect(checked).rejects.toMatchObject({ name: 'ConflictError' })
  })
})
