import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytes, int64, json, nullable, string, uuid } from '../../src/index.ts'
import type { RoleSource } from '../../src/model/log.ts'
import { scratch } from '../support/logs.ts'
import { annotated, bareBytes, rebuildSeen, writeBytesFile } from '../support/value-logs.ts'

const folder = scratch('one-encoding')
let duckdb: DuckDBConnection
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
})
afterAll(() => {
  duckdb.closeSync()
  folder.remove()
})

let homes = 0
const place = (name = 'log.parquet') => join(folder.path, String(homes++), name)
const hex = (digits: string) => Buffer.from(digits, 'hex')
const [idA, idB] = ['ffd8ffe000104a46ffd8ffe000104a46', 'ffd8ffe000104a47ffd8ffe000104a46'].map(hex) as [Buffer, Buffer]

/** Has DuckDB write a file of a query's rows. */
async function written(query: string, name?: string): Promise<string> {
  const path = place(name)
  mkdirSync(join(path, '..'), { recursive: true })
  await duckdb.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)
  return path
}

/** Publishes by a key, and what of each key was counted. */
async function counts(files: string | readonly string[], key: RoleSource, more: object = {}) {
  const { rows } = await rebuildSeen(folder.path, { files, columns: { id: 'n', key, ...more } })
  return rows.map((row) => Object.values(row).slice(0, 2))
}

