import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ViewError } from '../../src/model/errors.ts'
import { nullable, string } from '../../src/model/types.ts'
import { readExceptions, readPublished, scratch, writeRows } from '../support/logs.ts'
import { type JobText, ledgerColumns, ledgerRow, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('sealed')
  home = folder.path
  await publishSound(home)
  const columns = { ...ledgerColumns, payload: nullable(string()) }
  const payload = '{"tags": ["b", "a"], "at": {"city": "x"}}'
  writeRows(
    join(home, 'log/0.parquet'),
    columns,
    [1, 2, 4, 5].map((number) => ledgerRow(number, { payload })),
  )
})
afterEach(() => folder.remove())

const typed = 'state: { balance: int64(), tags: json() }'
const free = 'state: () => ({ balance: 0, tags: [] }), columns: { balance: int64() }'
const counts = "on: { '*': (s, e) => { s.balance++ } }"
const on = (body: string) => `on: { '*': (s, e, key) => { s.balance++; ${body} } }`

/** Each: a view that writes to what it is given, and what is said of it. */
const written: Readonly<Record<string, readonly [string, string]>> = {
  'an event gets a new property': [`${typed}, ${on("e['foo'.trim()] = 1")}`, 'it set "foo", which was not declared'],
  'an event that may be copied gets one': [
    `${typed}, ${on('const copy = { ...e }; e.foo = 1')}`,
    'it set "foo", which was not declared',
  ],
  'an event loses a property': [`${typed}, ${on('const copy = { ...e }; delete e.amount')}`, 'it deleted "amount"'],
  'a field of an event': [`${typed}, ${on('e.amount++')}`, 'it set "amount"'],
  'a field of an event of a free-form state': [`${free}, row: (s) => s, ${on('e.amount = 0')}`, 'it set "amount"'],
  'a document of an event': [`${typed}, ${on('e.payload.seen = true')}`, 'it set "seen", which was not declared'],
  'an array in a document': [`${typed}, ${on("e.payload.tags.push('c')")}`, 'it set "2", which was not declared'],
  'an array in a document, in place': [`${typed}, ${on('e.payload.tags.sort()')}`, 'it set "0"'],
  'an object deep in a document': [`${typed}, ${on("e.payload.at.city = 'y'")}`, 'it set "city"'],
  'a document that a state keeps': [
    `${typed}, ${on("s.tags = e.payload.tags; s.tags.push('c')")}`,
    'it set "2", which was not declared',
  ],
  'a key': [`${typed}, ${on("key.key = 'x'")}`, 'it set "key"'],
  'a key gets a new property': [`${typed}, ${on("key['seen'.trim()] = 1")}`, 'it set "seen", which was not declared'],
  'a typed state gets a new property': [
    `${typed}, ${on("s['foo'.trim()] = 1")}`,
    'it set "foo", which was not declared',
  ],
  'an event in a keyBy': [`keyBy: (e) => { e.key = 'x'; return { key: 'x' } }, ${typed}, ${counts}`, 'it set "key"'],
  'an event in a filter': [
    `filter: (e) => { e['seen'.trim()] = 1; return true }, ${typed}, ${counts}`,
    'it set "seen"',
  ],
  'a state in a row': [`${typed}, ${counts}, row: (s) => { s.balance = 0; return s }`, 'it set "balance"'],
  'a free-form state in a row': [`${free}, ${counts}, row: (s) => { s.balance = 0; return s }`, 'it set "balance"'],
  'an array of a state in a row': [
    `${free}, ${on('s.tags.push(e.id)')}, row: (s) => { s.tags.sort(); return s }`,
    'it set "0"',
  ],
  'a document of a state in a row': [
    `${typed}, ${on('s.tags = [1, 2]')}, row: (s) => { s.tags.reverse(); return s }`,
    'it set "0"',
  ],
  'a key in a row': [`${typed}, ${counts}, row: (s, key) => { key.key = 'x'; return s }`, 'it set "key"'],
  'a state that is merged in': [`${typed}, ${counts}, merge: (into, from) => { from.balance = 0 }`, 'it set "balance"'],
  'a state that is merged in, by a new property': [
    `${typed}, ${counts}, merge: (into, from) => { from['seen'.trim()] = 0 }`,
    'it set "seen"',
  ],
}

