import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { SchemaElement } from 'hyparquet'
import { afterAll, describe, expect, test } from 'vitest'
import { openParquet } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch } from '../support/logs.ts'
import { fileOf } from '../support/parquet-samples.ts'
import { type RawFile, rawFile } from '../support/raw-file.ts'

const folder = scratch('nested-lists')
afterAll(folder.remove)

/** The values of column `v`, with rows on one page and with each page of two slots, which splits rows. */
function values(file: RawFile): unknown[] {
  const [whole, split] = [undefined, 2].map((pageSlots) => {
    const bytes = rawFile({ ...file, ...(pageSlots === undefined ? {} : { pageSlots }) })
    return Array.from(readRows(openParquet(fileOf(bytes))), ({ v }) => v)
  })
  expect(split).toEqual(whole)
  return whole!
}

async function valuesOfDuckdb(file: RawFile): Promise<unknown[]> {
  const path = join(folder.path, 'duckdb.parquet')
  writeFileSync(path, rawFile(file))
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`SELECT to_json(v) AS v FROM read_parquet('${path}')`)
  connection.closeSync()
  return reader.getRowObjectsJson().map(({ v }) => (v === null ? null : JSON.parse(v as string)))
}

const group = (
  name: string,
  repetition: SchemaElement['repetition_type'],
  children: number,
  more = {},
): SchemaElement => ({ name, repetition_type: repetition, num_children: children, ...more }) as SchemaElement
const int = (name: string, repetition: SchemaElement['repetition_type']): SchemaElement =>
  ({ name, repetition_type: repetition, type: 'INT32' }) as SchemaElement
const text = (name: string, repetition: SchemaElement['repetition_type']): SchemaElement =>
  ({ name, repetition_type: repetition, type: 'BYTE_ARRAY', converted_type: 'UTF8' }) as SchemaElement
const list = { converted_type: 'LIST' }
const map = { converted_type: 'MAP' }

/** Where DuckDB knows fewer of the format's rules: it takes the group's one field for the element, and refuses the map. */
const otherInDuckdb = new Set([
  'two levels, a group of one field named array',
  'two levels, a group of one field named after the list',
  'annotated MAP_KEY_VALUE, by fields of other names',
])