describe('bytes without annotation', () => {
  test.each(['key', 'id', 'type'])('of a fixed length are refused under a bare name, as the %s', async (role) => {
    const file = writeBytesFile(place(), [bareBytes('c', [idA, idB], 16)])
    const columns = { id: 'n', key: int64('n'), [role]: 'c' }
    await expect(rebuildSeen(folder.path, { files: file, columns })).rejects.toThrow(
      /column "c" \(the events' \w+\): expected .*, found 16 bytes without annotation\./,
    )
  })

  test('the refusal says what to declare', async () => {
    const file = writeBytesFile(place(), [bareBytes('c', [idA, idB], 16)])
    await expect(counts(file, 'c')).rejects.toThrow("Declare key: uuid('c'), or bytes('c').")
    await expect(rebuildSeen(folder.path, { files: file, columns: { id: 'c', key: int64('n') } })).rejects.toThrow(
      "Declare id: uuid('c'), or bytes('c').",
    )
  })

  test('are different keys as uuid() and as bytes(), which strings would make one', async () => {
    const file = writeBytesFile(place(), [bareBytes('c', [idA, idB, idA], 16)])
    expect(await counts(file, uuid('c'))).toEqual([
      ['ffd8ffe0-0010-4a46-ffd8-ffe000104a46', 2],
      ['ffd8ffe0-0010-4a47-ffd8-ffe000104a46', 1],
    ])
    expect(await counts(file, bytes('c'))).toEqual([
      [idA.toString('hex'), 2],
      [idB.toString('hex'), 1],
    ])
    await expect(counts(file, string('c'))).rejects.toThrow(
      /row group 0, row 0, column "c": expected UTF-8 text; declare bytes\(\) for bytes as they are, or uuid\(\) for UUIDs, found the bytes ffd8ffe0/,
    )
  })

  test('of any length are text under a bare name where they are nothing else', async () => {
    const text = writeBytesFile(place(), [
      bareBytes(
        'c',
        ['a', 'Zoë', 'a', '\ufffd', 'two\nlines'].map((t) => Buffer.from(t)),
      ),
    ])
    expect(await counts(text, 'c')).toEqual([
      ['Zoë', 1],
      ['a', 2],
      ['two\nlines', 1],
      ['\ufffd', 1],
    ])
    const odd = writeBytesFile(place(), [bareBytes('c', [Buffer.from('a'), hex('0001')])])
    await expect(counts(odd, 'c')).rejects.toThrow(
      /row 1, column "c": expected text without control characters, .*declare string\(\) if they are text, else bytes\(\) or uuid\(\), found the bytes 0001/,
    )
    expect(await counts(odd, string('c'))).toEqual([
      ['\u0000\u0001', 1],
      ['a', 1],
    ])
    const latin1 = writeBytesFile(place(), [bareBytes('c', [Buffer.from('a'), Buffer.from('Zoë', 'latin1')])])
    await expect(counts(latin1, 'c')).rejects.toThrow('row 1, column "c": expected UTF-8 text')
  })
})

describe('text that is no UTF-8', () => {
  const bad = [Buffer.from('ok'), hex('c328'), hex('c329')]

  test.each([
    ['key', { key: 'c' }, {}],
    ['id', { id: 'c', key: int64('n') }, {}],
    ['type', { key: int64('n'), type: 'c' }, {}],
    ['field', { key: int64('n') }, { c: string() }],
    ['part of an id', { id: ['n', 'c'], key: int64('n') }, {}],
    ['text of JSON', { key: int64('n') }, { c: json() }],
  ])('is refused with its place, as the %s', async (_, columns, fields) => {
    const file = writeBytesFile(place(), [annotated('c', bad, 'UTF8')])
    await expect(rebuildSeen(folder.path, { files: file, columns: { id: 'n', ...columns }, fields })).rejects.toThrow(
      /log\.parquet, row group 0, row 1, column "c": expected UTF-8 text; .*, found the bytes c328/,
    )
  })

  test('is refused in text whose neighbours complete it, in long text, and from a dictionary', async () => {
    const halves = writeBytesFile(place(), [annotated('c', [hex('61c3'), hex('a962')], 'UTF8')])
    await expect(counts(halves, 'c')).rejects.toThrow('row 0, column "c": expected UTF-8 text')
    // The length of the second is 169, which is a9 in front of it.
    const long = writeBytesFile(place(), [annotated('c', [hex('61c3'), Buffer.alloc(169, 'x')], 'UTF8')])
    await expect(counts(long, 'c')).rejects.toThrow('row 0, column "c": expected UTF-8 text')
    const often = Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? hex('c328') : Buffer.from('fine')))
    const coded = writeBytesFile(place(), [annotated('c', [null, ...often], 'UTF8')])
    await expect(
      rebuildSeen(folder.path, {
        files: coded,
        columns: { id: 'n', key: int64('n') },
        fields: { c: nullable(string()) },
      }),
    ).rejects.toThrow('row 1, column "c": expected UTF-8 text')
  })

  test('is refused within JSON where it is read, and as bytes() it is read as it is', async () => {
    const documents = [Buffer.from('{"a":"b"}'), Buffer.concat([Buffer.from('{"a":"'), hex('c328'), Buffer.from('"}')])]
    const file = writeBytesFile(place(), [annotated('c', documents, 'UTF8')])
    const read = { files: file, columns: { id: 'n', key: int64('n') }, fields: { a: string('c.a') } }
    await expect(rebuildSeen(folder.path, read)).rejects.toThrow('row 1, column "c": expected UTF-8 text')
    const { rows } = await rebuildSeen(folder.path, { ...read, fields: { c: bytes() } })
    expect(rows.map(({ seen }) => seen)).toEqual(documents.map((document) => [document.toString('hex')]))
  })
})

describe("a string that UTF-8 can't encode", () => {
  const halves = `SELECT i AS n, CASE i WHEN 0 THEN '{"k":"\\ud800"}' ELSE '{"k":"\\ud801"}' END AS doc FROM range(2) t(i)`

  test('is refused as a key and as a field, from JSON', async () => {
    const file = await written(halves)
    await expect(counts(file, string('doc.k'))).rejects.toThrow(
      /row 0, column "doc\.k": expected text that UTF-8 can encode, without half of a surrogate pair, found "\\ud800"/,
    )
    const fields = { k: string('doc.k') }
    await expect(
      rebuildSeen(folder.path, { files: file, columns: { id: 'n', key: int64('n') }, fields }),
    ).rejects.toThrow('row 0, column "doc.k"')
  })

  test('is not published within a document either', async () => {
    const file = await written(halves)
    const read = { files: file, columns: { id: 'n', key: int64('n') }, fields: { doc: json() } }
    await expect(rebuildSeen(folder.path, read)).rejects.toThrow(
      'for key 0: state "seen": expected a JSON value, found what JSON can\'t say (half of a surrogate pair)',
    )
  })
})

