import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigurationError, ViewError } from '../../src/model/errors.ts'
import { readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRows, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('names')
  home = folder.path
  await publishSound(home)
  writeRows(join(home, 'log/0.parquet'), ledgerColumns, ledgerRows(1, 2, 4))
})
afterEach(() => folder.remove())

const typed = 'state: { balance: int64() }'
const sum = "on: { '*': (s, e) => { s.balance += e.amount } }"
const event = 'it has type, id, key, recordedAt, amount, note'

describe('a name that leads to nothing is refused in', () => {
  test.each([
    ['a handler', `${typed}, on: { '*': (s, e) => { s.balance += e.amunt } }`, 'the event has no "amunt"', 'amount'],
    ['one that destructures', `${typed}, on: { '*': (s, { amunt }) => { s.balance += amunt } }`, event, 'amount'],
    ['a filter', `${typed}, ${sum}, filter: (e) => e.typ === 'Deposited'`, 'filter: the event has no "typ"', 'type'],
    ['a keyBy', `key: { n: string() }, keyBy: (e) => ({ n: e.kye }), ${typed}, ${sum}`, 'keyBy: the event', 'key'],
    ['a read of a state', `${typed}, on: { '*': (s, e) => { s.balance = s.balnce } }`, 'the state has no', 'balance'],
    ['a write to a state', `${typed}, on: { '*': (s, e) => { s.balnce = 1 } }`, 'the state has no', 'balance'],
    ['a row', `${typed}, ${sum}, row: (s) => ({ balance: s.balnce })`, 'row: the state has no', 'balance'],
    ['a merge', `${typed}, ${sum}, merge: (a, b) => { a.balance += b.balnce }`, 'merge: the state', 'balance'],
  ])('%s', async (_, view, message, meant) => {
    const error = await refusal(writeJob(home, { view }), home)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain(message)
    expect(error.message).toContain(`did you mean "${meant}"?`)
  })

  test.each([
    [
      `${typed}, on: { '*': (s, e, k) => { if (k.account_id === 'a1') s.balance++ } }`,
      'the key has no "account_id", it has key',
    ],
    [`${typed}, ${sum}, row: (s, k) => k.account_id === 'a1' ? s : null`, "the log's own key is called key"],
  ])('a key: %s', async (view, message) => {
    expect((await refusal(writeJob(home, { view }), home)).message).toContain(message)
  })

  test('an upcast', async () => {
    const error = await refusal(writeJob(home, { log: 'upcast: { Deposited: (e) => ({ amount: e.sum }) }' }), home)
    expect(error.message).toContain('log "ledger": upcast Deposited: the event has no "sum"')
    expect(error.message).toContain("declare it in the log's fields")
  })
})

describe('a new state that is assigned to the parameter is refused in', () => {
  const free = 'state: () => ({ balance: 0, of: {} }), columns: { balance: int64() }, row: (s) => s'
  test.each([
    `${typed}, on: { '*': (s, e) => { s = { balance: s.balance + e.amount } } }`,
    `${typed}, on: { '*': (s, e) => { s = Object.assign({}, s) } }`,
    `${typed}, ${sum}, merge: (s, from) => { s = { balance: s.balance + from.balance } }`,
    `${free}, on: { '*': (s, e) => { s = { ...s, balance: s.balance + e.amount } } }`,
  ])('%s', async (view) => {
    const error = await refusal(writeJob(home, { view }), home)
    expect(error.message).toContain('it assigns to its parameter "s", which is lost when it ends')
  })

  test.each([
    `${free}, on: { '*': (s, e) => { s = { ...s, balance: s.balance + e.amount }; return s } }`,
    `${free}, on: { '*': (s, e) => { const state = s; s = s.of; s[e.id] = e.amount; state.balance += e.amount } }`,
    `${typed}, on: { '*': (s, e) => { s.balance += [e.amount].reduce((s, n) => { s = s + n; return s }, 0) } }`,
  ])('and nothing else: %s', async (view) => {
    const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true })
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['balance'])).toEqual([5, 2])
  })
})

describe('a day that is read as a moment is refused in', () => {
  const fields = "due: date('occurred_at'), at: timestamp('us', 'occurred_at')"
  test.each([
    [`${typed}, on: { '*': (s, e) => { s.balance += dayOf(e.due) } }`, 'handler *: dayOf() expects a moment'],
    [`${typed}, on: { '*': (s, { due }) => { s.balance += dayOf(due) } }`, 'handler *: dayOf() expects a moment'],
    [`${typed}, ${sum}, filter: (e) => dayOf(e.due) > 3`, 'filter: dayOf() expects a moment, and field "due" is a day'],
    [`key: { n: date() }, keyBy: (e) => ({ n: dayOf(e.due) }), ${typed}, ${sum}`, 'keyBy: dayOf()'],
  ])('%s', async (view, message) => {
    const error = await refusal(writeJob(home, { view, fields }), home)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain(message)
    expect(error.message).toContain('use it as it is')
  })
})

