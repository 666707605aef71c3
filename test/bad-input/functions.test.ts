import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ViewError } from '../../src/model/errors.ts'
import { nullable, string } from '../../src/model/types.ts'
import { scratch, writeRows } from '../support/logs.ts'
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
  folder = scratch('functions')
  home = folder.path
  await publishSound(home)
  // Event e7 stands in the second file's second row group, behind later events, and once more in the last file.
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(9, 8, 6), { rowGroupRows: 2 })
  writeRows(join(home, 'log/1.parquet'), ledgerColumns, ledgerRows(5, 4, 3, 12, 7, 9), { rowGroupRows: 3 })
  writeRows(join(home, 'log/2.parquet'), ledgerColumns, ledgerRows(7, 2, 1), { dictionary: true })
})
afterEach(() => folder.remove())

const at7 = 'at log/1.parquet, row group 1, row 1, event e7'
const placeOf7 = { rowGroup: 1, row: 1, eventId: 'e7' }
const typed = 'state: { balance: int64() }'
const readOnly =
  'what a function is given is read-only: set columns that the state declares, and copy an event, as { ...event }, or a value in it, as structuredClone(value), to change the copy'

async function expectViewError(text: JobText, workers: number, message: string, place: object): Promise<void> {
  const error = await refusal(writeJob(home, text), home, { workers })
  expect(error).toBeInstanceOf(ViewError)
  expect(error.exitCode).toBe(1)
  expect(error.message).toBe(message)
  expect(error.place).toMatchObject(place)
}

