import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { date, defineJob, defineLog, defineView, int64, timestamp } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { readExceptions, scratch, writeRows } from '../support/logs.ts'

const folder = scratch('event-ids')
afterAll(folder.remove)

test('ids of days and moments are listed as ISO 8601, whatever refuses their events', async () => {
  const day = Date.UTC(2021, 4, 25) / 86_400_000
  const at = Date.UTC(2021, 4, 16, 6) * 1000
  const rows = [
    { day, at, account: 1, amount: 5 },
    { day, at, account: 1, amount: 5 },
    { day: day + 1, at, account: 1, amount: -5 },
  ]
  writeRows(join(folder.path, 'log.parquet'), { day: date(), at: timestamp(), account: int64(), amount: int64() }, rows)
  const log = defineLog({
    name: 'log',
    files: join(folder.path, 'log.parquet'),
    columns: { id: ['day', 'at'] },
    fields: { account: int64(), amount: int64() },
  })
  const view = defineView({
    name: 'sums',
    log,
    key: { account: int64() },
    keyBy: (e) => ({ account: e.account }),
    onError: 'quarantine',
    orderFree: true,
    state: { amount: int64() },
    on: {
      '*': (sum, e) => {
        if (e.amount < 0) throw new Error('there is not so much')
        sum.amount += e.amount
      },
    },
  })
  const job = loadedFromDefinition(defineJob({ views: [view] }))
  const { views } = await rebuild(job, { out: join(folder.path, 'views'), workers: 0 })
  expect(readExceptions(views[0]!.path).map(({ reason, event_id }) => [reason, event_id])).toEqual([
    ['duplicate', '2021-05-25/2021-05-16T06:00:00.000000Z'],
    ['handler failed', '2021-05-26/2021-05-16T06:00:00.000000Z'],
  ])
})
