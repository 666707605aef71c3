import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetMetadata } from 'hyparquet'
import type { ColumnSource } from 'hyparquet-writer'
import { afterAll, describe, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, float64, int64, nullable, string } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { readPublished, scratch } from '../support/logs.ts'
import { writeSample } from '../support/parquet-samples.ts'

const folder = scratch('half-floats')
afterAll(folder.remove)

/** By IEEE 754: zeros, the least and the largest subnormal, the least normal, 1 and the next, a third, the largest, infinities, NaN. */
const values = [
  ...[0, -0, 2 ** -24, -(2 ** -24), 1023 * 2 ** -24, 2 ** -14, 1, 1 + 2 ** -10, 1365 * 2 ** -12],
  ...[65504, -65504, Infinity, -Infinity, NaN],
]
const half = { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } } as const
const optional = { repetition_type: 'OPTIONAL' } as const

/** Dictionaries are written only where values recur. */
const rows = Array.from({ length: values.length * 20 }, (_, row) => values[row % values.length]!)
const nullAt = (row: number) => row % 3 === 0
const textOf = (value: number | null) => (Object.is(value, -0) ? '-0' : String(value))

describe.each(['PLAIN', undefined] as const)('half floats, encoding %s', (encoding) => {
  test('are float64 exactly, in flat and nested columns, with nulls or without', async () => {
    const files = join(folder.path, `${encoding}.parquet`)
    const columns = [
      { name: 'n', data: rows.map((_, row) => BigInt(row)) },
      { name: 'x', data: rows, encoding },
      { name: 'maybe', data: rows.map((value, row) => (nullAt(row) ? null : value)), encoding },
      { name: 'inner', data: rows.map((value, row) => ({ x: nullAt(row) ? null : value })), encoding },
    ]
    const bytes = writeSample(columns as ColumnSource[], {
      schema: [
        { name: 'n', type: 'INT64', repetition_type: 'REQUIRED' },
        { name: 'x', repetition_type: 'REQUIRED', ...half },
        { name: 'maybe', ...optional, ...half },
        { name: 'inner', ...optional, num_children: 1 },
        { name: 'x', ...optional, ...half },
      ],
    })
    writeFileSync(files, bytes)
    const chunks = parquetMetadata(new Uint8Array(bytes).buffer).row_groups[0]!.columns.slice(1)
    const isCoded = chunks.map(({ meta_data }) => meta_data!.dictionary_page_offset !== undefined)
    expect(isCoded).toEqual([encoding, encoding, encoding].map((named) => named === undefined))
    const log = defineLog({
      name: 'log',
      files,
      columns: { id: 'n', key: int64('n') },
      fields: { x: float64(), maybe: nullable(float64()), nested: nullable(float64('inner.x')) },
    })
    const view = defineView({
      name: 'halves',
      log,
      orderFree: true,
      state: { x: string(), maybe: string(), nested: string() },
      on: {
        '*': (s, e) => {
          const text = (value: number | null) => (Object.is(value, -0) ? '-0' : String(value))
          s.x = text(e.x)
          s.maybe = text(e.maybe)
          s.nested = text(e.nested)
        },
      },
    })
    const out = join(folder.path, `views-${encoding}`)
    const { views } = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
    expect(readPublished(views[0]!.path).rows).toEqual(
      rows.map((value, row) => {
        const maybe = textOf(nullAt(row) ? null : value)
        return { n: row, x: textOf(value), maybe, nested: maybe }
      }),
    )
  })
})
