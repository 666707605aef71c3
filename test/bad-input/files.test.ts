import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, ConflictError, InputError, OutputError } from '../../src/model/errors.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import type { Fields } from '../../src/model/type.ts'
import { bigint, float64, int64, nullable, string, timestamp } from '../../src/model/types.ts'
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
  folder = scratch('files')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

/** Writes a sound file and another one, which the test breaks. */
function write(rows: readonly Row[], columns: Fields = ledgerColumns, rowGroupRows = 2): void {
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1, 2))
  writeRows(join(home, 'log/1.parquet'), columns, rows, { rowGroupRows })
}

async function expectInputError(
  text: JobText,
  message: string | RegExp,
  place: object = {},
  options: Partial<RebuildOptions> = {},
) {
  const error = await refusal(writeJob(home, text), home, options)
  expect(error).toBeInstanceOf(InputError)
  expect(error.exitCode).toBe(1)
  if (typeof message === 'string') expect(error.message).toBe(message)
  else expect(error.message).toMatch(message)
  expect(error.place).toMatchObject(place)
}

describe('files that are not there', () => {
  test('a glob that no file matches', () =>
    expectInputError(
      {},
      `Cannot read log ledger: expected Parquet files at log/**/*.parquet, but no file matches it (looked from ${process.cwd()}).`,
    ))

  test('an empty folder', async () => {
    mkdirSync(join(home, 'log'))
    await expectInputError(
      { files: join(home, 'log') },
      /^Cannot read log ledger: expected Parquet files at log, but the folder holds no \*\.parquet file/,
    )
  })

  test('a file', () =>
    expectInputError(
      { files: join(home, 'log/none.parquet') },
      /^Cannot read log ledger: expected Parquet files at log\/none.parquet, but there is no such file or folder/,
    ))
})

describe('files that are not whole', () => {
  /** A sound file's bytes, changed. */
  function damage(change: (bytes: Buffer) => Uint8Array): void {
    write(ledgerRows(3, 4))
    const path = join(home, 'log/1.parquet')
    writeFileSync(path, change(readFileSync(path)))
  }

  test('an empty one', async () => {
    damage(() => Buffer.alloc(0))
    await expectInputError(
      {},
      'Cannot read log/1.parquet: expected a Parquet file of at least 12 bytes, found a file of 0 bytes.',
    )
  })

  test('one that is not Parquet', async () => {
    damage(() => Buffer.from('event_id,account_id\n1,2\n'))
    await expectInputError(
      {},
      'Cannot read log/1.parquet: expected "PAR1" at the beginning, found "even"; it is not a Parquet file.',
    )
  })

  test('one that is cut off', async () => {
    damage((bytes) => bytes.subarray(0, bytes.length - 100))
    await expectInputError(
      {},
      /^Cannot read log\/1\.parquet: expected "PAR1" at the end, found ".+"; the file is cut off or was not finished\.$/,
    )
  })

  test('one whose footer is encrypted', async () => {
    damage((bytes) => Buffer.concat([bytes.subarray(0, bytes.length - 4), Buffer.from('PARE')]))
    await expectInputError(
      {},
      'Cannot read log/1.parquet: expected a file that is not encrypted, found one with an encrypted footer, which Refold does not support.',
    )
  })

  test('one whose footer is longer than itself', async () => {
    damage((bytes) => {
      bytes.writeUInt32LE(2 ** 31, bytes.length - 8)
      return bytes
    })
    await expectInputError(
      {},
      /^Cannot read log\/1\.parquet: expected a footer of at most \d+ bytes, found one of 2147483648\.$/,
    )
  })

  test.each([0, 2])('one whose pages are damaged, with %i workers', async (workers) => {
    damage((bytes) => bytes.fill(0xff, 4, 64))
    await expectInputError(
      {},
      /^Cannot read log\/1\.parquet, row group 0, column "event_id": /,
      { rowGroup: 0, column: 'event_id' },
      { workers },
    )
  })

  test('one whose footer makes no sense', async () => {
    damage((bytes) => bytes.fill(0xff, bytes.length - 60, bytes.length - 8))
    await expectInputError({}, /^Cannot read log\/1\.parquet/)
  })
})