/** Each: a job, the message, and the place it must name. */
const cases: Readonly<Record<string, readonly [JobText, string, object]>> = {
  'a handler that throws': [
    { view: `${typed}, on: { Deposited: (s, e) => { if (e.amount === 7) throw new RangeError('no sevens') } }` },
    `View balances, handler Deposited, key "a1", ${at7}: threw RangeError: no sevens`,
    { ...placeOf7, view: 'balances', handler: 'Deposited' },
  ],
  'a handler that throws at an upcast event': [
    {
      log: `upcast: { Deposited: (e) => e.amount === 7 ? [{ type: 'In' }, { type: 'Out', amount: -7 }] : { type: 'In' } }`,
      view: `${typed}, on: { '*': (s, e) => { if (e.amount < 0) throw new Error(e.type) } }`,
    },
    `View balances, handler *, key "a1", ${at7}: threw Error: Out`,
    { ...placeOf7, view: 'balances', handler: '*' },
  ],
  'a handler of a free-form state that throws what is no error': [
    {
      view: `key: { amount: int64() }, keyBy: (e) => [{ amount: 0 }, { amount: e.amount }], state: () => ({ sum: 0 }),
        on: { Deposited: (s, e, key) => { if (key.amount === 7) throw 'seven' } }, columns: { sum: int64() }, row: (s) => s`,
    },
    `View balances, handler Deposited, key 7, ${at7}: threw seven, which is not an Error`,
    { ...placeOf7, view: 'balances', handler: 'Deposited' },
  ],
  'a handler of states that are merged that throws': [
    {
      view: `${typed}, on: { Deposited: (s, e) => { if (e.amount === 7) throw new Error('no sevens') } },
        merge: (into, from) => { into.balance += from.balance }`,
    },
    `View balances, handler Deposited, key "a1", ${at7}: threw Error: no sevens`,
    { ...placeOf7, view: 'balances', handler: 'Deposited' },
  ],
  'a merge that throws': [
    {
      view: `${typed}, on: { Deposited: (s) => { s.balance = 1 } }, merge: () => { throw new Error('never') }`,
    },
    'View balances, its merge, for key "a0": threw Error: never',
    { view: 'balances', handler: 'merge' },
  ],
  'a keyBy that throws': [
    {
      view: `keyBy: (e) => { if (e.amount === 7) throw new Error('no key'); return { key: e.key } }, ${typed}, on: { '*': () => {} }`,
    },
    `View balances, its keyBy, ${at7}: threw Error: no key`,
    { ...placeOf7, view: 'balances', handler: 'keyBy' },
  ],
  'a keyBy that returns nothing': [
    { view: `keyBy: (e) => e.amount === 7 ? undefined : { key: e.key }, ${typed}, on: { '*': () => {} }` },
    `View balances, its keyBy, ${at7}: expected a key, an array of keys or null, found undefined.`,
    { ...placeOf7, handler: 'keyBy' },
  ],
  'a keyBy that returns a key of another type': [
    {
      view: `key: { day: date(), who: string() }, keyBy: (e) => ({ day: e.amount === 7 ? 1.5 : 1, who: e.key }), ${typed}, on: { '*': () => {} }`,
    },
    `View balances, its keyBy, ${at7}: key column "day": expected days since 1970-01-01, as dayOf() gives them, found 1.5.`,
    { ...placeOf7, handler: 'keyBy' },
  ],
  'a keyBy that returns a null in a key': [
    {
      view: `key: { who: string() }, keyBy: (e) => [{ who: e.amount === 7 ? null : 'x' }], ${typed}, on: { '*': () => {} }`,
    },
    `View balances, its keyBy, ${at7}: key column "who": expected a string, found null.`,
    { ...placeOf7, handler: 'keyBy' },
  ],
  'a keyBy that leaves a key column out': [
    {
      view: `key: { who: string(), no: int32() }, keyBy: (e) => ({ who: e.key }), ${typed}, on: { '*': () => {} }, filter: (e) => e.amount === 7`,
    },
    `View balances, its keyBy, ${at7}: key column "no": expected an integer of 32 bits, found undefined.`,
    { ...placeOf7, handler: 'keyBy' },
  ],
  'a filter that throws': [
    {
      view: `filter: (e) => { if (e.id === 'e7') throw new TypeError('what?'); return true }, ${typed}, on: { '*': () => {} }`,
    },
    `View balances, its filter, ${at7}: threw TypeError: what?`,
    { ...placeOf7, handler: 'filter' },
  ],
  'a filter that returns nothing': [
    { view: `filter: (e) => { if (e.amount !== 7) return true }, ${typed}, on: { '*': () => {} }` },
    `View balances, its filter, ${at7}: expected true or false, found undefined.`,
    { ...placeOf7, handler: 'filter' },
  ],
  'an upcast that throws': [
    { log: `upcast: { Deposited: (e) => { if (e.amount === 7) throw new Error('too old'); return {} } }` },
    `Log ledger, its upcast of Deposited, ${at7}: threw Error: too old`,
    placeOf7,
  ],
  'an upcast that returns nothing': [
    { log: `upcast: { Deposited: (e) => { if (e.amount !== 7) return {} } }` },
    `Log ledger, its upcast of Deposited, ${at7}: expected an object of what changes, several in an array, or null, found undefined.`,
    placeOf7,
  ],
  'an upcast that returns a number': [
    { log: `upcast: { Deposited: (e) => e.amount === 7 ? [{}, 5] : null }` },
    `Log ledger, its upcast of Deposited, ${at7}: expected an object of what changes, several in an array, or null, found 5.`,
    placeOf7,
  ],
  'an upcast that changes a field that is none': [
    { log: `upcast: { Deposited: (e) => e.amount === 7 ? { amuont: 5 } : null }` },
    `Log ledger, its upcast of Deposited, ${at7}: expected changes of type or fields, found "amuont".`,
    placeOf7,
  ],
  'an upcast that changes the key': [
    { log: `upcast: { Deposited: (e) => e.amount === 7 ? { key: null } : null }` },
    `Log ledger, its upcast of Deposited, ${at7}: expected changes of type or fields, found "key".`,
    placeOf7,
  ],
  'an upcast to no type': [
    { log: `upcast: { Deposited: (e) => ({ type: e.amount === 7 ? null : 'In' }) }` },
    `Log ledger, its upcast of Deposited, ${at7}: type: expected a string, found null.`,
    placeOf7,
  ],
  'an upcast to a value of another type': [
    { log: `upcast: { Deposited: (e) => [{}, { amount: e.amount === 7 ? 0.5 : 1 }] }` },
    `Log ledger, its upcast of Deposited, ${at7}: field "amount": expected an integer of 64 bits, found 0.5.`,
    placeOf7,
  ],
  'an upcast to null where there is none': [
    {
      log: `upcast: { Deposited: (e) => e.amount === 7 ? { type: 'In', amount: null } : null }`,
      view: `${typed}, on: { In: (s, e) => { s.balance += e.amount } }`,
    },
    `View balances, handler In, key "a1", ${at7}: field "amount": expected a value, found null; declare it as nullable(…).`,
    placeOf7,
  ],
  'a row that throws': [
    {
      view: `${typed}, on: { '*': () => {} }, row: (s, key) => { if (key.key === 'a1') throw new Error('no row'); return s }`,
    },
    'View balances, its row, for key "a1": threw Error: no row',
    { view: 'balances', handler: 'row' },
  ],
  'a row that returns a number': [
    { view: `${typed}, on: { '*': () => {} }, row: (s, key) => key.key === 'a1' ? [5] : s` },
    'View balances, its row, for key "a1": expected a row, several or null, found 5.',
    { view: 'balances', handler: 'row' },
  ],
  'a row that returns nothing': [
    { view: `${typed}, on: { '*': () => {} }, row: (s, key) => { if (key.key !== 'a1') return s }` },
    'View balances, its row, for key "a1": expected a row, several or null, found undefined.',
    { view: 'balances', handler: 'row' },
  ],
  'a row that leaves a column out': [
    { view: `${typed}, on: { '*': () => {} }, columns: { a: int32(), b: string() }, row: (s, key) => ({ a: 1 })` },
    'View balances, its row, for key "a0": column "b": expected a string, found undefined.',
    { view: 'balances', handler: 'row', column: 'b' },
  ],
  'a row with a value of another type': [
    {
      view: `${typed}, on: { '*': () => {} }, columns: { a: int32() }, row: (s, key) => ({ a: key.key === 'a1' ? 2 ** 31 : 1 })`,
    },
    'View balances, its row, for key "a1": column "a": expected an integer of 32 bits, found 2147483648.',
    { view: 'balances', handler: 'row', column: 'a' },
  ],
  'a row with a decimal of too many digits': [
    {
      view: `${typed}, on: { '*': () => {} }, columns: { a: decimal(4, 2) }, row: (s, key) => ({ a: key.key === 'a1' ? 10000 : 9999 })`,
    },
    'View balances, its row, for key "a1": column "a": expected a decimal of at most 4 digits, found 10000.',
    { view: 'balances', handler: 'row', column: 'a' },
  ],
  'a row with what is no JSON': [
    { view: `${typed}, on: { '*': () => {} }, columns: { a: json() }, row: () => ({ a: () => 1 })` },
    'View balances, its row, for key "a0": column "a": expected a JSON value, found a function.',
    { view: 'balances', handler: 'row', column: 'a' },
  ],
  'a state with what is no JSON': [
    { view: `state: { a: json() }, on: { '*': (s, e) => { s.a = e.amount === 7 ? () => 1 : 7 } }` },
    'View balances, for key "a1": state "a": expected a JSON value, found a function.',
    { view: 'balances', column: 'a' },
  ],
  'a state that contains itself': [
    {
      view: `state: { a: json() }, on: { '*': (s, e) => { const a = {}; a.a = a; s.a = a } }, merge: () => {}`,
    },
    'View balances, for key "a0": state "a": expected a JSON value, found what JSON can\'t say (Converting circular structure to JSON).',
    { view: 'balances', column: 'a' },
  ],
  'a handler that sets what its state has not': [
    { view: `${typed}, on: { Deposited: (s, e) => { if (e.amount === 7) s['balanc'.trim()] = 1 } }` },
    `View balances, handler Deposited, key "a1", ${at7}: it set "balanc", which was not declared; ${readOnly}.`,
    placeOf7,
  ],
  'a keyBy with a decimal of too many digits': [
    {
      view: `key: { sum: decimal(4, 2) }, keyBy: (e) => ({ sum: e.amount * 1e4 - 6e4 }), filter: (e) => e.amount === 7, ${typed}, on: { '*': () => {} }`,
    },
    `View balances, its keyBy, ${at7}: key column "sum": expected an unscaled integer of at most 4 digits, found 10000.`,
    { ...placeOf7, handler: 'keyBy' },
  ],
  'a state that throws': [
    {
      view: `state: () => { throw new Error('no state') }, on: { '*': () => {} }, columns: { a: int32() }, row: () => null`,
    },
    'View balances, its state: threw Error: no state',
    { view: 'balances', handler: 'state' },
  ],
  'a state that is shared by all keys': [
    {
      view: `state: (() => { const one = {}; return () => one })(), on: { '*': () => {} }, columns: { a: int32() }, row: () => null`,
    },
    'View balances, its state: expected a new object for each key, found the same one twice.',
    { view: 'balances', handler: 'state' },
  ],
}