describe('a function may not write to what it is given:', () => {
  test.each(Object.entries(written))('%s', async (_, [view, message]) => {
    const text: JobText = { fields: 'payload: json()', view }
    if (view.includes('merge')) {
      writeRows(join(home, 'log/1.parquet'), { ...ledgerColumns, payload: nullable(string()) }, [
        ledgerRow(7),
        ledgerRow(8),
      ])
    }
    const error = await refusal(writeJob(home, text), home)
    expect(error).toBeInstanceOf(ViewError)
    expect(error.message).toContain('View balances, ')
    expect(error.message).toContain(message)
    expect(error.message).toContain('what a function is given is read-only')
  })
})

test('an upcaster may not write to its event', async () => {
  const error = await refusal(
    writeJob(home, { log: 'upcast: { Deposited: (e) => { e.amount *= 100; return {} } }' }),
    home,
  )
  expect(error.message).toContain(
    'its upcast of Deposited, at log/0.parquet, row group 0, row 0, event e1: it set "amount"',
  )
})

test('copies of what it is given are its own', async () => {
  const view = `state: { balance: int64(), tags: json() }, on: { '*': (s, e, key) => {
    const copy = { ...e, ...key }; copy.amount = 1; copy.foo = 1
    s.tags = [...(s.tags ?? []), ...e.payload.tags]; s.tags.sort(); s.tags.push('z')
    s.balance += copy.amount + copy.foo
  } }, row: (s) => ({ balance: s.balance, tags: s.tags.toSorted() })`
  const report = await run(writeJob(home, { fields: 'payload: json()', view }), home, {
    allowMissingInputs: true,
    workers: 2,
  })
  const { rows } = readPublished(report.views[0]!.path)
  expect(rows.map(({ balance }) => balance)).toEqual([4, 4])
})

test('states that are merged keep documents that can be changed', async () => {
  writeRows(join(home, 'log/1.parquet'), { ...ledgerColumns, payload: nullable(string()) }, [
    ledgerRow(7),
    ledgerRow(8),
  ])
  const view = `state: { tags: json(undefined, { initial: [] }) }, on: { '*': (s, e) => { s.tags.push(e.amount) } },
    merge: (into, from) => { into.tags.push(...from.tags.sort()) }, row: (s) => ({ tags: s.tags.toSorted() })`
  const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true, strategy: 'combine' })
  expect(readPublished(report.views[0]!.path).rows.map(({ tags }) => tags)).toEqual([
    [1, 4, 7],
    [2, 5, 8],
  ])
})

test('vintages go on folding into states that row was given', async () => {
  const view = `state: () => ({ tags: [] }), ${"on: { '*': (s, e) => { s.tags.push(e.amount) } }"}, columns: { tags: json() }, row: (s) => s`
  const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true, vintages: 'hour' })
  expect(readPublished(report.views[0]!.path).rows.map(({ tags }) => tags)).toEqual([
    [1, 4],
    [2, 5],
  ])
})

describe('what the engine says of a mistake is said in words:', () => {
  test.each([
    ['s.balance += e.payload.no.city', 'it read "city" of undefined'],
    ['const { city } = e.payload.no; s.balance += city', 'it took "city" of '],
    ['e.payload.at.city.trimm()', 'it called e.payload.at.city.trimm, which is not a function'],
    ['for (const tag of e.payload.at) s.balance++', 'it took the items of e.payload.at, which has none'],
    ['s.balance += nope', 'it used nope, which is not defined'],
    ['s.balance += 1n', 'it calculated with a bigint and a number'],
  ])('%s', async (body, message) => {
    const text = { fields: 'payload: json()', view: `${typed}, ${on(body)}` }
    const error = await refusal(writeJob(home, text), home)
    expect(error.message).toMatch(
      /^View balances, handler \*, key "a\d", at log\/0.parquet, row group 0, row \d, event e\d: it /,
    )
    expect(error.message).toContain(message)
    const quarantined = { ...text, view: `${typed}, onError: 'quarantine', ${on(body)}` }
    const report = await run(writeJob(home, quarantined), home, { allowMissingInputs: true })
    expect(readExceptions(report.views[0]!.path)[0]!['detail']).toContain(message)
  })
})