describe('columns that are not as declared', () => {
  test('one that a file lacks', async () => {
    const { amount: _, ...rest } = ledgerColumns
    write(ledgerRows(3), rest)
    await expectInputError(
      {},
      'Cannot read log/1.parquet: expected column "amount" (field amount), found event_id, account_id, type, recorded_at, occurred_at, note, payload. Name the right column, or declare whenMissing for files without it.',
      { column: 'amount' },
    )
  })

  test("one that is the events' key", async () => {
    write(ledgerRows(3))
    await expectInputError(
      { columns: `id: 'event_id', key: 'acount_id', type: 'type', recordedAt: 'recorded_at'` },
      /^Cannot read log\/0\.parquet: expected column "acount_id" \(the events' key\), found event_id, account_id, /,
      { column: 'acount_id' },
    )
  })

  test('one of another type', async () => {
    write([ledgerRow(3, { amount: '3' })], { ...ledgerColumns, amount: string() })
    await expectInputError(
      {},
      `Cannot read log/1.parquet, column "amount" (field amount): expected int64, found string. Declare amount: string('amount').`,
      {
        column: 'amount',
      },
    )
  })

  test('a moment that is a number', async () => {
    write([ledgerRow(3)], { ...ledgerColumns, recorded_at: int64() })
    await expectInputError(
      {},
      `Cannot read log/1.parquet, column "recorded_at" (the events' recordedAt): expected moments, found int64; declare what its numbers count since 1970, as timestamp('us', 'recorded_at', { storedAs: 's' }), or 'ms', 'us' or 'ns'.`,
      { column: 'recorded_at' },
    )
  })

  test('an id that is of another type in another file', async () => {
    write([ledgerRow(3, { event_id: 3 })], { ...ledgerColumns, event_id: int64() })
    await expectInputError(
      {},
      `Cannot read log/1.parquet, column "event_id" (the events' id): expected string as in log/0.parquet, found int64. Declare id: string('event_id'), which reads integers as the texts of their digits.`,
      { column: 'event_id' },
    )
  })

  test('an id that is a floating-point number', async () => {
    write([ledgerRow(3)])
    writeRows(join(home, 'log/0.parquet'), { ...ledgerColumns, event_id: float64() }, [ledgerRow(1, { event_id: 0.5 })])
    await expectInputError(
      {},
      `Cannot read log/0.parquet, column "event_id" (the events' id): expected integers or strings, found float64.`,
      { column: 'event_id' },
    )
  })
})

/** Makes a footer say of the one column with this many nulls that it has none. */
function hideNulls(path: string, count: number): void {
  const bytes = readFileSync(path)
  const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
  // In Thrift's compact form: field 3, after none or after field 2, an integer of 64 bits in zigzag form.
  const places = [0x36, 0x16].flatMap((header) => {
    const at = bytes.indexOf(Buffer.of(header, 2 * count), footer)
    return at < 0 ? [] : [at]
  })
  expect(places).toHaveLength(1)
  bytes[places[0]! + 1] = 0
  writeFileSync(path, bytes)
}

const keyAdvice =
  ' Where the key may be null, declare the column as a field, as account: nullable(string()), and make the key of it by key and keyBy of the view.'

describe('a null', () => {
  const sequenced = `id: 'event_id', key: 'account_id', type: 'type', sequence: 'amount'`
  test.each([
    ['event_id', 'id', {}],
    ['account_id', 'key', {}],
    ['type', 'type', {}],
    ['recorded_at', 'recordedAt', {}],
    ['amount', 'sequence', { columns: sequenced }],
    [
      'account_id',
      'id',
      {
        columns: `id: ['event_id', 'account_id'], key: 'type', recordedAt: 'recorded_at'`,
        view: `state: { n: int32() }, on: { '*': () => {} }`,
      },
    ],
  ] as const)('in %s, the %s', async (column, role, text) => {
    const nulls = { ...ledgerColumns, [column]: { ...ledgerColumns[column], nullable: true } }
    write([ledgerRow(3), ledgerRow(4), ledgerRow(5), ledgerRow(6, { [column]: null })], nulls, 3)
    await expectInputError(
      text,
      `Cannot read log/1.parquet, row group 1, row 0, column "${column}": expected a value, as the column is the events' ${role}, found null.${role === 'key' ? keyAdvice : ''}`,
      { rowGroup: 1, row: 0, column },
    )
  })

  test('in the key, read by a worker', async () => {
    write([ledgerRow(4, { account_id: null })], { ...ledgerColumns, account_id: nullable(string()) })
    await expectInputError(
      {},
      `Cannot read log/1.parquet, row group 0, row 0, column "account_id": expected a value, as the column is the events' key, found null. Where the key may be null, declare the column as a field, as account: nullable(string()), and make the key of it by key and keyBy of the view.`,
      { rowGroup: 0, row: 0, column: 'account_id' },
      { workers: 2 },
    )
  })

  test('in a field that is not nullable', async () => {
    write([ledgerRow(3), ledgerRow(4, { amount: null })], { ...ledgerColumns, amount: nullable(int64()) })
    const error = await refusal(writeJob(home), home)
    expect(error.message).toBe(
      'View balances, handler Deposited, key "a1", at log/1.parquet, row group 0, row 1, event e4: field "amount": expected a value, found null; declare it as nullable(…).',
    )
  })

  test('that the statistics do not count', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ledgerRow(i + 3, i < 37 ? {} : { amount: null }))
    write(rows.reverse(), { ...ledgerColumns, amount: nullable(int64()) }, 50)
    hideNulls(join(home, 'log/1.parquet'), 13)
    await expectInputError(
      {
        fields: `maybe: int64('amount')`,
        view: `state: { n: int32() }, on: { '*': (s, e) => { s.n += e.maybe } }`,
      },
      `Cannot read log/1.parquet, row group 0, row 0, column "amount": expected a value, as the file's statistics count no nulls in this column, found null. Declare the field as nullable(…), or write the file again: its footer is wrong.`,
      { rowGroup: 0, row: 0, column: 'amount' },
    )
  })

  test('where it may be is none the worse for a nullable key', async () => {
    write(ledgerRows(3, 4), { ...ledgerColumns, account_id: nullable(string()) })
    const { run } = await import('../support/refusal.ts')
    const columns = `id: 'event_id', key: nullable(string('account_id')), type: 'type', recordedAt: 'recorded_at'`
    const report = await run(writeJob(home, { columns }), home, {})
    const { readPublished } = await import('../support/logs.ts')
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['account_id'])).toEqual(['a0', 'a1', 'a2'])
  })
})

