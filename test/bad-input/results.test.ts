import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, ViewError } from '../../src/model/errors.ts'
import { readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRows, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('results')
  home = folder.path
  await publishSound(home)
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1, 2, 4))
  writeRows(join(home, 'log/1.parquet'), ledgerColumns, ledgerRows(5, 7, 8), { rowGroupRows: 2 })
})
afterEach(() => folder.remove())

const typed = 'state: { balance: int64() }'
const free = 'state: () => ({ balance: 0, names: [] }), columns: { balance: int64() }, row: (s) => s'
const merge = 'merge: (into, from) => { into.balance += from.balance }'

async function sums(view: string, workers = 0): Promise<unknown> {
  const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true, workers })
  return readPublished(report.views[0]!.path).rows.map((row) => row['balance'])
}

/** By key a1: 1 + 4 + 7; by key a2: 2 + 5 + 8. */
const right = [12, 15]

describe('a handler of a free-form state', () => {
  test.each([
    '(s, e) => ({ ...s, balance: s.balance + e.amount })',
    '(s, e) => { return { names: s.names, balance: s.balance + e.amount } }',
    '(s, e) => { s.balance += e.amount }',
    '(s, e) => s.balance += e.amount',
    '(s, e) => { s.balance += e.amount; return s }',
    '(s, e) => Object.assign(s, { balance: s.balance + e.amount })',
    '(s, e) => { if (e.amount % 2 === 0) return { ...s, balance: s.balance + e.amount }; s.balance += e.amount }',
    '(s, e) => s.names.push(s.balance += e.amount)',
  ])('may be %s', async (handler) => {
    expect(await sums(`${free}, on: { Deposited: ${handler} }`)).toEqual(right)
    expect(await sums(`${free}, on: { Deposited: ${handler} }`, 2)).toEqual(right)
  })

  test('may return a new array, Map or Set where the state is one', async () => {
    const row = 'columns: { balance: int64() }, row: (s) => ({ balance: [...s].reduce((sum, n) => sum + n, 0) })'
    expect(await sums(`state: () => [], ${row}, on: { Deposited: (s, e) => [...s, e.amount] }`)).toEqual(right)
    expect(await sums(`state: () => new Set(), ${row}, on: { Deposited: (s, e) => s.add(e.amount) }`)).toEqual(right)
    expect(
      await sums(`state: () => new Set(), ${row}, on: { Deposited: (s, e) => new Set([...s, e.amount]) }`),
    ).toEqual(right)
  })

  test.each([
    ["(s, e) => globalThis['Promise'].resolve(s)", "it returned a promise; a fold can't wait"],
    ['(s, e) => null', 'it returned null: expected the new state, an object as `state` makes it, or nothing'],
    ['(s, e) => s.balance + e.amount', 'it returned 1: expected the new state'],
    ['(s, e) => [s]', 'it returned an array: expected the new state'],
    ['(s, e) => e', 'it returned the event: expected the new state'],
    ['(s, e) => new Map().set(1, 2)', 'it returned a Map: expected the new state, an object'],
    ['(s, e) => new Map([[1, s]]).values()', 'it returned an iterator: expected the new state'],
    ['(s, e) => () => s', 'it returned a function: expected the new state'],
    ['(s, e) => ({ balance: 1 })', 'it returned an object without "names", which `state` makes'],
    ['(s, e) => ({ ...s, last: e })', 'it returned a state whose "last" is the event'],
  ])('may not be %s', async (handler, message) => {
    for (const onError of ['fail', 'quarantine']) {
      const view = `${free}, onError: '${onError}', on: { Deposited: ${handler} }`
      const error = await refusal(writeJob(home, { view }), home)
      expect(error).toBeInstanceOf(ViewError)
      expect(error.message).toContain('View balances, handler Deposited, key "a')
      expect(error.message).toContain('log/0.parquet, row group 0, row')
      expect(error.message).toContain(message)
    }
  })

  test('is traced with the states it returns', async () => {
    const { traceKey } = await import('../../src/index.ts')
    const { loadJob } = await import('../../src/job/load.ts')
    const view = `${free}, on: { Deposited: (s, e) => ({ ...s, balance: s.balance + e.amount }) }`
    const job = await loadJob(writeJob(home, { view }))
    try {
      const trace = await traceKey(job, { view: 'balances', key: ['a1'] })
      expect(trace.events.map(({ after }) => (after as { balance: unknown }).balance)).toEqual([1, 5, 12])
    } finally {
      job.dispose()
    }
  })
})

