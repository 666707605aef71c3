import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bool,
  bytes,
  date,
  decimal,
  defineJob,
  defineLog,
  defineView,
  int32,
  int64,
  type LoadedJob,
  loadDefinition,
  loadJob,
  nullable,
  planRebuild,
  rebuild,
  string,
  type Type,
  timestamp,
  traceKey,
  uint64,
  uuid,
} from '../../src/index.ts'
import type { Manifest } from '../../src/model/manifest.ts'
import { disk } from '../../src/storage/disk.ts'
import { findCurrent, readManifest } from '../../src/storage/generations.ts'
import { readPublished, scratch, writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

const folder = scratch('views-of-views')
afterAll(folder.remove)

const columns = { id: string(), account: string(), branch: string(), at: timestamp(), amount: int64() }
const start = Date.UTC(2026, 0, 1) * 1000
const hour = 3_600_000_000

const event = (i: number, account: string, branch: string, amount: number) => ({
  ...{ id: `e${i}`, account, branch, amount, at: start + i * hour },
})

function jobOf(files: string, only?: readonly string[]) {
  const ledger = defineLog({
    name: 'ledger',
    files,
    columns: { id: 'id', key: 'account', occurredAt: 'at', recordedAt: 'at' },
    fields: { amount: int64(), branch: string() },
  })
  const balances = defineView({
    name: 'balances',
    log: ledger,
    state: { balance: int64(), branch: string() },
    on: {
      Event: (account, e) => {
        account.balance += e.amount
        account.branch = e.branch
      },
    },
  })
  const branches = defineView({
    name: 'branches',
    log: defineLog({ view: balances }),
    key: { branch: string() },
    keyBy: (e) => ({ branch: e.branch }),
    state: { accounts: int32(), total: int64(), last: string() },
    on: {
      Event: (branch, e) => {
        branch.accounts++
        branch.total += e.balance
        branch.last = e.key
      },
    },
  })
  const bank = defineView({
    name: 'bank',
    log: defineLog({ view: branches, name: 'rows of branches' }),
    key: { bank: string() },
    keyBy: () => ({ bank: 'all' }),
    state: { total: int64(), branches: int32() },
    on: {
      '*': (all, e) => {
        all.total += e.total
        all.branches++
      },
    },
  })
  const days = defineView({
    name: 'days',
    log: ledger,
    window: { every: 'day', name: 'day', allowedLateness: '1 day' },
    state: { amount: int64() },
    on: {
      Event: (day, e) => {
        day.amount += e.amount
      },
    },
  })
  const statuses = defineView({
    name: 'statuses',
    log: defineLog({ view: days, fields: { day: date(), status: string(), amount: int64() } }),
    key: { status: string() },
    keyBy: (e) => ({ status: e.status }),
    state: { days: int32(), amount: int64() },
    on: {
      Event: (status, e) => {
        status.days++
        status.amount += e.amount
      },
    },
  })
  const views = [bank, statuses, branches, balances, days]
  return defineJob({ views: views.filter(({ name }) => only?.includes(name) ?? true) })
}

const rows = [
  event(0, 'a', 'north', 100),
  event(1, 'b', 'north', 7),
  event(2, 'c', 'south', 5),
  event(3, 'a', 'north', -30),
  event(30, 'c', 'south', 1),
]
const log = join(folder.path, 'log.parquet')

let job: LoadedJob
beforeAll(async () => {
  writeRows(log, columns, rows)
  job = await loadDefinition(jobOf(log))
})

const text = `import { defineJob, defineLog, defineView, int32, int64, string } from 'refold'
const ledger = defineLog({ name: 'ledger', files: ${JSON.stringify(log)}, columns: { id: 'id', key: 'account', recordedAt: 'at' }, fields: { amount: int64() } })
export const balances = defineView({ name: 'balances', log: ledger, state: { balance: int64() }, on: { Event: (a, e) => { a.balance += e.amount } } })
export const bank = defineView({
  name: 'bank', log: defineLog({ view: balances }), key: { bank: string() }, keyBy: () => ({ bank: 'all' }),
  state: { total: int64(), accounts: int32() }, on: { Event: (s, e) => { s.total += e.balance; s.accounts++ } },
})
`

const published = (out: string, view: string) => {
  const { generation } = findCurrent(out, view, disk)!
  return readPublished(join(out, view, generation)).rows
}

function manifestOf(out: string, view: string): Manifest {
  return readManifest(out, view, findCurrent(out, view, disk)!.generation, disk)
}

describe('a view of the rows of another', () => {
  test('is built after it, in whatever order the job names them', async () => {
    const out = join(folder.path, 'all')
    const report = await rebuild(job, { out, workers: 0 })
    expect(published(out, 'branches')).toEqual([
      { branch: 'north', accounts: 2, total: 77, last: 'b' },
      { branch: 'south', accounts: 1, total: 6, last: 'c' },
    ])
    expect(published(out, 'bank')).toEqual([{ bank: 'all', total: 83, branches: 2 }])
    expect(published(out, 'statuses')).toEqual([{ status: 'provisional', days: 2, amount: 83 }])
    // What is counted as read is what logs held.
    expect(report.events).toBe(5)
    expect(report.views.map(({ view, counters: { read, applied } }) => [view, read, applied])).toEqual([
      ['balances', 5, 5],
      ['days', 5, 5],
      ['statuses', 2, 2],
      ['branches', 3, 3],
      ['bank', 2, 2],
    ])
    expect(new Set(report.stages.map(({ stage }) => stage)).size).toBe(report.stages.length)
  })

  test('names in its manifest the generation whose rows it was made of', () => {
    const out = join(folder.path, 'all')
    const { generation } = findCurrent(out, 'balances', disk)!
    expect(manifestOf(out, 'branches').inputs).toEqual([
      expect.objectContaining({
        log: 'balances',
        view: 'balances',
        rows: 3,
        path: `${out}/balances/${generation}/part-00000.parquet`,
      }),
    ])
  })

  test('is published alone where it alone is asked for, with the same bytes', async () => {
    const out = join(folder.path, 'alone')
    await rebuild(job, { out, workers: 0, views: ['bank'] })
    expect(readdirSync(out)).toEqual(['bank'])
    expect(manifestOf(out, 'bank').digest).toBe(manifestOf(join(folder.path, 'all'), 'bank').digest)
    expect(manifestOf(out, 'bank').inputs[0]!.path).toBe('branches (not published)/part-00000.parquet')
  })

  test('is of the same moment as what it is made of', async () => {
    const out = join(folder.path, 'then')
    const knownAt = '2026-01-01T02:00:00Z'
    await rebuild(job, { out, workers: 0, knownAt })
    expect(published(out, 'bank')).toEqual([{ bank: 'all', total: 112, branches: 2 }])
    expect(manifestOf(out, 'bank').options).toEqual(manifestOf(out, 'balances').options)
    expect(manifestOf(out, 'bank').options.knownAt).toBe('2026-01-01T02:00:00.000000Z')
  })

  test('has another fingerprint where the logic of the other is another', async () => {
    const path = join(folder.path, 'logic.ts')
    const fingerprints = async (source: string) => {
      writeFileSync(path, source)
      const { fingerprints, dispose } = await loadJob(path)
      dispose()
      return fingerprints
    }
    const job = `${text}export default defineJob({ views: [balances, bank] })\n`
    const [before, after] = [await fingerprints(job), await fingerprints(job.replace('+= e.amount', '-= e.amount'))]
    expect(after.get('bank')).not.toBe(before.get('bank'))
    const moved = await fingerprints(job.replace('log.parquet', 'other.parquet').replace('a.balance', 'a . balance'))
    expect(moved.get('bank')).toBe(before.get('bank'))
  })

  test('leaves nothing behind where one of several fails', async () => {
    const out = join(folder.path, 'failed')
    const balances = jobOf(log, ['balances']).views[0]!
    const broken = defineView({
      name: 'broken',
      log: defineLog({ view: balances as typeof balances, fields: { balance: int64() } }),
      key: { all: string() },
      keyBy: () => ({ all: 'all' }),
      state: { n: int32() },
      on: {
        '*': () => {
          throw new Error('no')
        },
      },
    })
    const failing = await loadDefinition(defineJob({ views: [balances, broken] }))
    await expect(rebuild(failing, { out, workers: 0 })).rejects.toThrow('View broken')
    expect(readdirSync(out).flatMap((view) => readdirSync(join(out, view)))).toEqual([])
  })

  test('may be empty, as the other is', async () => {
    const out = join(folder.path, 'empty')
    await rebuild(job, { out, workers: 0, knownAt: '2020-01-01' })
    expect(published(out, 'bank')).toEqual([])
    expect(manifestOf(out, 'bank').counters.read).toBe(0)
  })

  test('reads rows whose key is null, or has one', async () => {
    const out = join(folder.path, 'nulls')
    const files = join(folder.path, 'nulls.parquet')
    const notes = ['b', null, 'a', null, '']
    const rows = notes.map((note, i) => ({ id: `e${i}`, note, at: start + i, amount: 2 ** i }))
    writeRows(files, { id: string(), note: nullable(string()), at: timestamp(), amount: int64() }, rows)
    const notesView = defineView({
      name: 'notes',
      log: defineLog({
        ...{ name: 'log', files, columns: { id: 'id', recordedAt: 'at' } },
        fields: { amount: int64(), note: nullable(string()) },
      }),
      key: { note: nullable(string()), odd: int32() },
      keyBy: (e) => ({ note: e.note, odd: e.amount % 2 }),
      state: { sum: int64() },
      on: {
        Event: (s, e) => {
          s.sum += e.amount
        },
      },
    })
    const order = defineView({
      name: 'order',
      log: defineLog({ view: notesView }),
      key: { all: string() },
      keyBy: () => ({ all: 'all' }),
      state: { notes: string() },
      on: {
        Event: (s, e) => {
          s.notes += `${e.note ?? 'null'}:${e.sum} `
        },
      },
    })
    const loaded = await loadDefinition(defineJob({ views: [notesView, order] }))
    await rebuild(loaded, { out, workers: 0 })
    expect(published(out, 'order')).toEqual([{ all: 'all', notes: 'null:10 :16 a:4 b:1 ' }])
  })

  test('is traced in rows that are built on the side', async () => {
    const { events, rows, log } = await traceKey(job, { view: 'branches', key: ['north'] })
    expect(log).toBe('balances')
    expect(events.map(({ event, after }) => [event, after])).toEqual([
      ['a', { accounts: 1, total: 70, last: 'a' }],
      ['b', { accounts: 2, total: 77, last: 'b' }],
    ])
    expect(rows).toEqual([{ branch: 'north', accounts: 2, total: 77, last: 'b' }])
  })

  test('is planned when the other is built', async () => {
    const { logs, later } = await planRebuild(job, { out: '', workers: 0 })
    expect(logs.map(({ name }) => name)).toEqual(['ledger'])
    expect(later).toEqual([
      { view: 'statuses', of: 'days' },
      { view: 'branches', of: 'balances' },
      { view: 'bank', of: 'branches' },
    ])
  })

  test('can have a row for each of several rows of a key, with ids that are named', async () => {
    const out = join(folder.path, 'several')
    const ledger = jobOf(log).views.find(({ name }) => name === 'balances')!.log!
    const halves = defineView({
      name: 'halves',
      log: ledger,
      state: { sum: int64() },
      on: {
        Event: (account, e) => {
          account.sum += e.amount as number
        },
      },
      columns: { half: int32(), sum: int64() },
      row: ({ sum }) => [
        { half: 1, sum: Math.floor(sum / 2) },
        { half: 2, sum: Math.ceil(sum / 2) },
      ],
    })
    const perHalf = (ids: readonly string[] | undefined) =>
      defineView({
        name: 'per-half',
        log: defineLog({ view: halves, ...(ids && { columns: { id: ids } }) }),
        key: { half: int32() },
        keyBy: (e) => ({ half: e.half }),
        state: { sum: int64() },
        on: {
          Event: (half, e) => {
            half.sum += e.sum
          },
        },
      })
    const ambiguous = await loadDefinition(defineJob({ views: [halves, perHalf(undefined)] }))
    await expect(rebuild(ambiguous, { out, workers: 0 })).rejects.toThrow('different contents')
    const named = await loadDefinition(defineJob({ views: [halves, perHalf(['account', 'half'])] }))
    await rebuild(named, { out, workers: 0 })
    expect(published(out, 'per-half')).toEqual([
      { half: 1, sum: 41 },
      { half: 2, sum: 42 },
    ])
  })
})

describe('a job with views of views', () => {
  test('gives the same bytes with threads, in any layout of the log and any budget', async () => {
    const path = join(folder.path, 'bank.ts')
    writeFileSync(path, `${text}export default defineJob({ views: [bank, balances] })\n`)
    const loaded = await loadJob(path)
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(0, 1, 2),
          fc.constantFrom(undefined, 1_000),
          fc.shuffledSubarray(rows, { minLength: rows.length }),
          async (workers, memoryBytes, shuffled) => {
            const files = join(folder.path, 'shuffled.parquet')
            writeRows(files, columns, shuffled)
            const out = join(folder.path, 'threads')
            const inputs = { ledger: files }
            await rebuild(loaded, { out, workers, inputs, ...(memoryBytes !== undefined && { memoryBytes }) })
            expect(published(out, 'bank')).toEqual([{ bank: 'all', total: 83, accounts: 3 }])
            expect(readdirSync(join(out, 'bank')).filter((name) => /^\d/.test(name))).toHaveLength(1)
          },
        ),
        { numRuns: 6 },
      )
    } finally {
      loaded.dispose()
    }
  }, 60_000)

  test.each([
    [
      'needs the other view',
      `${text}export default defineJob({ views: [bank] })`,
      `log "balances": expected the rows of a view of the job, found those of view "balances", which isn't in the job; add it to the job's views, or read what is published of it: files: 'views/balances'`,
    ],
    [
      'has no windows over rows',
      `${text}const w = defineView({ name: 'w', log: defineLog({ view: balances, name: 'again' }), window: { every: 'day', allowedLateness: '1 day' }, state: { n: int32() }, on: { Event: () => {} } })
export default defineJob({ views: [balances, w] })`,
      `view "w": window: the rows of view "balances" are no events: they don't come late, they change; fold the events of its own log instead`,
    ],
  ])('%s', async (_, source, message) => {
    const path = join(folder.path, 'wrong.ts')
    writeFileSync(path, source)
    await expect(loadJob(path)).rejects.toThrow(message)
  })

  test('has no vintages of rows, and no other files in their place', () => {
    const run = (...parameters: string[]) => refold(['rebuild', 'bank.ts', ...parameters], { cwd: folder.path })
    expect(run('--vintages', 'day')).toMatchObject({
      exitCode: 2,
      stderr: `refold: --vintages: view bank is made of the rows of view balances, which don't say when they became so. Leave it out with --view.\n`,
    })
    expect(run('--input', 'balances=x.parquet')).toMatchObject({
      exitCode: 2,
      stderr: 'refold: Cannot read log balances from other files: the views read ledger.\n',
    })
  })
})