describe('a JSON payload', () => {
  const texts = { ...ledgerColumns, payload: nullable(string()) }
  const field = (type: string) => ({
    fields: `value: ${type}`,
    view: `state: { n: json() }, on: { '*': (s, e) => { s.n = e.value } }`,
  })

  test.each([0, 2])('that does not parse, with %i workers', async (workers) => {
    write([ledgerRow(3), ledgerRow(4), ledgerRow(5, { payload: '{"value": 1' })], texts)
    await expectInputError(
      field(`nullable(int64('payload.value'))`),
      /^Cannot read log\/1\.parquet, row group 1, row 0, column "payload": expected JSON, found "\{\\"value\\": 1" \(.+\)\.$/,
      { rowGroup: 1, row: 0, column: 'payload' },
      { workers },
    )
  })

  test.each([
    ['int64', '"x"', 'an integer of 64 bits, found "x"'],
    ['int64', '1.5', 'an integer of 64 bits, found 1.5'],
    ['int64', '[1]', 'an integer of 64 bits, found [1]'],
    [
      'int64',
      '9223372036854775808',
      'an integer of 64 bits with a sign (declare uint64() for one without), found 9223372036854775808',
    ],
    ['int32', '2147483648', 'an integer of 32 bits, found 2147483648'],
    ['string', '5.5', 'a string, found 5.5'],
    ['string', 'true', 'a string, found true'],
    ['bool', '"true"', 'true or false, found "true"'],
    ['float64', '"1.5"', 'a number, found "1.5"'],
    ['date', '"2021-02-31"', 'a day as 2021-05-22, found "2021-02-31"'],
    ['timestamp', '"2021-02-29T10:00:00Z"', 'a moment that exists, found "2021-02-29T10:00:00Z"'],
    ['decimal', '12345678.9', 'a decimal of at most 9 digits, found 12345678.9'],
    [
      'timestamp',
      '"2021-05-22T10:00:00"',
      `a moment with its zone, found "2021-05-22T10:00:00"; declare the log's zone, whose clocks show them, as zone: 'Europe/Berlin', or zone: 'UTC' if they are in UTC`,
    ],
    [
      'timestamp',
      '"2021-05-22T10:00:00.1234567Z"',
      'a moment in whole microseconds; declare a finer timeUnit, found "2021-05-22T10:00:00.1234567Z"',
    ],
    ['decimal', '0.125', 'a decimal number with at most 2 digits after the point, found 0.125'],
  ])('whose value is no %s: %s', async (type, value, message) => {
    write([ledgerRow(3), ledgerRow(4), ledgerRow(5, { payload: `{"a": {"value": ${value}}}` })], texts)
    const declared = { timestamp: `timestamp('us', 'payload.a.value')`, decimal: `decimal(9, 2, 'payload.a.value')` }
    const maker = declared[type as 'decimal'] ?? `${type}('payload.a.value')`
    await expectInputError(
      field(`nullable(${maker})`),
      `Cannot read log/1.parquet, row group 1, row 0, column "payload.a.value": expected ${message}.`,
      { rowGroup: 1, row: 0, column: 'payload.a.value' },
    )
  })
})

