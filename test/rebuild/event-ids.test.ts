import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  bool,
  date,
  decimal,
  defineJob,
  defineLog,
  defineView,
  int64,
  json,
  type Type,
  timestamp,
  uuid,
} from '../../src/index.ts'
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

test.each<[string, Type, unknown, string]>([
  ['a bool', bool(), true, 'true'],
  ['a decimal without digits after the point', decimal(9, 0), 7, '7'],
  ['a wide decimal', decimal(30, 0), 10n ** 25n, '10000000000000000000000000'],
  ['a UUID', uuid(), '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
  ['a day', date(), 18_772, '2021-05-25'],
])('%s may be declared as part of an id', async (name, type, part, text) => {
  const files = join(folder.path, `${name}.parquet`)
  const rows = [1, 1, 2].map((no, i) => ({ part, no, amount: i < 2 ? 5 : -5 }))
  writeRows(files, { part: type, no: int64(), amount: int64() }, rows)
  const log = defineLog({
    name: 'log',
    files,
    columns: { id: [{ ...type, from: 'part' }, int64('no')] },
    fields: { amount: int64() },
  })
  const view = defineView({
    name: 'sums',
    log,
    key: { all: bool() },
    keyBy: () => ({ all: true }),
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
  const { views } = await rebuild(job, { out: join(folder.path, name), workers: 0 })
  expect(readExceptions(views[0]!.path).map(({ reason, event_id }) => [reason, event_id])).toEqual([
    ['duplicate', `${text}/1`],
    ['handler failed', `${text}/2`],
  ])
})

test('a part of an id without a declaration is refused with the one to write, and so is what can be no part', async () => {
  const files = join(folder.path, 'bare.parquet')
  writeRows(files, { flag: bool(), no: int64() }, [{ flag: true, no: 1 }])
  const run = async (id: (string | Type)[]) => {
    const log = defineLog({ name: 'log', files, columns: { id, key: int64('no') } })
    const view = defineView({ name: 'v', log, orderFree: true, state: { n: int64() }, on: { '*': (s) => void s.n++ } })
    return rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out: join(folder.path, 'bare'), workers: 0 })
  }
  await expect(run(['no', 'flag'])).rejects.toThrow("Declare id[1]: bool('flag').")
  await expect(run(['no', bool('flag')])).resolves.toBeDefined()
  await expect(run([bool('flag')])).rejects.toThrow("columns.id[0]: a bool can't distinguish events")
  await expect(run(['no', json('flag')])).rejects.toThrow("columns.id[1]: a json value can't be part of an id")
  await expect(run(['no', bool()])).rejects.toThrow('columns.id[1]: expected a type with its column')
})
