import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InputError } from '../../src/model/errors.ts'
import { nullable, string } from '../../src/model/types.ts'
import { type Row, readPublished, scratch, writeRows } from '../support/logs.ts'
import { ledgerColumns, ledgerRow, publishSound, refusal, run, writeJob } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(async () => {
  folder = scratch('misnamed')
  home = folder.path
  await publishSound(home)
})
afterEach(() => folder.remove())

/** The logs here are others than the one that was published before. */
const allow = { allowMissingInputs: true }
const columns = { ...ledgerColumns, payload: nullable(string()) }
const write = (rows: readonly Row[], file = 'log/0.parquet') =>
  writeRows(join(home, file), columns, rows, { rowGroupRows: 3 })
const payloads = (...texts: readonly (string | null)[]) => texts.map((payload, i) => ledgerRow(i + 1, { payload }))
const reads = (name: string) =>
  `state: { seen: json(undefined, { initial: [] }) }, on: { '*': (s, e) => { s.seen.push(e.${name}) } }`

describe('a path into a document that no event has', () => {
  const misspelt = { fields: "country: nullable(string('payload.contry'))", view: reads('country') }

  test.each([0, 2])('is refused with the name that was meant, with %i workers', async (workers) => {
    write(payloads('{"country":"CH","city":"a"}', '{"country":"TW"}', null, '{"city":"b"}', '{"country":"CH"}'))
    write(
      payloads('{"country":"FR"}').map((row) => ({ ...row, event_id: 'e9' })),
      'log/1.parquet',
    )
    const error = await refusal(writeJob(home, misspelt), home, { workers })
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toBe(
      'Cannot read field "country" of log ledger: "payload.contry" was found in none of 6 events. Did you mean "payload.country"? Found there: country, city. Name the right path, or declare optional: true if events may have it later.'.replace(
        '"payload.country"',
        '"country"',
      ),
    )
  })

  test('is refused deep in a document, and where there is nothing', async () => {
    write(payloads('{"at":{"city":"a"}}', '{"at":{"city":"b"}}'))
    const deep = { fields: "city: nullable(string('payload.at.citty'))", view: reads('city') }
    expect((await refusal(writeJob(home, deep), home)).message).toContain('Did you mean "city"? Found there: city.')
    const above = { fields: "city: nullable(string('payload.att.city'))", view: reads('city') }
    expect((await refusal(writeJob(home, above), home)).message).toContain('found in none of 2 events')
    write(payloads(null, '{}'))
    expect((await refusal(writeJob(home, deep), home)).message).toContain('There is nothing where it should be.')
  })

  test('is refused for a keyBy that reads it', async () => {
    write(payloads('{"country":"CH"}'))
    const view = `key: { c: nullable(string()) }, keyBy: (e) => ({ c: e.country }), ${reads('id')}`
    expect((await refusal(writeJob(home, { ...misspelt, view }), home)).message).toContain('in none of 1 events')
  })

  test.each([
    ['it is null in an event', "nullable(string('payload.contry'))", ['{"contry":null}', '{}']],
    ['one event has it', "nullable(string('payload.contry'))", ['{}', '{}', '{}', '{}', '{"contry":"a"}']],
    ['it is optional', "nullable(string('payload.contry', { optional: true }))", ['{"country":"CH"}']],
    ['a value is declared in its place', "nullable(string('payload.contry', { whenMissing: null }))", ['{"a":1}']],
    ['the log has no event', "nullable(string('payload.contry'))", []],
  ])('is taken where %s', async (_, type, texts) => {
    write(payloads(...texts))
    const report = await run(writeJob(home, { fields: `country: ${type}`, view: reads('country') }), home, allow)
    expect(report.views[0]!.counters.applied).toBe(texts.length)
  })

  test('is taken where no function reads it, and where only some of the events count', async () => {
    write(payloads('{"country":"CH"}', '{"country":"TW"}'))
    await run(writeJob(home, { ...misspelt, view: reads('id') }), home, allow)
    await run(writeJob(home, misspelt), home, { ...allow, knownAt: '2021-05-22T00:00:01Z' })
  })
})