describe('a value that its type cannot hold', () => {
  test('an integer of more than 32 bits', async () => {
    write([ledgerRow(3), ledgerRow(4), ledgerRow(5), ledgerRow(6, { amount: 2 ** 31 })])
    await expectInputError(
      { fields: `small: int32('amount')`, view: `state: { n: int32() }, on: { '*': (s, e) => { s.n = e.small } }` },
      'Cannot read log/1.parquet, row group 1, row 1, column "amount": expected an integer of 32 bits, found 2147483648.',
      { rowGroup: 1, row: 1, column: 'amount' },
    )
  })

  test('a moment finer than the unit', async () => {
    const fine = { ...ledgerColumns, recorded_at: timestamp('ns') }
    write([ledgerRow(3, { recorded_at: 1_000n }), ledgerRow(4, { recorded_at: 1_001n })], fine)
    await expectInputError(
      {},
      'Cannot read log/1.parquet, row group 0, row 1, column "recorded_at": expected a moment in whole microseconds; declare a finer timeUnit, found 1001.',
      { rowGroup: 0, row: 1, column: 'recorded_at' },
    )
  })

  test('an integer that a floating-point number can not hold', async () => {
    write([ledgerRow(3, { amount: 2n ** 53n + 1n })], { ...ledgerColumns, amount: bigint() })
    await expectInputError(
      { fields: `ratio: float64('amount')`, view: `state: { n: float64() }, on: { '*': (s, e) => { s.n = e.ratio } }` },
      'Cannot read log/1.parquet, row group 0, row 0, column "amount": expected an integer that a number holds exactly, found 9007199254740993.',
    )
  })
})

describe('one id with two contents', () => {
  test.each([0, 2])('is a conflict that names both places and what differs, with %i workers', async (workers) => {
    write([ledgerRow(4), ledgerRow(3), ledgerRow(2, { amount: 5 })])
    const error = await refusal(writeJob(home), home, { workers })
    expect(error).toBeInstanceOf(ConflictError)
    expect(error.exitCode).toBe(1)
    expect(error.message).toBe(
      'Event e2 is in log ledger with different contents: log/0.parquet, row group 0, row 1 has amount 2, log/1.parquet, row group 1, row 0 has 5. An event never changes; record a correction as a new event with its own id. ' +
        "If the event was delivered twice and only how it arrived differs, declare it for the log: duplicates: { ignore: ['amount'], keep: 'first' }.",
    )
    expect(error.place).toMatchObject({ rowGroup: 1, row: 0, eventId: 'e2', column: 'amount' })
  })

  test.each([
    [{ note: null }, { note: 'null' }, 'note null', '"null"'],
    [{ note: '' }, { note: 'a"' }, 'note ""', '"a\\""'],
    [{ type: 'A' }, { type: 'B' }, 'type "A"', '"B"'],
    [{ account_id: 'x' }, { account_id: 'y' }, 'key "x"', '"y"'],
  ])('is a conflict: %j and %j', async (one, other, first, second) => {
    write([ledgerRow(3, one), ledgerRow(4), ledgerRow(3, other)])
    const error = await refusal(writeJob(home), home)
    expect(error).toBeInstanceOf(ConflictError)
    expect(error.message).toMatch(`has ${first}, log/1.parquet, row group 1, row 0 has ${second}.`)
  })

  test('is one where ids are numbers, dense or not', async () => {
    for (const far of [0, 10n ** 12n]) {
      const numbered = { ...ledgerColumns, event_id: bigint() }
      writeRows(
        join(home, 'log/0.parquet'),
        numbered,
        [1n, 2n, 3n].map((id) => ledgerRow(1, { event_id: id + BigInt(far) })),
      )
      writeRows(join(home, 'log/1.parquet'), numbered, [ledgerRow(2, { event_id: 2n + BigInt(far) })])
      const error = await refusal(writeJob(home), home)
      expect(error).toBeInstanceOf(ConflictError)
      expect(error.message).toMatch(
        /^Event 1?0*2 is in log ledger with different contents: log\/0\.parquet, row group 0, row 1 has key "a1", log/,
      )
    }
  })
})