describe('a view of the rows of one whose key is of any type', () => {
  const large = 2n ** 64n - 1n
  const keys: readonly [string, Type, unknown, unknown][] = [
    ['bool', bool(), false, true],
    ['decimal without digits after the point', decimal(9, 0), 7, -7],
    ['decimal', decimal(9, 2), 1234, -1],
    ['wide decimal', decimal(30, 0), 10n ** 25n, -1n],
    ['uuid', uuid(), '00000000-0000-0000-0000-000000000001', 'ffffffff-9dad-11d1-80b4-00c04fd430c8'],
    ['bytes', bytes(), '00', 'ff'],
    ['uint64', uint64(), 1n, large],
    ['date', date(), 0, -1],
    ['timestamp', timestamp(), 0, -1],
  ]

  test.each(keys)('%s', async (name, type, first, second) => {
    const files = join(folder.path, `keys-${name}.parquet`)
    writeRows(files, { id: string(), part: type, at: timestamp(), amount: int64() }, [
      ...[first, second, first].map((part, i) => ({ id: `e${i}`, part, at: start + i, amount: 10 ** i })),
    ])
    const definitions = (partOfKey: boolean) => {
      const sums = defineView({
        name: 'sums',
        log: defineLog({
          name: 'log',
          files,
          columns: { id: ['id', { ...type, from: 'part' }], key: { ...type, from: 'part' }, recordedAt: 'at' },
          fields: { part: type, amount: int64() },
        }),
        ...(partOfKey && {
          key: { part: type, all: bool() },
          keyBy: (e: { part: unknown }) => ({ part: e.part, all: true }),
        }),
        state: { amount: int64() },
        on: {
          '*': (sum: { amount: number }, e: { amount: number }) => {
            sum.amount += e.amount
          },
        },
      } as never) as ReturnType<typeof jobOf>['views'][number]
      const total = defineView({
        name: 'total',
        log: defineLog({ view: sums, fields: { part: type, amount: int64() } }),
        key: { all: bool() },
        keyBy: () => ({ all: true }),
        state: { keys: string(), amount: int64() },
        on: {
          '*': (all, e) => {
            all.keys += `${e.part} `
            all.amount += e.amount
          },
        },
      })
      return defineJob({ views: [sums, total] })
    }
    for (const partOfKey of [false, true]) {
      const out = join(folder.path, `keys-${name}-${partOfKey}`)
      await rebuild(await loadDefinition(definitions(partOfKey)), { out, workers: 0 })
      const [row] = published(out, 'total') as [{ keys: string; amount: number }]
      expect(row.amount).toBe(111)
      expect(row.keys.trim().split(' ').sort()).toEqual([String(first), String(second)].sort())
    }
  })
})
