import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadJob } from '../../src/job/load.ts'
import { ConfigurationError, ConflictError } from '../../src/model/errors.ts'
import { traceKey } from '../../src/trace/door.ts'
import { type Row, readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('deliveries')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

const start = 1_621_641_600_000_000
const seconds = (n: number) => start + n * 1_000_000

/** Event e1 is delivered three times, e2 twice with the same moment. */
const deliveries: readonly Row[] = [
  ledgerRow(1, { recorded_at: seconds(20), note: 'second' }),
  ledgerRow(1, { recorded_at: seconds(10), note: 'first' }),
  ledgerRow(1, { recorded_at: seconds(30), note: 'third' }),
  ledgerRow(4, { recorded_at: seconds(15), note: 'x' }),
  ledgerRow(4, { recorded_at: seconds(15), note: 'y' }),
  ledgerRow(7, { recorded_at: seconds(40) }),
]

const view = `state: { sum: int64(), seen: json(undefined, { initial: [] }) },
  on: { Deposited: (s, e) => { s.sum += e.amount; s.seen.push([e.id, (e.recordedAt - ${start}) / 1e6, e.note]) } }`
const declare = (keep: string) => `duplicates: { ignore: ['recordedAt', 'note'], keep: '${keep}' }`

function write(rows: readonly Row[], ...cuts: readonly number[]): void {
  const bounds = [0, ...cuts, rows.length]
  for (let file = 0; file + 1 < bounds.length; file++) {
    const own = rows.slice(bounds[file], bounds[file + 1])
    writeRows(join(home, `log/${file}.parquet`), ledgerColumns, own, { rowGroupRows: 2 })
  }
}

async function rebuilt(log: string, options: Parameters<typeof run>[2] = {}) {
  const report = await run(writeJob(home, { log, view }), home, { allowMissingInputs: true, ...options })
  const { rows } = readPublished(report.views[0]!.path)
  return { ...report.views[0]!, ...(rows[0] as { sum: number; seen: [string, number, string | null][] }) }
}

describe('deliveries of one event that differ in when they were recorded', () => {
  test('are a conflict that says what to declare, where nothing is declared', async () => {
    write(deliveries.slice(0, 2))
    const error = await refusal(writeJob(home, { view }), home)
    expect(error).toBeInstanceOf(ConflictError)
    expect(error.message).toContain(
      "If the event was delivered twice and only how it arrived differs, declare it for the log: duplicates: { ignore: ['recordedAt'], keep: 'first' }.",
    )
  })

  test('are a conflict where they differ in more than what is declared', async () => {
    write(deliveries)
    const error = await refusal(writeJob(home, { log: "duplicates: { ignore: ['recordedAt'] }", view }), home)
    expect(error.message).toContain('has note "')
    expect(error.message).toContain("duplicates: { ignore: ['recordedAt', 'note'], keep: 'first' }")
    write(deliveries.map((row, i) => ({ ...row, amount: i })))
    const amounts = await refusal(writeJob(home, { log: declare('last'), view }), home)
    expect(amounts.message).toContain('with different contents')
    expect(amounts.message).toContain('has amount')
    write(deliveries.map((row, i) => ({ ...row, account_id: `a${i}` })))
    const keys = await refusal(writeJob(home, { log: declare('last'), view }), home)
    expect(keys.message).toContain('has key "a')
    expect(keys.message).not.toContain('declare it for the log')
  })

  test.each([
    ['first', ['e1', 10, 'first']],
    ['last', ['e1', 30, 'third']],
  ] as const)('are applied once, the %s', async (keep, expected) => {
    write(deliveries)
    const { sum, seen, counters } = await rebuilt(declare(keep))
    expect(sum).toBe(12)
    expect(seen).toContainEqual(expected)
    expect(seen).toHaveLength(3)
    expect(counters).toEqual({ read: 6, applied: 3, filtered: 0, duplicate: 3, late: 0, quarantined: 0 })
  })

  test('give the same bytes however they are split, and by any number of workers', async () => {
    const digests = new Set<string>()
    for (const [rows, cuts, workers] of [
      [deliveries, [], 0],
      [deliveries.toReversed(), [1, 3], 0],
      [[...deliveries.slice(3), ...deliveries.slice(0, 3)], [2, 4, 5], 2],
      [deliveries.toSorted((a, b) => String(a['note']).localeCompare(String(b['note']), 'en')), [3], 2],
    ] as const) {
      write(rows, ...cuts)
      const { seen } = await rebuilt(declare('last'), { workers })
      digests.add(JSON.stringify(seen))
    }
    expect(digests.size).toBe(1)
  })

  test('count as they were known at a moment', async () => {
    write(deliveries, 2)
    const known = async (keep: string, second: number) => {
      const { seen, counters } = await rebuilt(declare(keep), {
        knownAt: new Date(seconds(second) / 1000).toISOString(),
      })
      expect(counters.read).toBe(counters.applied + counters.filtered + counters.duplicate)
      return seen.find(([id]) => id === 'e1')!
    }
    expect(await known('last', 12)).toEqual(['e1', 10, 'first'])
    expect(await known('last', 25)).toEqual(['e1', 20, 'second'])
    expect(await known('last', 35)).toEqual(['e1', 30, 'third'])
    expect(await known('first', 12)).toEqual(['e1', 10, 'first'])
    expect(await known('first', 35)).toEqual(['e1', 10, 'first'])
  })

  test('are traced as they are kept', async () => {
    write(deliveries, 1, 4)
    for (const [keep, recorded] of [
      ['first', '2021-05-22T00:00:10.000Z'],
      ['last', '2021-05-22T00:00:30.000Z'],
    ] as const) {
      const job = await loadJob(writeJob(home, { log: declare(keep), view }))
      try {
        const { events } = await traceKey(job, { view: 'balances', key: ['a1'] })
        const own = events.filter(({ event }) => event === 'e1')
        expect(own.map(({ outcome }) => outcome).toSorted()).toEqual(['applied', 'duplicate', 'duplicate'])
        const applied = own.find(({ outcome }) => outcome === 'applied')!
        expect(Date.parse(applied.recordedAt!)).toBe(Date.parse(recorded))
        expect(own.find(({ outcome }) => outcome === 'duplicate')!.reason).toBe(
          `another delivery of the event is kept, the ${keep} by recordedAt`,
        )
      } finally {
        job.dispose()
      }
    }
  })

  test('are found by ids that are integers, too', async () => {
    const { int64 } = await import('../../src/model/types.ts')
    const columns = { ...ledgerColumns, event_id: int64() }
    const rows = [3, 1, 2, 1].map((id, i) => ledgerRow(1, { event_id: id, recorded_at: seconds(9 - i), amount: id }))
    writeRows(join(home, 'log/0.parquet'), columns, rows)
    const { seen } = await rebuilt(declare('first'))
    expect(seen.find(([id]) => Number(id) === 1)![1]).toBe(6)
  })

  test('that keep the last can not be told in vintages', async () => {
    write(deliveries)
    const error = await refusal(writeJob(home, { log: declare('last'), view }), home, { vintages: 'day' })
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain("Declare duplicates.keep: 'first'")
    expect((await rebuilt(declare('first'), { vintages: 'day' })).sum).toBe(12)
  })
})

test.each([
  ["duplicates: { ignore: ['recordedAt', 'recordedAt'] }", 'duplicates.ignore: "recordedAt" is listed twice'],
  ["duplicates: { ignore: ['sequence'] }", 'duplicates.ignore: the log has no sequence; leave it out'],
  [
    "duplicates: { ignore: ['key'] }",
    'duplicates.ignore: expected some of recordedAt, sequence, amount, note, found "key"',
  ],
  ["duplicates: { ignore: ['ingested_at'] }", 'found "ingested_at"'],
  ['duplicates: { ignore: [] }', 'expected at least one name'],
  ["duplicates: { ignore: ['note'], keep: 'newest' }", "expected 'first' or 'last', found \"newest\""],
  ["uniqueIds: true, duplicates: { ignore: ['note'] }", 'duplicates: uniqueIds says that there are none'],
])('a log with %s is refused', async (log, message) => {
  const error = await refusal(writeJob(home, { log }), home)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain(message)
})