describe('lists of old writers', () => {
  test.each<[string, SchemaElement[], unknown[], unknown[]]>([
    [
      'two levels of parquet-avro, required',
      [group('v', 'REQUIRED', 1, list), text('array', 'REPEATED')],
      [{ array: ['a', 'b'] }, { array: [] }, { array: ['c'] }],
      [['a', 'b'], [], ['c']],
    ],
    [
      'two levels, optional',
      [group('v', 'OPTIONAL', 1, list), int('array', 'REPEATED')],
      [null, { array: [] }, { array: [1] }, { array: [1, 2, 3] }],
      [null, [], [1], [1, 2, 3]],
    ],
    [
      'two levels of protobuf, a group of several fields',
      [group('v', 'OPTIONAL', 1, list), group('element', 'REPEATED', 2), int('a', 'OPTIONAL'), text('b', 'REQUIRED')],
      [
        { element: [] },
        { element: [{ a: null, b: 'x' }] },
        null,
        {
          element: [
            { a: 1, b: '' },
            { a: 2, b: 'z' },
          ],
        },
      ],
      [
        [],
        [{ a: null, b: 'x' }],
        null,
        [
          { a: 1, b: '' },
          { a: 2, b: 'z' },
        ],
      ],
    ],
    [
      'two levels, a group of one field named array',
      [group('v', 'REQUIRED', 1, list), group('array', 'REPEATED', 1), int('a', 'REQUIRED')],
      [{ array: [] }, { array: [{ a: 1 }, { a: 2 }] }],
      [[], [{ a: 1 }, { a: 2 }]],
    ],
    [
      'two levels, a group of one field named after the list',
      [group('v', 'OPTIONAL', 1, list), group('v_tuple', 'REPEATED', 1), int('a', 'OPTIONAL')],
      [null, { v_tuple: [] }, { v_tuple: [{ a: null }, { a: 2 }] }],
      [null, [], [{ a: null }, { a: 2 }]],
    ],
    [
      'lists of lists in two levels each',
      [group('v', 'REQUIRED', 1, list), group('array', 'REPEATED', 1, list), int('array', 'REPEATED')],
      [{ array: [] }, { array: [{ array: [] }] }, { array: [{ array: [1] }, { array: [] }, { array: [2, 3] }] }],
      [[], [[]], [[1], [], [2, 3]]],
    ],
    [
      'three levels of Hive',
      [group('v', 'OPTIONAL', 1, list), group('bag', 'REPEATED', 1), int('array_element', 'OPTIONAL')],
      [null, { bag: [] }, { bag: [{ array_element: null }] }, { bag: [{ array_element: 1 }, { array_element: null }] }],
      [null, [], [null], [1, null]],
    ],
    [
      'three levels, all required',
      [group('v', 'REQUIRED', 1, list), group('list', 'REPEATED', 1), int('element', 'REQUIRED')],
      [{ list: [] }, { list: [{ element: 1 }] }],
      [[], [1]],
    ],
    [
      'lists of lists in three levels each',
      [
        group('v', 'OPTIONAL', 1, list),
        group('list', 'REPEATED', 1),
        group('element', 'OPTIONAL', 1, list),
        group('list', 'REPEATED', 1),
        int('element', 'OPTIONAL'),
      ],
      [
        null,
        { list: [] },
        { list: [{ element: null }] },
        { list: [{ element: { list: [] } }, { element: null }] },
        { list: [{ element: { list: [{ element: null }, { element: 7 }] } }, { element: { list: [] } }] },
      ],
      [null, [], [null], [[], null], [[null, 7], []]],
    ],
    ['repeated values without a list', [int('v', 'REPEATED')], [[], [1, 2], [3]], [[], [1, 2], [3]]],
    [
      'repeated groups without a list',
      [group('v', 'REPEATED', 2), int('a', 'OPTIONAL'), int('b', 'REPEATED')],
      [
        [],
        [{ a: null, b: [] }],
        [
          { a: 1, b: [1, 2] },
          { a: 2, b: [] },
        ],
      ],
      [
        [],
        [{ a: null, b: [] }],
        [
          { a: 1, b: [1, 2] },
          { a: 2, b: [] },
        ],
      ],
    ],
    [
      'structs of lists of structs',
      [
        group('v', 'OPTIONAL', 2),
        group('l', 'OPTIONAL', 1, list),
        group('list', 'REPEATED', 1),
        group('element', 'OPTIONAL', 2),
        int('a', 'OPTIONAL'),
        text('b', 'OPTIONAL'),
        int('c', 'OPTIONAL'),
      ],
      [
        null,
        { l: null, c: 1 },
        { l: { list: [] }, c: null },
        { l: { list: [{ element: null }, { element: { a: null, b: 'x' } }] }, c: 2 },
      ],
      [null, { l: null, c: 1 }, { l: [], c: null }, { l: [null, { a: null, b: 'x' }], c: 2 }],
    ],
  ])('%s: null, empty and null elements are told apart, as DuckDB does', async (name, schema, raw, expected) => {
    const file = { schema, rows: raw.map((v) => ({ v })) }
    expect(values(file)).toEqual(expected)
    if (!otherInDuckdb.has(name)) expect(await valuesOfDuckdb(file)).toEqual(expected)
  })

  test('a list that only the newer annotation names is one', () => {
    const schema = [
      group('v', 'OPTIONAL', 1, { logical_type: { type: 'LIST' } }),
      group('list', 'REPEATED', 1),
      int('element', 'OPTIONAL'),
    ]
    expect(values({ schema, rows: [{ v: null }, { v: { list: [] } }, { v: { list: [{ element: 1 }] } }] })).toEqual([
      null,
      [],
      [1],
    ])
  })

  test('a list within a two-level list, whose repeated group has a repeated field, is its element', () => {
    const schema = [group('v', 'REQUIRED', 1, list), group('other', 'REPEATED', 1), int('inner', 'REPEATED')]
    const rows = [{ v: { other: [] } }, { v: { other: [{ inner: [] }, { inner: [1, 2] }] } }]
    expect(values({ schema, rows })).toEqual([[], [{ inner: [] }, { inner: [1, 2] }]])
  })
})

