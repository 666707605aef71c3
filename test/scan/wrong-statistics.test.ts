import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SchemaElement } from 'hyparquet'
import { afterAll, describe, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, int64, json, nullable, string } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { Type } from '../../src/model/type.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { rebuild } from '../../src/rebuild.ts'
import { readPublished, scratch } from '../support/logs.ts'
import { fileOf } from '../support/parquet-samples.ts'
import { type RawFile, rawFile } from '../support/raw-file.ts'

const folder = scratch('wrong-statistics')
afterAll(folder.remove)
let homes = 0

const column = (name: string, type: string, more = {}): SchemaElement =>
  ({ name, repetition_type: 'OPTIONAL', type, ...more }) as SchemaElement
const id = column('id', 'INT64')
const at = column('at', 'INT64', { converted_type: 'TIMESTAMP_MICROS' })

/** What handlers see of a field, in the events' order. */
async function seen(file: RawFile, field: Type, columns: object = {}): Promise<unknown> {
  const home = join(folder.path, String(homes++))
  mkdirSync(home)
  writeFileSync(join(home, 'a.parquet'), rawFile(file))
  const log = defineLog({
    name: 'log',
    files: home,
    columns: { id: 'id', key: int64('k'), ...columns },
    fields: { field },
  })
  const view = defineView({
    name: 'seen',
    log,
    orderFree: !('recordedAt' in columns),
    state: { values: json(undefined, { initial: [] }) },
    on: { Event: (s: { values: unknown[] }, e: { field: unknown }) => void s.values.push(e.field) },
  } as never)
  const out = join(folder.path, String(homes++))
  const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
  return readPublished(report.views[0]!.path).rows[0]!['values']
}

describe('nulls that statistics do not count', () => {
  const k = column('k', 'INT64')

  test.each<[string, SchemaElement, unknown, unknown, (from: string) => Type]>([
    ['integers', column('f', 'INT64'), 7n, 7, (from) => int64(from)],
    ['text', column('f', 'BYTE_ARRAY', { converted_type: 'UTF8' }), 'x', 'x', (from) => string(from)],
    ['JSON', column('f', 'BYTE_ARRAY', { converted_type: 'JSON' }), '{"a":1}', { a: 1 }, (from) => json(from)],
  ])('are read of a field of %s that is declared nullable, and refused of another', async (_, f, raw, value, type) => {
    const rows = [raw, null, raw].map((one, i) => ({ id: BigInt(i), k: 1n, f: one }))
    const file = { schema: [id, k, f], rows, statistics: { f: { null_count: 0n } } }
    expect(await seen(file, nullable(type('f') as never))).toEqual([value, null, value])
    await expect(seen(file, type('f'))).rejects.toThrow(
      /a\.parquet, row group 0, row 1, column "f": expected a value, as the file's statistics count no nulls in this column, found null\. Declare the field as nullable/,
    )
  })

  test('are read of a leaf of structs too', async () => {
    const schema = [
      id,
      k,
      { name: 's', repetition_type: 'OPTIONAL', num_children: 1 } as SchemaElement,
      column('f', 'INT64'),
    ]
    const rows = [{ f: 1n }, null, { f: null }].map((s, i) => ({ id: BigInt(i), k: 1n, s }))
    expect(await seen({ schema, rows, statistics: { 's.f': { null_count: 0n } } }, nullable(int64('s.f')))).toEqual([
      1,
      null,
      null,
    ])
  })
})

test('values of a column that is null by its statistics are an error', async () => {
  const k = column('k', 'INT64')
  const rows = [{ id: 1n, k: 1n, f: 7n }]
  const file = { schema: [id, k, column('f', 'INT64')], rows, statistics: { f: { null_count: 1n } } }
  await expect(seen(file, nullable(string('f')))).rejects.toThrow(
    /a\.parquet, row group 0, column "f": expected nulls only, as the file's statistics count 1 of them, found 1 values/,
  )
})

test('an event recorded outside of what the statistics say is an error', async () => {
  const k = column('k', 'INT64')
  const rows = [5n, 9n, 7n].map((moment, i) => ({ id: BigInt(i), k: 1n, at: moment, f: BigInt(i) }))
  const file = (max: bigint, min = 5n): RawFile => ({
    schema: [id, k, at, column('f', 'INT64')],
    rows,
    statistics: { at: { min_value: min, max_value: max, null_count: 0n } as never },
  })
  expect(await seen(file(9n), nullable(int64('f')), { recordedAt: 'at' })).toEqual([0, 2, 1])
  await expect(seen(file(8n), nullable(int64('f')), { recordedAt: 'at' })).rejects.toThrow(
    /a\.parquet, row group 0, row 1, column "recordedAt": expected a moment from 5 to 8, as the file's statistics say, found 9/,
  )
  await expect(seen(file(9n, 6n), nullable(int64('f')), { recordedAt: 'at' })).rejects.toThrow(
    /a\.parquet, row group 0, row 0, column "recordedAt": expected a moment from 6 to 9, as the file's statistics say, found 5/,
  )
})

test('statistics of what is repeated say nothing of rows', () => {
  const schema = [
    { name: 'l', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' } as SchemaElement,
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as SchemaElement,
    column('element', 'INT64'),
  ]
  const rows = [{ l: { list: [{ element: 1n }, { element: null }] } }]
  const bytes = rawFile({ schema, rows, statistics: { 'l.list.element': { null_count: 1n } } })
  expect(openParquet(fileOf(bytes)).rowGroups[0]!.statistics(['l'])).toBeUndefined()
})
