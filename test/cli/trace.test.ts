import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { type Ran, refold } from '../support/refold.ts'

const { path: folder, remove } = scratch('trace')
afterAll(remove)

const columns = {
  id: string(),
  account: string(),
  type: string(),
  at: timestamp(),
  known: timestamp(),
  amount: int64(),
}

/** Noon of a day in March 2026. */
const noon = (day: number) => Date.UTC(2026, 2, day, 12) * 1000

const event = (id: string, account: string, type: string, at: number, amount: number, known = at) => ({
  ...{ id, account, type, at: noon(at), known: noon(known), amount },
})

const job = `import { date, dayOf, defineJob, defineLog, defineView, int32, int64, string } from 'refold'
const ledger = defineLog({
  name: 'ledger',
  files: ${JSON.stringify(join(folder, 'log/*.parquet'))},
  columns: { id: 'id', key: 'account', type: 'type', occurredAt: 'at', recordedAt: 'known' },
  fields: { amount: int64() },
})
const pay = (account, e) => {
  if (e.amount > account.balance) throw new Error('there is not so much')
  account.balance -= e.amount
}
const balances = defineView({
  name: 'balances',
  log: ledger,
  filter: (e) => e.amount !== 0,
  onError: 'quarantine',
  state: { balance: int64(), entries: int32() },
  on: {
    In: (account, e) => { account.entries++; account.balance += e.amount },
    Out: (account, e) => { account.entries++; pay(account, e) },
  },
})
const daily = defineView({
  name: 'daily',
  log: ledger,
  key: { day: date(), type: string() },
  keyBy: (e) => ({ day: dayOf(e.occurredAt), type: e.type }),
  state: () => ({ amounts: [] as number[], accounts: {} as Record<string, number> }),
  columns: { events: int32() },
  on: { '*': (day, e) => { day.amounts.push(e.amount); day.accounts[e.key] = e.amount } },
  row: (day) => ({ events: day.amounts.length }),
})
const baskets = defineView({
  name: 'baskets',
  log: ledger,
  state: () => ({ lines: [] as { id: string, amount: number }[], texts: { long: '' } }),
  columns: { lines: int32() },
  on: {
    '*': (basket, e) => {
      if (basket.lines.length === 0) for (let i = 0; i < 50; i++) basket.lines.push({ id: 'line ' + i, amount: i })
      else basket.lines[7].amount += e.amount
      if (e.type === 'Out') basket.lines.push({ id: String(e.id), amount: e.amount })
      basket.texts.long = 'x'.repeat(30 + e.amount)
    },
  },
  row: (basket) => ({ lines: basket.lines.length }),
})
export default defineJob({ views: [balances, daily, baskets] })
`

beforeAll(() => {
  writeFileSync(join(folder, 'ledger.ts'), job)
  const first = [
    event('e1', 'a', 'In', 1, 100),
    event('e2', 'b', 'In', 1, 7),
    event('e3', 'a', 'Out', 2, 30),
    event('e4', 'a', 'Audited', 3, 0),
  ]
  const second = [
    event('e3', 'a', 'Out', 2, 30),
    event('e5', 'a', 'Out', 4, 500),
    event('e6', 'a', 'In', 5, 0),
    // It happened before the others and was recorded last.
    event('e7', 'a', 'In', 1, 5, 9),
  ]
  const other = [event('e8', 'c', 'In', 1, 1), event('e9', 'd', 'In', 1, 1)]
  for (const [name, rows] of Object.entries({ first, other, second })) {
    writeRows(join(folder, `log/${name}.parquet`), columns, rows)
  }
  expect(run('rebuild', 'ledger.ts')).toMatchObject({ exitCode: 3 })
})

function run(...parameters: readonly string[]): Ran {
  return refold(parameters, { cwd: folder })
}

interface Printed {
  readonly events: readonly { readonly event: string; readonly [name: string]: unknown }[]
  readonly rows: readonly unknown[]
  readonly [name: string]: unknown
}