test.each(Object.entries(cases))('%s is told with its place', async (_, [text, message, place]) => {
  await expectViewError(text, 0, message, place)
})

// One for each way an error takes from a thread to the caller.
const onThreads = [
  'a handler that throws',
  'a handler that throws at an upcast event',
  'a handler of a free-form state that throws what is no error',
  'a handler of states that are merged that throws',
  'a merge that throws',
  'a keyBy that returns nothing',
  'an upcast that throws',
  'a row that throws',
]

test.each(onThreads)('%s is told with its place by a worker thread', async (name) => {
  const [text, message, place] = cases[name]!
  await expectViewError(text, 2, message, place)
})

test.each([0, 2])("keeps the user's own stack, with %i workers", async (workers) => {
  const [text] = cases['a handler that throws']!
  const error = await refusal(writeJob(home, text), home, { workers })
  expect(error.cause).toMatchObject({ name: 'RangeError', message: 'no sevens' })
  expect((error.cause as Error).stack).toContain('/job.')
})

describe('a state refuses', () => {
  test.each([
    ['int64()', 's.value = 0.5', 'an integer within ±(2^53 − 1), found 0.5'],
    ['int64()', "s.value += e['missing'.trim()]", 'an integer within ±(2^53 − 1), found NaN'],
    ['int64()', 's.value = Number.MAX_SAFE_INTEGER + 1', 'an integer within ±(2^53 − 1), found 9007199254740992'],
    ['int64()', "s.value = '12'", 'an integer within ±(2^53 − 1), found "12"'],
    ['int64()', 's.value = 5n', 'an integer within ±(2^53 − 1), found 5'],
    ['int64()', 's.value = null', 'an integer within ±(2^53 − 1), found null'],
    ['decimal(9, 2)', 's.value = 12.34', 'an unscaled integer of at most 9 digits, found 12.34'],
    ['decimal(4, 2)', 's.value = -10000', 'an unscaled integer of at most 4 digits, found -10000'],
    ['decimal(18, 2)', 's.value = 2 ** 53', 'an unscaled integer of at most 18 digits, found 9007199254740992'],
    ['timestamp()', 's.value = 1.5', 'a moment as an integer, found 1.5'],
    ['timestamp()', 's.value = 2 ** 63', 'a moment as an integer, found 9223372036854776000'],
    ['int32()', 's.value = 2 ** 31', 'an integer of 32 bits, found 2147483648'],
    ['int32()', 's.value = 2147483647; s.value++', 'an integer of 32 bits, found 2147483648'],
    ['date()', 's.value = 0.5', 'an integer of 32 bits, found 0.5'],
    ['bigint()', 's.value = 2n ** 63n', 'a bigint of 64 bits, found 9223372036854775808'],
    ['bigint()', 's.value = 5', 'a bigint of 64 bits, found 5'],
    ["timestamp('ns')", 's.value = 5', 'a bigint of 64 bits, found 5'],
    ['bool()', 's.value = 1', 'true or false, found 1'],
    ['string()', 's.value = undefined', 'a string, found undefined'],
    ['float64()', "s.value = '0.5'", 'a number, found "0.5"'],
    ['json()', 's.value = undefined', 'a JSON value, found undefined'],
  ])('of %s what %s sets', async (type, statement, message) => {
    const view = `state: { value: ${type} }, on: { Deposited: (s, e) => { if (e.amount === 7) { ${statement} } } }`
    await expectViewError(
      { view, log: type.includes("'ns'") ? "timeUnit: 'ns'" : '' },
      0,
      `View balances, handler Deposited, key "a1", ${at7}: state "value": expected ${message}.`,
      { ...placeOf7, handler: 'Deposited' },
    )
  })
})