describe('of nested columns and folders', () => {
  async function copy(sql: string, path: string): Promise<void> {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    await connection.run(
      `COPY (SELECT 'e1' event_id, 'a1' account_id, 'Deposited' "type", TIMESTAMPTZ '2021-05-22 00:00:00Z' recorded_at, 1::BIGINT amount, '' note, ${sql}) TO '${join(home, path)}' (FORMAT parquet)`,
    )
    connection.closeSync()
    instance.closeSync()
  }

  test.each([
    [
      "nullable(string('place.citty'))",
      "{'city': 'x'} AS place",
      'expected column "place.citty" (field city), found city. Did you mean "place.city"?',
    ],
    ["nullable(string('place.at.citty'))", "{'at': {'city': 'x'}} AS place", 'Did you mean "place.at.city"?'],
    [
      "nullable(string('places.0.citty'))",
      "[{'city': 'x'}] AS places",
      'expected column "places.0.citty" (field city), found city. Did you mean "places.0.city"?',
    ],
    [
      "nullable(string('tags.colour'))",
      "MAP {'color': 'red'} AS tags",
      '"tags.colour" was found in none of 1 events. Did you mean "color"?',
    ],
    ["nullable(string('contry'))", "'CH' AS country", 'expected column "contry" (field city), found event_id'],
    ["nullable(string('contry'))", "'CH' AS country", 'Did you mean "country"?'],
    [
      "nullable(string('contry', { whenMissing: null }))",
      "'CH' AS country",
      'no file of the log has column "contry" (field city). Did you mean "country"?',
    ],
    ["nullable(string('regoin'))", '1 AS x', 'Did you mean "region"?'],
  ])('%s is refused', async (type, sql, message) => {
    await copy(sql, 'log/region=eu/0.parquet')
    const error = await refusal(writeJob(home, { fields: `city: ${type}`, view: reads('city') }), home)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toContain(message)
  })

  test('a column that is declared optional may be in no file', async () => {
    await copy("'CH' AS country", 'log/0.parquet')
    const fields = "city: nullable(string('contry', { whenMissing: null, optional: true }))"
    const report = await run(writeJob(home, { fields, view: reads('city') }), home, allow)
    expect(readPublished(report.views[0]!.path).rows[0]!['seen']).toEqual([null])
  })
})

describe('a type that no event has is noted', () => {
  const onTypes = ({ notes }: { readonly notes: readonly string[] }) =>
    notes.filter((note) => note.startsWith('No event'))

  test('of a handler, of the log, and of an upcast, each with what was meant', async () => {
    write(payloads('{}', '{}').map((row, i) => ({ ...row, type: ['Deposited', 'Opened'][i] })))
    const log = "types: ['Deposited', 'Opened', 'Withdrawn'], upcast: { Openned: () => null }"
    const tieBreak = "tieBreak: { types: ['Opened', 'Depositt'] }"
    expect(onTypes(await run(writeJob(home, { log: tieBreak }), home, allow))).toEqual([
      'No event of log ledger is of type "Depositt", which is named by the log\'s tieBreak; did you mean "Deposited"?',
    ])
    const report = await run(writeJob(home, { log }), home, allow)
    expect(onTypes(report)).toEqual([
      'No event of log ledger is of type "Openned", which is named by an upcast; did you mean "Opened"?',
      'No event of log ledger is of type "Withdrawn", which is named by the log\'s types.',
    ])
    const handler = await run(
      writeJob(home, { view: `state: { n: int64() }, on: { Depositd: (s) => { s.n++ } }` }),
      home,
      { workers: 2 },
    )
    expect(onTypes(handler)).toEqual([
      'No event of log ledger is of type "Depositd", which is named by a handler of view balances; did you mean "Deposited"?',
    ])
  })

  test('not where an upcast makes it, nor where only some of the events count', async () => {
    write(payloads('{}', '{}'))
    const made = "upcast: { Deposited: (e) => ({ type: 'Added' }) }"
    const view = 'state: { n: int64() }, on: { Added: (s) => { s.n++ } }'
    expect(onTypes(await run(writeJob(home, { log: made, view }), home, allow))).toEqual([])
    const early = await run(writeJob(home, { view }), home, { ...allow, knownAt: '2021-05-22T00:00:01Z' })
    expect(onTypes(early)).toEqual([])
  })
})
