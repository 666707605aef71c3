import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bytes,
  defineJob,
  defineLog,
  defineView,
  int32,
  nullable,
  openView,
  string,
  traceKey,
  uuid,
  type View,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { scratch } from '../support/logs.ts'
import { refoldBytes } from '../support/refold.ts'

/** A view whose key, state and rows are of bytes and UUIDs, from the log to all that reads it. */

const folder = scratch('byte-columns')
const files = join(folder.path, 'log.parquet')
const out = join(folder.path, 'views')
let duckdb: DuckDBConnection
const opened: View[] = []

const uuidAt = (i: number) => `6ba7b8${(16 + i).toString(16)}-9dad-11d1-80b4-00c04fd430c8`

/** Rows enough for several pages, so that keys are found by bounds. */
const keys = 20_000

beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
  await duckdb.run(`COPY (SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'))::UUID AS id, 'Seen' AS type, i AS n,
      ('6ba7b8' || lpad(to_hex(16 + i % 3), 2, '0') || '-9dad-11d1-80b4-00c04fd430c8')::UUID AS device,
      unhex(lpad(to_hex(i % ${keys}), 8, '0') || CASE i % 2 WHEN 0 THEN 'ff' ELSE '00' END) AS hash,
      CASE i % 5 WHEN 0 THEN NULL ELSE unhex(lpad(to_hex(i % 7), 2, '0')) END AS maybe
    FROM range(${keys + 5}) t(i)) TO '${files}' (FORMAT parquet)`)
})
afterAll(() => {
  for (const view of opened) view.close()
  duckdb.closeSync()
  folder.remove()
})

function job(device: (found: string) => string = (found) => found) {
  const log = defineLog({
    name: 'log',
    files,
    columns: { id: 'id', key: bytes('hash'), type: 'type' },
    fields: { device: uuid(), maybe: nullable(bytes()), n: int32() },
  })
  const byHash = defineView({
    name: 'by-hash',
    log,
    orderFree: true,
    state: {
      events: int32(),
      device: nullable(uuid()),
      maybe: bytes(undefined, { initial: 'ff' }),
      none: nullable(bytes()),
    },
    on: {
      Seen: (s, e) => {
        s.events++
        s.device = device(e.device)
        s.maybe = e.maybe ?? ''
      },
    },
  })
  const byDevice = defineView({
    name: 'by-device',
    log,
    orderFree: true,
    key: { device: uuid(), maybe: nullable(bytes()), text: string() },
    keyBy: (e) => ({ device: e.device, maybe: e.maybe, text: e.type }),
    state: { events: int32() },
    on: {
      Seen: (s) => {
        s.events++
      },
    },
    columns: { events: int32(), first: bytes(), owner: uuid() },
    row: (s, key) => ({ events: s.events, first: key.maybe ?? '00', owner: key.device }),
  })
  return loadedFromDefinition(defineJob({ views: [byHash, byDevice] }))
}

async function viewOf(name: string): Promise<View> {
  const view = await openView(out, name)
  opened.push(view)
  return view
}

async function parts(name: string): Promise<string> {
  return join(out, name, (await viewOf(name)).generation, 'part-*.parquet')
}

async function ask(sql: string): Promise<unknown[][]> {
  return (await (await duckdb.runAndReadAll(sql)).getRowsJson()) as unknown[][]
}

