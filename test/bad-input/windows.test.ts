import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, InputError } from '../../src/model/errors.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import { nullable, timestamp } from '../../src/model/types.ts'
import { type Row, scratch, writeRows } from '../support/logs.ts'
import {
  type JobText,
  ledgerColumns,
  ledgerRow,
  ledgerRows,
  publishSound,
  refusal,
  writeJob,
} from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('windows')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

const timed = `id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at', occurredAt: 'occurred_at'`
const body = 'state: { n: int32() }, on: { Deposited: (day) => { day.n++ } }'
const window = (more: string) => `window: { every: 'day', allowedLateness: '7 days', ${more} }, ${body}`

async function refused(text: JobText, options: Partial<RebuildOptions> = {}) {
  return refusal(writeJob(home, { columns: timed, view: window(''), ...text }), home, options)
}

function write(rows: readonly Row[]): void {
  const columns = { ...ledgerColumns, recorded_at: nullable(timestamp()) }
  writeRows(join(home, 'log/0.parquet'), columns, rows, { rowGroupRows: 2 })
}

describe('a job is refused that', () => {
  test.each<[string, JobText, string]>([
    [
      'names a zone there is not',
      { view: window("zone: 'Asia/Taipeh'") },
      `view "balances": window.zone: expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30', found "Asia/Taipeh"`,
    ],
    [
      'gives a threshold without a unit',
      { view: window("allowedLateness: '7'") },
      `view "balances": window.allowedLateness: expected a unit too, as '7 days', found "7"`,
    ],
    [
      'gives a threshold that is a number',
      { view: window('allowedLateness: 7') },
      `view "balances", window.allowedLateness: expected a number and a unit, as '7 days', found 7`,
    ],
    [
      'has windows of nothing',
      { view: window("every: '0 hours'") },
      `view "balances": window.every: expected windows longer than nothing, found '0 hours'`,
    ],
    [
      'has a policy there is not',
      { view: window("late: 'drop'") },
      `view "balances", window.late: expected 'exceptions' or 'apply', found "drop"`,
    ],
    ['has an option there is not', { view: window("tolerance: '1 day'") }, `unknown option "tolerance"`],
    [
      'has windows without knowing when events happened',
      { columns: `id: 'event_id', recordedAt: 'recorded_at'` },
      `view "balances": window: log "ledger" doesn't say when its events happened; name the column in columns.occurredAt`,
    ],
    [
      'has windows without knowing when events were recorded',
      { columns: `id: 'event_id', sequence: 'amount', occurredAt: 'occurred_at'` },
      `view "balances": window: log "ledger" doesn't say when it received its events, so it isn't known which are late; name the column in columns.recordedAt`,
    ],
    [
      'has a column that windows add',
      {
        view: `window: { every: 'day', allowedLateness: '1 day' }, state: { status: string() }, on: { '*': () => {} }`,
      },
      `view "balances": column "status": a view with windows adds a column of this name; rename yours`,
    ],
    [
      'has a key column of the same name as the window',
      {
        view: `window: { name: 'day', every: 'day', allowedLateness: '1 day' }, key: { day: date() }, keyBy: () => ({ day: 1 }), ${body}`,
      },
      `view "balances": key column "day": the window's column has this name; rename it, or set window.name`,
    ],
    [
      'gives keys that it does not declare',
      { view: `${window('')}, keyBy: (e) => ({ key: e.key })` },
      'view "balances": keyBy: declared without key; declare the columns it gives: key: { … }',
    ],
    [
      'measures what it waits for',
      { view: window('measure: async () => 1') },
      `view "balances": window.measure: expected a plain function, found an async one or a generator; a fold can't wait`,
    ],
  ])('%s', async (_, text, message) => {
    write(ledgerRows(1))
    const error = await refused(text)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain(message)
  })

  test('has several of these faults, all at once', async () => {
    write(ledgerRows(1))
    const { message } = await refused({
      log: "zone: 'Nowhere', idleTimeout: '3'",
      view: window("zone: 'Mars', allowedLateness: 'soon', every: 'fortnight'"),
    })
    expect(message.split('\n').length).toBe(6)
  })
})

describe('a rebuild is refused where', () => {
  test.each([
    ['occurred_at', 'occurredAt'],
    ['recorded_at', 'recordedAt'],
  ])('a moment is null: %s', async (column, role) => {
    write([ledgerRow(1), ledgerRow(2), ledgerRow(3), ledgerRow(4, { [column]: null })])
    const error = await refused({})
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toBe(
      `Cannot read log/0.parquet, row group 1, row 1, column "${column}": expected a value, as the column is the events' ${role}, found null.`,
    )
  })

  test('a window begins at a moment that no number holds', async () => {
    write([ledgerRow(1, { occurred_at: 8_000_000_000_001_000_000n })])
    const error = await refused({ view: window("every: '1 second'") })
    expect(error.message).toMatch(
      /^Cannot read log\/0\.parquet, row group 0, row 0: expected an event whose window begins/,
    )
  })

  test('a measure is no number', async () => {
    write(ledgerRows(1, 2))
    const error = await refused({ view: window('measure: (e) => e.note') })
    expect(error.message).toMatch(
      /^View balances, its measure, at log\/0\.parquet, row group 0, row 0, event e1: .*expected a number/,
    )
  })

  test('vintages are asked of a view that has their column', async () => {
    write(ledgerRows(1))
    const view = "state: { knownAt: int64() }, on: { '*': (s) => { s.knownAt = 1 } }"
    const error = await refused({ view }, { vintages: 'day' })
    expect(error.message).toBe(
      '--vintages: view balances has a column knownAt, which is the name of the column that its vintages add. Rename it.',
    )
  })

  test('known-at names a local time that clocks left out', async () => {
    write(ledgerRows(1))
    const error = await refused({ log: "zone: 'America/New_York'" }, { knownAt: '2021-03-14T02:30:00' })
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toMatch(/01:30|03:30/)
  })

  test.each([
    ['knownAt', '--known-at'],
    ['vintages', '--vintages'],
  ])('%s is asked of a log that does not say when it recorded its events', async (option, name) => {
    write(ledgerRows(1))
    const columns = `id: 'event_id', key: 'account_id', type: 'type', sequence: 'amount'`
    const error = await refused({ columns, view: body }, { [option]: option === 'vintages' ? 'day' : '2021-05-22' })
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain(`${name}: log ledger`)
    expect(error.message).toContain('Declare columns.recordedAt')
  })
})