describe('maps of old writers', () => {
  const entries = [
    { key: 'a', value: 1 },
    { key: 'b', value: null },
  ]

  test.each<[string, SchemaElement[], unknown[], unknown[]]>([
    [
      'as they are written today',
      [
        group('v', 'OPTIONAL', 1, map),
        group('key_value', 'REPEATED', 2),
        text('key', 'REQUIRED'),
        int('value', 'OPTIONAL'),
      ],
      [null, { key_value: [] }, { key_value: entries }],
      [null, {}, { a: 1, b: null }],
    ],
    [
      'required, with entries named map',
      [
        group('v', 'REQUIRED', 1, map),
        group('map', 'REPEATED', 2, { converted_type: 'MAP_KEY_VALUE' }),
        text('key', 'REQUIRED'),
        int('value', 'OPTIONAL'),
      ],
      [{ map: [] }, { map: entries }],
      [{}, { a: 1, b: null }],
    ],
    [
      'annotated MAP_KEY_VALUE, by fields of other names',
      [
        group('v', 'OPTIONAL', 1, { converted_type: 'MAP_KEY_VALUE' }),
        group('entries', 'REPEATED', 2),
        text('name', 'REQUIRED'),
        int('number', 'REQUIRED'),
      ],
      [null, { entries: [] }, { entries: [{ name: 'a', number: 1 }] }],
      [null, {}, { a: 1 }],
    ],
  ])('%s: null and empty are told apart, as DuckDB does', async (name, schema, raw, expected) => {
    const file = { schema, rows: raw.map((v) => ({ v })) }
    expect(values(file)).toEqual(expected)
    if (!otherInDuckdb.has(name)) expect(await valuesOfDuckdb(file)).toEqual(expected)
  })

  test('without values, each key has null', () => {
    const schema = [group('v', 'OPTIONAL', 1, map), group('key_value', 'REPEATED', 1), int('key', 'REQUIRED')]
    const rows = [{ v: null }, { v: { key_value: [] } }, { v: { key_value: [{ key: 4 }, { key: 5 }] } }]
    expect(values({ schema, rows })).toEqual([null, {}, { 4: null, 5: null }])
  })

  test('of lists keep empty ones, and of a key that occurs twice the last', () => {
    const schema = [
      group('v', 'REQUIRED', 1, map),
      group('key_value', 'REPEATED', 2),
      text('key', 'REQUIRED'),
      group('value', 'OPTIONAL', 1, list),
      int('array', 'REPEATED'),
    ]
    const rows = [
      {
        v: {
          key_value: [
            { key: 'a', value: { array: [] } },
            { key: 'b', value: null },
          ],
        },
      },
      {
        v: {
          key_value: [
            { key: 'a', value: { array: [1] } },
            { key: 'a', value: { array: [2, 3] } },
          ],
        },
      },
    ]
    expect(values({ schema, rows })).toEqual([{ a: [], b: null }, { a: [2, 3] }])
  })

  test('may have a key named __proto__', () => {
    const schema = [
      group('v', 'REQUIRED', 1, map),
      group('key_value', 'REPEATED', 2),
      text('key', 'REQUIRED'),
      int('value', 'OPTIONAL'),
    ]
    const [value] = values({ schema, rows: [{ v: { key_value: [{ key: '__proto__', value: 1 }] } }] })
    expect(JSON.stringify(value)).toBe('{"__proto__":1}')
  })

  test('a key that is null is an error with its place', () => {
    const schema = [
      group('v', 'REQUIRED', 1, map),
      group('key_value', 'REPEATED', 2),
      text('key', 'OPTIONAL'),
      int('value', 'OPTIONAL'),
    ]
    expect(() => values({ schema, rows: [{ v: { key_value: [{ key: null, value: 1 }] } }] })).toThrow(
      'row group 0, column "v": expected keys of a map that are not null, found one that is.',
    )
  })
})

describe('leaves that contradict each other', () => {
  test('on the length of a list are an error with its place', () => {
    const schema = [group('v', 'REPEATED', 2), int('a', 'OPTIONAL'), int('b', 'OPTIONAL')]
    const bytes = rawFile({
      schema,
      rows: [
        {
          v: [
            { a: 1, b: 1 },
            { a: 2, b: 2 },
          ],
        },
        { v: [{ a: 3, b: 3 }] },
      ],
    })
    // The repetition levels of the last leaf, as runs of one: the second element moves into the second row.
    const levels = Buffer.from(bytes).lastIndexOf(Buffer.from([2, 0, 2, 1, 2, 0]))
    expect(levels).toBeGreaterThan(0)
    bytes.set([2, 0, 2, 0, 2, 1], levels)
    expect(() => [...readRows(openParquet(fileOf(bytes)))]).toThrow(
      'row group 0, column "v": expected columns that agree on the length of lists, found others.',
    )
  })
})

test('a list file that was written to disk is read as one in memory', () => {
  const path = join(folder.path, 'disk.parquet')
  const schema = [group('v', 'REQUIRED', 1, list), int('array', 'REPEATED')]
  writeFileSync(path, rawFile({ schema, rows: [{ v: { array: [] } }] }))
  expect([...readRows(openParquet(disk.openForReading(path)))]).toEqual([{ v: [] }])
})