describe('bytes and UUIDs', () => {
  beforeAll(async () => {
    await rebuild(job(), { out, workers: 0 })
  })

  test('are BLOB and UUID to DuckDB, and sorted by their bytes', async () => {
    const described = await ask(`DESCRIBE SELECT * FROM '${await parts('by-hash')}'`)
    expect(described.map(([name, type]) => [name, type])).toEqual([
      ['hash', 'BLOB'],
      ['events', 'INTEGER'],
      ['device', 'UUID'],
      ['maybe', 'BLOB'],
      ['none', 'BLOB'],
    ])
    const grouped = `SELECT hash, count(*), max_by(device, n), max_by(coalesce(maybe, ''::BLOB), n) FROM '${files}' GROUP BY hash ORDER BY hash`
    const published = `SELECT hash, events, device, maybe FROM '${await parts('by-hash')}' ORDER BY hash`
    expect(await ask(`SELECT count(*) FROM ((${grouped}) EXCEPT (${published}))`)).toEqual([['0']])
    expect(await ask(`SELECT count(*), count(DISTINCT hash) FROM '${await parts('by-hash')}'`)).toEqual([
      [String(keys), String(keys)],
    ])
    expect(
      await ask(`SELECT device::VARCHAR, count(*) FROM '${await parts('by-device')}' GROUP BY 1 ORDER BY 1`),
    ).toEqual([0, 1, 2].map((i) => [uuidAt(i), '8']))
  })

  test('are found by their texts, one key without reading all', async () => {
    const view = await viewOf('by-hash')
    const [row] = await view.get(['00001234ff'])
    expect(row).toEqual({ hash: '00001234ff', events: 1, device: uuidAt(0x1234 % 3), maybe: '', none: null })
    expect(await view.get(['00001234FF'])).toEqual([row])
    expect(await view.get(['0000123400'])).toEqual([])
    await expect(view.get(['abc'])).rejects.toThrow('Key column hash: expected bytes as hexadecimal digits, found abc')
  })

  test('are found by the first of several columns, and by a null', async () => {
    const view = await viewOf('by-device')
    const rows = await view.get([uuidAt(1).toUpperCase()])
    expect(rows).toHaveLength(8)
    expect(rows[0]).toEqual({
      device: uuidAt(1),
      maybe: null,
      text: 'Seen',
      events: 1333,
      first: '00',
      owner: uuidAt(1),
    })
    expect(await view.get({ device: uuidAt(1), maybe: '00' })).toEqual([rows[1]])
    await expect(view.get(['6ba7b810'])).rejects.toThrow('expected a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8')
  })

  test('are binary columns of Arrow', () => {
    const stream = refoldBytes('show', 'by-device', '--out', out, '--format', 'arrow')
    const row = tableFromIPC(stream).get(1)!.toJSON()
    expect(Buffer.from(row['device'] as Uint8Array).toString('hex')).toBe(uuidAt(0).replaceAll('-', ''))
    expect(Buffer.from(row['maybe'] as Uint8Array)).toEqual(Buffer.of(0))
  })

  test('are shown by a trace of their key', async () => {
    const { events, rows } = await traceKey(job(), { view: 'by-hash', key: ['0000000300'] })
    expect(events.map(({ fields }) => fields)).toEqual([
      { device: uuidAt(0), maybe: '03' },
      { device: uuidAt(2), maybe: '04' },
    ])
    expect(rows).toEqual(await (await viewOf('by-hash')).get(['0000000300']))
  })

  test('that change are differences, shown as texts', async () => {
    await rebuild(
      job((found) => (found === uuidAt(0) ? uuidAt(9) : found)),
      { out, workers: 0, views: ['by-hash'] },
    )
    const diff = await (await viewOf('by-hash')).diff()
    const { keys: counted } = await diff.count()
    expect(counted.changed).toBe(Math.ceil(keys / 3))
    for await (const { key, old, new: now } of diff.changes()) {
      expect({ key, old, now }).toEqual({
        key: { hash: '0000000100' },
        old: { device: uuidAt(0) },
        now: { device: uuidAt(9) },
      })
      break
    }
  })

  test.each([
    ['an odd number of digits', () => 'abc'],
    ['upper case', () => uuidAt(0).toUpperCase()],
    ['nothing', () => ''],
  ])('that a handler sets to %s are refused', async (_, device) => {
    await expect(rebuild(job(device), { out: join(folder.path, 'none'), workers: 0 })).rejects.toThrow(
      'state "device": expected a UUID in lower case, found "',
    )
  })
})