describe('a free-form state that keeps the event itself is refused:', () => {
  const free = 'columns: { n: int64() }, row: (s) => ({ n: 1 })'
  test.each([
    ['state: () => ({ events: [] })', 's.events.push(e)'],
    ['state: () => ({ events: [] })', 's.events = s.events.concat({ at: 1, e })'],
    ['state: () => ({ last: null })', 's.last = e'],
    ['state: () => ({ byId: new Map() })', 's.byId.set(e.id, e)'],
    ['state: () => ({ byId: new Map() })', 's.byId.set(e.id, { e })'],
    ['state: () => ({ seen: new Set() })', 's.seen.add(e)'],
    ['state: () => []', 's.push(e)'],
  ])('%s, %s', async (state, body) => {
    for (const onError of ['fail', 'quarantine']) {
      const view = `${state}, ${free}, onError: '${onError}', on: { '*': (s, e) => { ${body} } }`
      const error = await refusal(writeJob(home, { view }), home)
      expect(error).toBeInstanceOf(ViewError)
      expect(error.message).toContain('the state holds an event, which is another one by now: keep a copy of it')
    }
  })

  test.each(['s.doc = e', 's.doc = [e]', 's.doc = { of: { e } }', 's.doc ??= []; s.doc.push(e)'])(
    'and a document: %s',
    async (body) => {
      for (const row of ['', 'row: (s) => s,', 'merge: (into, from) => { into.doc = from.doc },']) {
        const view = `state: { doc: json() }, ${row} on: { '*': (s, e) => { ${body} } }`
        const error = await refusal(writeJob(home, { view }), home)
        expect(error).toBeInstanceOf(ViewError)
        expect(error.message).toMatch(/(?:the state holds an event|the event itself), which is another one by now/)
      }
    },
  )

  test('a copy is kept', async () => {
    const view = `state: () => ({ events: [] }), columns: { n: int64() }, row: (s) => ({ n: s.events.reduce((n, e) => n + e.amount, 0) }),
      on: { '*': (s, e) => { s.events.push({ ...e }) } }`
    const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true })
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['n'])).toEqual([5, 2])
  })
})

describe('what a fold cannot wait for or repeat is refused:', () => {
  test.each([
    ['Promise.resolve().then(() => { s.balance += e.amount })', 'it makes a promise'],
    ['(async () => { await 0; s.balance += e.amount })()', "it is async, and a fold can't wait"],
    ['later(s, e)', "it is async, and a fold can't wait"],
    ["s.balance += readFileSync('/etc/hostname').length", 'it uses readFileSync of node:fs'],
    ["s.balance += fs.readFileSync('/etc/hostname').length", 'it uses node:fs'],
    ['s.balance += hostname().length', 'it uses hostname of os'],
    ['s.balance += randomInt(9)', 'it uses randomInt of node:crypto'],
  ])('%s', async (body, message) => {
    const view = `${typed}, on: { '*': (s, e) => { ${body} } } })
      async function later(s, e) { await 0; s.balance += e.amount }
      import fs, { readFileSync } from 'node:fs'
      import { hostname } from 'os'
      import { createHash, randomInt } from 'node:crypto'
      export const other = ({ name: 'unused'`
    const error = await refusal(writeJob(home, { view }), home)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toContain('must give the same result every time')
    expect(error.message).toContain(message)
  })

  test('not what is read while the module is loaded, nor a hash', async () => {
    const view = `${typed}, on: { '*': (s, e) => { s.balance += createHash('sha256').update(e.id).digest().length + own } } })
      import { readFileSync } from 'node:fs'
      import { createHash } from 'node:crypto'
      const own = await Promise.resolve(readFileSync(import.meta.filename, 'utf8').length * 0)
      export const other = ({ name: 'unused'`
    const report = await run(writeJob(home, { view }), home, { allowMissingInputs: true })
    expect(readPublished(report.views[0]!.path).rows.map((row) => row['balance'])).toEqual([64, 32])
  })
})

test('a view of several logs names the log as well', async () => {
  const path = join(home, 'job.ts')
  const log = (name: string) =>
    `defineLog({ name: '${name}', files: 'log/*.parquet', columns: { id: 'event_id', key: 'account_id', recordedAt: 'recorded_at' } })`
  writeFileSync(
    path,
    `import { defineJob, defineLog, defineView, int64, string } from 'refold'
    const balances = defineView({ name: 'balances', logs: [${log('one')}, ${log('two')}], state: { n: int64() }, key: { k: string() },
      keyBy: { one: (e) => ({ k: e.key }), two: (e) => ({ k: e.kye }) }, on: { one: { '*': (s) => { s.n++ } }, two: { '*': (s) => { s.n++ } } } })
    export default defineJob({ views: [balances] })`,
  )
  expect((await refusal(path, home)).message).toContain('two, keyBy: the event has no "kye"')
})
