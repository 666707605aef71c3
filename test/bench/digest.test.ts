import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestRows } from '../../src/bench/digest.ts'
import type { ViewShape } from '../../src/bench/workloads.ts'

let folder: string
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-digest-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const view: ViewShape = { name: 'v', columns: { day: 'day', name: 'text', at: 'moment', n: 'integer' }, keys: 2 }

async function write(query: string): Promise<string> {
  const connection = await (await DuckDBInstance.create()).connect()
  const path = join(folder, `${count++}.parquet`)
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  return path
}

const row = (n: number, name = 'a', types = ['INTEGER', 'TIMESTAMP']) =>
  `SELECT DATE '2026-01-0${n}' AS day, '${name}' AS name, '2026-01-01 00:00:00.001'::${types[1]} AS at, ${n}::${types[0]} AS n`

test('digestRows() is the same for the same rows in another order, in several files and of other types', async () => {
  const whole = await write([row(1), row(2), row(3)].join(' UNION ALL '))
  const parts = [
    await write(`${row(3, 'a', ['BIGINT', 'TIMESTAMP_MS'])}`),
    await write(
      [row(2, 'a', ['SMALLINT', 'TIMESTAMP_NS']), row(1, 'a', ['SMALLINT', 'TIMESTAMP_NS'])].join(' UNION ALL '),
    ),
  ]
  const expected = digestRows([view], { v: [whole] })
  expect(expected.rows).toBe(3)
  expect(digestRows([view], { v: parts })).toEqual(expected)
})

test('digestRows() differs by a value, by a row twice, by a row less and by the view a row is in', async () => {
  const files = [
    await write([row(1), row(2)].join(' UNION ALL ')),
    await write([row(1), row(2, 'b')].join(' UNION ALL ')),
    await write([row(1), row(2), row(2)].join(' UNION ALL ')),
    await write(row(1)),
  ]
  const hashes = files.map((file) => digestRows([view], { v: [file] }).hash)
  hashes.push(digestRows([{ ...view, name: 'w' }], { w: [files[0]!] }).hash)
  expect(new Set(hashes).size).toBe(5)
})

test('digestRows() refuses a file without a column of the view', async () => {
  const file = await write('SELECT 1 AS n')
  expect(() => digestRows([view], { v: [file] })).toThrow('expected column "day", found n')
})