describe('UUIDs', () => {
  const first = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
  const second = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'
  const raw = [first, second].map((text) => hex(text.replaceAll('-', '')))

  test('are one, whether a file has them as UUID, as bytes, or as text of either case', async () => {
    const files = [
      await written(`SELECT 0::BIGINT AS n, '${first}'::UUID AS c`),
      writeBytesFile(place(), [bareBytes('c', raw, 16)], 1),
      writeBytesFile(place(), [bareBytes('c', raw)], 3),
      await written(`SELECT 5::BIGINT AS n, '${first.toUpperCase()}' AS c UNION ALL SELECT 6, '${second}'`),
    ]
    expect(await counts(files, uuid('c'))).toEqual([
      [first, 4],
      [second, 3],
    ])
    const { report } = await rebuildSeen(folder.path, { files, columns: { id: uuid('c'), key: uuid('c') } }).then(
      (rebuilt) => rebuilt,
    )
    expect(report.views[0]!.counters).toMatchObject({ applied: 2, duplicate: 5 })
  })

  test.each(['key', 'id'])('and texts of one column are refused under a bare name, as the %s', async (role) => {
    const files = [
      await written(`SELECT 0::BIGINT AS n, '${first}'::UUID AS c`),
      await written(`SELECT 1::BIGINT AS n, '${first.toUpperCase()}' AS c`),
    ]
    const columns = { id: 'n', key: int64('n'), [role]: 'c' }
    await expect(rebuildSeen(folder.path, { files, columns })).rejects.toThrow(
      new RegExp(`log\\.parquet, column "c".*as in .*log\\.parquet, found .*Declare ${role}: uuid\\('c'\\)`),
    )
  })

  test('what is none is refused with its row', async () => {
    const file = await written(`SELECT 0::BIGINT AS n, '${first}' AS c UNION ALL SELECT 1, 'x${first.slice(1)}'`)
    await expect(counts(file, uuid('c'))).rejects.toThrow(/row 1, column "c": expected a UUID: 16 bytes, or a text/)
    const short = writeBytesFile(place(), [bareBytes('c', [raw[0]!, hex('00')])])
    await expect(counts(short, uuid('c'))).rejects.toThrow(/row 1, column "c": expected a UUID.*found the bytes 00/)
  })

  test('of JSON are of either case, and bytes of JSON are refused', async () => {
    const file = await written(`SELECT 0::BIGINT AS n, '{"u":"${first.toUpperCase()}"}' AS doc`)
    expect(await counts(file, uuid('doc.u'))).toEqual([[first, 1]])
    await expect(counts(file, bytes('doc.u'))).rejects.toThrow(
      'column "doc.u": expected bytes; a text is declared as string()',
    )
  })

  test('text of nested columns that is no UTF-8 is refused', async () => {
    const path = place()
    mkdirSync(join(path, '..'), { recursive: true })
    const query = "SELECT i AS n, [CASE i WHEN 0 THEN 'fine' ELSE 'MARK' END] AS l FROM range(2) t(i)"
    await duckdb.run(`COPY (${query}) TO '${path}' (FORMAT parquet, COMPRESSION uncompressed)`)
    const written = readFileSync(path, 'latin1').replaceAll('MARK', 'x\u00c3(y')
    writeFileSync(path, Buffer.from(written, 'latin1'))
    const fields = { first: string('l.0') }
    await expect(
      rebuildSeen(folder.path, { files: path, columns: { id: 'n', key: int64('n') }, fields }),
    ).rejects.toThrow(/column "l": expected UTF-8 text, found the bytes 78c32879/)
  })

  test('and bytes of nested columns are read', async () => {
    const file = await written(
      `SELECT 0::BIGINT AS n, [{'u': '${first}'::UUID, 'b': '\\xAA\\x00'::BLOB, 't': 'Zo\\xC3\\xAB'::BLOB}] AS l`,
    )
    const fields = { u: uuid('l.0.u'), b: bytes('l.0.b'), t: string('l.0.b') }
    const read = { files: file, columns: { id: 'n', key: int64('n') } }
    const { rows } = await rebuildSeen(folder.path, { ...read, fields: { u: fields.u, b: fields.b } })
    expect(rows[0]!['seen']).toEqual([first, 'aa00'])
    await expect(rebuildSeen(folder.path, { ...read, fields: { t: fields.t } })).rejects.toThrow(
      'column "l.0.b": expected a string',
    )
  })
})