describe('an unknown event type', () => {
  test('is refused where the view says so', async () => {
    write([ledgerRow(3), ledgerRow(4), ledgerRow(5, { type: 'Opened' })])
    await expectInputError(
      { view: `unknown: 'fail', state: { n: int32() }, on: { Deposited: () => {} }` },
      `View balances refuses the event at log/1.parquet, row group 1, row 0, event e5: expected a type it has a handler for, found "Opened". Add a handler, list the type in the log's types, or set unknown to 'filter' or 'quarantine'.`,
      { rowGroup: 1, row: 0, eventId: 'e5', view: 'balances' },
    )
  })
})

describe('a key', () => {
  test('of too many bytes is refused', async () => {
    write([ledgerRow(3), ledgerRow(4, { account_id: 'é'.repeat(32_768) })])
    await expectInputError(
      {},
      'Cannot use the key at log/1.parquet, row group 0, row 1, event e4: expected at most 65535 bytes, found 65536.',
      { rowGroup: 0, row: 1, eventId: 'e4' },
    )
  })
})

describe('options', () => {
  async function expectConfigurationError(text: JobText, options: Partial<RebuildOptions>, message: string | RegExp) {
    write(ledgerRows(3))
    const error = await refusal(writeJob(home, text), home, options)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.exitCode).toBe(2)
    if (typeof message === 'string') expect(error.message).toBe(message)
    else expect(error.message).toMatch(message)
  }

  test('an unknown view', () =>
    expectConfigurationError({}, { views: ['balances', 'balance'] }, 'Job job has no view "balance": it has balances.'))

  test('known-at for a log that does not say when events were recorded', () =>
    expectConfigurationError(
      { columns: `id: 'event_id', key: 'account_id', type: 'type', sequence: 'amount'` },
      { knownAt: '2021-05-22' },
      "--known-at: log ledger has no recordedAt column, so it isn't known which events to keep. Declare columns.recordedAt.",
    ))

  test('as-of for a log that does not say when events occurred', () =>
    expectConfigurationError({}, { asOf: '2021-05-22' }, /^--as-of: log ledger has no occurredAt column/))

  test.each(['yesterday', '2021-02-30', '2021-05-22T25:00:00Z', '', '2021-5-2', '2021-05-22T10:00:00+2'])(
    'known-at %j',
    (knownAt) =>
      expectConfigurationError(
        {},
        { knownAt },
        `--known-at: expected a day as 2021-05-22 or a moment as 2021-05-22T14:00:00Z, found ${JSON.stringify(knownAt)}.`,
      ),
  )

  test.each([-1, 1.5, Number.NaN])('%d workers', (workers) =>
    expectConfigurationError({}, { workers }, /^Cannot start worker threads: expected a number of at least 1, found/),
  )
})

test('a destination that is a file is refused', async () => {
  write(ledgerRows(3))
  writeFileSync(join(home, 'occupied'), '')
  const { run } = await import('../support/refusal.ts')
  for (const workers of [0, 2]) {
    const error = await run(writeJob(home), home, { out: join(home, 'occupied'), workers }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(OutputError)
    expect((error as Error).message).toContain('occupied')
  }
})