function traced(...parameters: readonly string[]): Printed {
  const { exitCode, stdout, stderr } = run('trace', ...parameters, '--json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as Printed
}

describe('refold trace', () => {
  test('tells what became of every event of a key, in the order of the log', () => {
    const { events, rows, total, rowGroups } = traced('balances', 'a')
    expect(events.map(({ event, outcome }) => [event, outcome])).toEqual([
      ['e1', 'applied'],
      ['e3', 'applied'],
      ['e3', 'duplicate'],
      ['e4', 'filtered'],
      ['e5', 'quarantined'],
      ['e6', 'filtered'],
      ['e7', 'applied'],
    ])
    expect(events.map(({ reason }) => reason)).toEqual([
      null,
      null,
      'the same event is earlier in the log',
      'the view has no handler for its type',
      'handler failed: there is not so much',
      "the view's filter",
      null,
    ])
    expect(events[1]).toMatchObject({
      occurredAt: '2026-03-02T12:00:00.000000Z',
      recordedAt: '2026-03-02T12:00:00.000000Z',
      fields: { amount: 30 },
      before: { balance: 100, entries: 1 },
      after: { balance: 70, entries: 2 },
      changed: ['balance', 'entries'],
      place: { rowGroup: 0, row: 2 },
    })
    // What the handler did before it threw is undone.
    expect(events[4]).toMatchObject({
      before: { balance: 70, entries: 2 },
      after: { balance: 70, entries: 2 },
      changed: [],
    })
    expect(rows).toEqual([{ account: 'a', balance: 75, entries: 3 }])
    expect(JSON.parse(run('get', 'balances', 'a', '--json').stdout)).toEqual(rows[0])
    // The statistics of one file show that it can't hold the key.
    expect({ total, rowGroups }).toEqual({ total: 7, rowGroups: { read: 2, skipped: 1 } })
  })

  test('prints a passbook for people', () => {
    const { stdout, stderr, exitCode } = run('trace', 'balances', 'a', '--limit', '6')
    expect(exitCode).toBe(0)
    expect(
      stdout,
    ).toBe(`event  occurred                     recorded                     type     amount   balance  entries
e3     2026-03-02T12:00:00.000000Z  2026-03-02T12:00:00.000000Z  Out          30  100 → 70    1 → 2
e3     2026-03-02T12:00:00.000000Z  2026-03-02T12:00:00.000000Z  Out          30                     duplicate: the same event is earlier in the log
e4     2026-03-03T12:00:00.000000Z  2026-03-03T12:00:00.000000Z  Audited       0                     filtered: the view has no handler for its type
e5     2026-03-04T12:00:00.000000Z  2026-03-04T12:00:00.000000Z  Out         500        70        2  quarantined: handler failed: there is not so much
e6     2026-03-05T12:00:00.000000Z  2026-03-05T12:00:00.000000Z  In            0                     filtered: the view's filter
e7     2026-03-01T12:00:00.000000Z  2026-03-09T12:00:00.000000Z  In            5   70 → 75    2 → 3

balances
account  balance  entries
a             75        3
`)
    expect(stderr).toBe(
      '1 earlier event; --limit 7 shows all.\n' +
        '7 events: 3 applied, 1 duplicate, 2 filtered, 1 quarantined. 2 row groups read, 1 skipped by their statistics.\n',
    )
  })

  test('traces a computed key and a state of any shape', () => {
    const { events, rows } = traced('daily', '2026-03-01', 'In')
    expect(events.map(({ event }) => event)).toEqual(['e1', 'e2', 'e8', 'e9', 'e7'])
    expect(events[1]).toMatchObject({ after: { amounts: [100, 7], accounts: { a: 100, b: 7 } } })
    expect(events[4]).toMatchObject({
      before: { amounts: [100, 7, 1, 1] },
      after: { amounts: [100, 7, 1, 1, 5], accounts: { a: 5, b: 7, c: 1, d: 1 } },
      changed: ['amounts', 'accounts'],
    })
    expect(rows).toEqual([{ day: '2026-03-01', type: 'In', events: 5 }])
  })

  test('shows of a large state what each event changed', () => {
    const { stdout } = run('trace', 'baskets', 'a', '--limit', '3')
    const lines = stdout.split('\n').slice(1, 4)
    expect(lines.map((line) => line.replace(/^.*?(Audited|Out|In) +\d+ +/, ''))).toEqual([
      'long: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" → "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  [7].amount: 37 → 537, + [51]: {"id":"e5","amount":500}',
      '→ {"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
      '→ {"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}                                   [7].amount: 537 → 542',
    ])
  })

  test('gives programs what changed of a large state, and all of it on demand', () => {
    const last = ({ events }: Printed) => events.at(-1)!
    expect(last(traced('baskets', 'a', '--limit', '2'))).toMatchObject({
      event: 'e7',
      after: { texts: { long: 'x'.repeat(35) } },
      omitted: ['lines'],
      changed: ['lines', 'texts'],
      changes: [
        { path: ['lines', 7, 'amount'], before: 537, after: 542 },
        { path: ['texts', 'long'], before: 'x'.repeat(30), after: 'x'.repeat(35) },
      ],
      moreChanges: 0,
    })
    const whole = last(traced('baskets', 'a', '--limit', '2', '--whole-states'))
    expect(whole).toMatchObject({ omitted: [] })
    expect((whole['after'] as { lines: unknown[] }).lines).toHaveLength(52)
  })

  test('ends where the view stood at a moment', () => {
    const known = traced('balances', 'a', '--known-at', '2026-03-01')
    expect(known).toMatchObject({ total: 1, outside: 6, rows: [{ account: 'a', balance: 100, entries: 1 }] })
    const asOf = traced('balances', 'a', '--as-of', '2026-03-01')
    expect(asOf.events.map(({ event }) => event)).toEqual(['e1', 'e7'])
    for (const moment of [
      ['--known-at', '2026-03-01'],
      ['--as-of', '2026-03-01'],
    ]) {
      const rows = traced('balances', 'a', ...moment).rows
      expect(JSON.parse(run('get', 'balances', 'a', '--json', ...moment).stdout)).toEqual(rows[0])
    }
  })

  test('takes a job for a view that was never built', () => {
    const parameters = ['balances', 'b', '--out', join(folder, 'none')]
    expect(traced(...parameters, '--job', 'ledger.ts').rows).toEqual([{ account: 'b', balance: 7, entries: 1 }])
    const { exitCode, stderr } = run('trace', ...parameters)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Which job is view balances of? Expected --job')
  })

  test('says so where the published row is another, as the log has grown', () => {
    const path = join(folder, 'log/later.parquet')
    writeRows(path, columns, [event('e10', 'b', 'In', 20, 1)])
    const { stdout, stderr } = run('trace', 'balances', 'b')
    expect(stdout).toMatch(/\nb +8 +2\n$/)
    expect(stderr).toMatch(/\nGeneration 000001-\w+ has other rows of this key: the log or the job changed since/)
    rmSync(path)
    expect(run('trace', 'balances', 'b').stderr).not.toContain('Generation')
  })

  test('refuses one id with two contents, as a rebuild does', () => {
    const path = join(folder, 'log/wrong.parquet')
    writeRows(path, columns, [event('e1', 'a', 'In', 1, 101)])
    const { exitCode, stdout, stderr } = run('trace', 'balances', 'a')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^refold: Event e1 is in log ledger with different contents: .* has amount 100, .* 101\./)
    expect(run('rebuild', 'ledger.ts').stderr).toBe(stderr)
    rmSync(path)
  })

  test('says so where a key has no events, and ends with 1', () => {
    expect(run('trace', 'balances', 'z')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'No event of log ledger is of z in view balances.\n',
    })
    const { exitCode, stdout } = run('trace', 'balances', 'z', '--json')
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 1, events: [], rows: [] })
  })

  test.each([
    [['trace', 'daily', '2026-03-01'], 'View daily has the key day, type: expected 2 values, found 1.'],
    [['trace', 'daily', 'today', 'In'], 'Key column day: expected a day such as 2021-05-22, found today.'],
    [
      ['trace', 'weekly', 'a', '--job', 'ledger.ts'],
      'Job ledger has no view "weekly": it has balances, daily, baskets.',
    ],
  ])('%j is wrong usage', (parameters, message) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('refold show and get at a moment', () => {
  test('rebuild the view as it was then, and leave nothing behind', () => {
    const then = run('show', 'balances', '--known-at', '2026-03-02', '--json')
    expect(then).toMatchObject({ exitCode: 0, stderr: '' })
    expect(then.stdout).toContain('{"account":"a","balance":70,"entries":2}\n')
    expect(run('history', 'balances', '--json').stdout.match(/"generation"/g)).toHaveLength(1)
    expect(run('get', 'balances', 'a', '--known-at', '2020-01-01')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'View balances, known at 2020-01-01, has no row of a.\n',
    })
  })

  test.each([
    [['--generation', '1', '--known-at', '2026-03-02'], '--generation and --known-at or --as-of exclude each other'],
    [['--job', 'ledger.ts'], '--job is for --known-at and --as-of'],
    [['--known-at', 'then'], '--known-at: expected a'],
  ])('%j is wrong usage', (parameters, message) => {
    const { exitCode, stdout, stderr } = run('show', 'balances', ...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})