describe('an event refuses', () => {
  test.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])('to show %d as a number', async (amount) => {
    writeRows(join(home, 'log/1.parquet'), { ...ledgerColumns, amount: { ...ledgerColumns.amount, kind: 'bigint' } }, [
      ledgerRow(5, { amount: 5n }),
      ledgerRow(10, { amount }),
    ])
    await expectViewError(
      {},
      0,
      `View balances, handler Deposited, key "a1", at log/1.parquet, row group 0, row 1, event e10: field "amount": expected an integer within ±(2^53 − 1), found ${amount}; declare it as bigint() to use it whole.`,
      { row: 1, eventId: 'e10' },
    )
  })

  test.each(['9007199254740993', '-12345678901234567890', `1${'0'.repeat(400)}`])(
    'to show JSON with an integer that a number would round: %s',
    async (integer) => {
      const texts = { ...ledgerColumns, payload: nullable(string()) }
      const exact = '{"a": [9007199254740992, 100000000000000000000, 0.12345678901234567, "9007199254740993"]}'
      writeRows(join(home, 'log/0.parquet'), texts, [ledgerRow(5, { payload: exact })])
      writeRows(join(home, 'log/1.parquet'), texts, [ledgerRow(7, { payload: `{"a": {"b": ${integer}}}` })])
      writeRows(join(home, 'log/2.parquet'), texts, [])
      for (const source of ['', "'payload.a'"]) {
        const error = await refusal(
          writeJob(home, {
            fields: `payload: json(${source})`,
            view: `state: { p: json() }, on: { Deposited: (s, e) => { s.p = e.payload } }`,
          }),
          home,
        )
        expect(error.message).toContain(
          `log/1.parquet, row group 0, row 0, event e7: field "payload": expected integers that a number holds exactly, found ${integer};`,
        )
      }
    },
  )

  test('to show JSON that is none', async () => {
    const texts = { ...ledgerColumns, payload: nullable(string()) }
    writeRows(join(home, 'log/1.parquet'), texts, [ledgerRow(5, { payload: '{}' }), ledgerRow(7, { payload: '{"a"' })])
    writeRows(join(home, 'log/2.parquet'), texts, [])
    writeRows(join(home, 'log/0.parquet'), texts, [])
    const error = await refusal(
      writeJob(home, {
        fields: 'payload: json()',
        view: `${typed}, on: { '*': (s, e) => { s.balance = e.payload.a ?? 0 } }`,
      }),
      home,
    )
    expect(error.message).toMatch(
      /^View balances, handler \*, key "a1", at log\/1.parquet, row group 0, row 1, event e7: field "payload": expected JSON, found "\{\\"a\\"" \(.+\)\.$/,
    )
  })

  test('to be written to', async () => {
    await expectViewError(
      { view: `${typed}, on: { '*': (s, e) => { if (e.id === 'e7') e.amount = 1 } }` },
      0,
      `View balances, handler *, key "a1", ${at7}: it set "amount"; ${readOnly}.`,
      placeOf7,
    )
  })
})

test('numbers at the edge of what is safe are shown', async () => {
  const edge = Number.MAX_SAFE_INTEGER
  writeRows(join(home, 'log/1.parquet'), ledgerColumns, [
    ledgerRow(5, { amount: edge }),
    ledgerRow(10, { amount: -edge }),
  ])
  const error = await refusal(
    writeJob(home, {
      view: `${typed}, on: { '*': (s, e) => { if (e.amount === -${edge}) throw new Error(String(e.amount)) } }`,
    }),
    home,
  )
  expect(error.message).toContain('event e10: threw Error: -9007199254740991')
})