describe('a handler of a typed state', () => {
  test.each([
    '(s, e) => s.balance += e.amount',
    '(s, e) => { s.balance += e.amount; return s }',
    '(s, e) => Object.assign(s, { balance: s.balance + e.amount })',
    '(s, e) => Math.max(s.balance += e.amount, 0)',
    '(s, e) => e.amount > 0 && (s.balance += e.amount)',
  ])('may be %s', async (handler) => {
    for (const more of ['', `${merge},`]) {
      expect(await sums(`${typed}, ${more} on: { Deposited: ${handler} }`)).toEqual(right)
    }
  })

  test.each([
    ['(s, e) => ({ ...s, balance: s.balance + e.amount })', 'it returned an object, which would be lost'],
    ['(s, e) => s.balance + e.amount', 'it returned 1, which would be lost'],
    ['(s, e) => [s]', 'it returned an array, which would be lost'],
    ['(s, e) => null ?? e', 'it returned the event, which would be lost'],
    ['(s, e) => { if (e.amount) return null }', 'it returned null, which would be lost'],
    ["(s, e) => globalThis['Promise'].resolve()", "it returned a promise; a fold can't wait"],
    ['(s, e) => structuredClone({ a: 1 })', 'it returned an object, which would be lost'],
  ])('may not be %s', async (handler, message) => {
    for (const more of [merge, "onError: 'quarantine'"]) {
      const error = await refusal(writeJob(home, { view: `${typed}, ${more}, on: { Deposited: ${handler} }` }), home)
      expect(error).toBeInstanceOf(ViewError)
      expect(error.message).toContain('View balances, handler Deposited, key "a')
      expect(error.message).toContain(message)
    }
  })

  test('is told what to write', async () => {
    const view = `${typed}, on: { Deposited: (s, e) => ({ balance: e.amount }) }`
    const error = await refusal(writeJob(home, { view }), home, { workers: 2 })
    expect(error.message).toMatch(
      /^View balances, handler Deposited, key "a\d", at log\/0.parquet, row group 0, row \d, event e\d: it returned an object, which would be lost: a typed state is changed in place and nothing is returned; write \(state, …\) => { state.balance = … }\.$/,
    )
  })
})

describe('other functions', () => {
  test.each([
    ['merge: (a, b) => ({ balance: a.balance + b.balance })', 'it returned an object, which would be lost'],
    ['merge: (a, b) => a.balance + b.balance', 'which would be lost: a typed state is changed in place'],
    ['merge: async (a, b) => {}', 'merge: expected a plain function, found an async one'],
    ['row: async (s) => s', 'row: expected a plain function'],
    [
      "row: (s) => globalThis['Promise'].resolve(s)",
      'its row, for key "a1": it returned a promise; a fold can\'t wait',
    ],
    [
      "row: (s) => [globalThis['Promise'].resolve(s)]",
      'its row, for key "a1": it returned a promise; a fold can\'t wait',
    ],
    ['row: (s) => 5', 'its row, for key "a1": expected a row, several or null, found 5'],
    [
      "filter: (e) => globalThis['Promise'].resolve(true)",
      'its filter, at log/0.parquet, row group 0, row 0, event e1: it returned a promise',
    ],
    ["filter: (e) => 'false'", 'expected true or false, found "false"'],
    ['filter: (e) => null', 'expected true or false, found null'],
    ['filter: (e) => 1', 'expected true or false, found 1'],
    ['filter: (e) => [true]', 'expected true or false, found an array'],
    ["key: { n: nullable(string()) }, keyBy: (e) => globalThis['Promise'].resolve({ n: e.key })", 'found undefined'],
    ['key: { n: nullable(string()) }, keyBy: (e) => new Map()', 'key column "n": expected a string, found undefined'],
    ["key: { n: nullable(string()) }, keyBy: (e) => 'x'", 'expected a key, an array of keys or null, found "x"'],
    [
      'key: { n: nullable(string()) }, keyBy: (e) => () => 1',
      'expected a key, an array of keys or null, found a function',
    ],
  ])('are refused: %s', async (text, message) => {
    const view = `${typed}, on: { Deposited: (s, e) => { s.balance += e.amount } }, ${text}`
    // Merging happens in reduce, of the states of batches.
    const error = await refusal(writeJob(home, { view }), home)
    expect(error.message).toContain(message)
  })

  test.each([
    ["() => globalThis['Promise'].resolve({ amount: 1 })", 'it returned a promise'],
    ["() => new Map([['amount', 1]])", 'expected an object of what changes, several in an array, or null, found a Map'],
    ['() => new Date(0)', 'found a Date'],
    ['() => () => ({})', 'found a function'],
  ])('an upcast is refused: %s', async (text, message) => {
    const error = await refusal(writeJob(home, { log: `upcast: { Deposited: ${text} }` }), home)
    expect(error.message).toContain(
      'Log ledger, its upcast of Deposited, at log/0.parquet, row group 0, row 0, event e1',
    )
    expect(error.message).toContain(message)
  })

  test.each([
    ['() => undefined', 'expected an object, found undefined'],
    ['() => null', 'expected an object, found null'],
    ['() => 5', 'expected an object, found 5'],
    ["() => globalThis['Promise'].resolve({})", 'it returned a promise'],
    ['(() => { const one = {}; return () => one })()', 'expected a new object for each key, found the same one twice'],
    ['(() => { const items = []; return () => ({ items }) })()', 'found the same state.items twice'],
    [
      '(() => { const seen = Object.freeze(new Set()); return () => ({ a: { seen } }) })()',
      'found the same state.a.seen twice',
    ],
  ])('a state is refused: %s', async (text, message) => {
    const view = `state: ${text}, on: { Deposited: () => {} }, columns: { balance: int64() }, row: () => null`
    const error = await refusal(writeJob(home, { view }), home)
    expect(error.message).toContain('View balances, its state: ')
    expect(error.message).toContain(message)
  })

  test('a state may share what can not be changed', async () => {
    const view = `state: (() => { const names = Object.freeze(['a']); return () => ({ names, balance: 0 }) })(),
      on: { Deposited: (s, e) => { s.balance += e.amount } }, columns: { balance: int64() }, row: (s) => s`
    expect(await sums(view)).toEqual(right)
  })

  test('an async state is refused before anything is read', async () => {
    const view = 'state: async () => ({}), on: { Deposited: () => {} }, columns: { balance: int64() }, row: () => null'
    expect(await refusal(writeJob(home, { view }), home)).toBeInstanceOf(ConfigurationError)
  })
})
