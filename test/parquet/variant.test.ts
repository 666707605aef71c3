import type { SchemaElement } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { openParquet } from '../../src/parquet/file.ts'
import { readRows } from '../../src/parquet/rows.ts'
import { fileOf } from '../support/parquet-samples.ts'
import { rawFile } from '../support/raw-file.ts'

const group = (
  name: string,
  repetition: SchemaElement['repetition_type'],
  children: number,
  more = {},
): SchemaElement => ({ name, repetition_type: repetition, num_children: children, ...more }) as SchemaElement
const leaf = (name: string, repetition: SchemaElement['repetition_type'], type: string, more = {}): SchemaElement =>
  ({ name, repetition_type: repetition, type, ...more }) as SchemaElement
const variant = { logical_type: { type: 'VARIANT' } }
const text = { converted_type: 'UTF8' }

/** Metadata of the names a, b and c. */
const names = Uint8Array.of(1, 3, 0, 1, 2, 3, 97, 98, 99)
const bytes = (...all: (number | Buffer)[]) =>
  Buffer.concat(all.map((one) => (typeof one === 'number' ? Uint8Array.of(one) : one)))
/** A value of a primitive type: its number in the encoding, then its bytes. */
const primitive = (type: number, body: Buffer = Buffer.alloc(0)) => bytes(type << 2, body)
const nothing = primitive(0)
const int8 = (value: number) => primitive(3, bytes(value & 255))
const int64 = (value: bigint) => {
  const body = Buffer.alloc(8)
  body.writeBigInt64LE(value)
  return body
}
const short = (value: string) => bytes((value.length << 2) | 1, Buffer.from(value))
/** An object of fields by their number in the metadata. */
const object = (fields: readonly [number, Buffer][]) => {
  let at = 0
  const offsets = [0, ...fields.map(([, value]) => (at += value.length))]
  return bytes(2, fields.length, ...fields.map(([id]) => id), ...offsets, ...fields.map(([, value]) => value))
}
const array = (items: readonly Buffer[]) => {
  let at = 0
  return bytes(3, items.length, 0, ...items.map((item) => (at += item.length)), ...items)
}

function values(schema: readonly SchemaElement[], rows: readonly unknown[]): unknown[] {
  const file = rawFile({ schema, rows: rows.map((v) => ({ v })) })
  return Array.from(readRows(openParquet(fileOf(file))), ({ v }) => v)
}

const plain = [
  group('v', 'OPTIONAL', 2, variant),
  leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
  leaf('value', 'REQUIRED', 'BYTE_ARRAY'),
]

function decoded(value: Buffer): unknown {
  return values(plain, [{ metadata: names, value }])[0]
}

describe('a variant in its binary form', () => {
  test('may be absent, or null itself', () => {
    expect(values(plain, [null, { metadata: names, value: nothing }, { metadata: names, value: int8(-7) }])).toEqual([
      null,
      null,
      -7,
    ])
  })

  test.each<[string, Buffer, unknown]>([
    ['true', primitive(1), true],
    ['false', primitive(2), false],
    ['an integer of 64 bits', primitive(6, int64(-(2n ** 60n) - 1n)), -(2n ** 60n) - 1n],
    ['a double', primitive(7, Buffer.from(new Float64Array([0.1]).buffer)), 0.1],
    [
      'a decimal of few digits, exact as it is written',
      primitive(8, bytes(2, Buffer.from([0x15, 0xcd, 0x5b, 0x07]))),
      1234567.89,
    ],
    ['a decimal of many digits', primitive(9, bytes(4, int64(1234567890123456789n))), '123456789012345.6789'],
    ['a decimal of 128 bits', primitive(10, bytes(1, int64(5n), int64(-1n))), '-1844674407370955161.1'],
    ['a day', primitive(11, Buffer.from([0x4d, 0x49, 0, 0])), '2021-05-18'],
    ['a moment', primitive(12, int64(1_621_692_000_000_001n)), '2021-05-22T14:00:00.000001Z'],
    ['a moment of no zone', primitive(13, int64(1_621_692_000_000_001n)), '2021-05-22T14:00:00.000001'],
    ['a moment in nanoseconds', primitive(18, int64(1_621_692_000_000_000_001n)), '2021-05-22T14:00:00.000000001Z'],
    ['a time of day', primitive(17, int64(50_400_000_000n)), '14:00:00.000000'],
    ['a long string', primitive(16, bytes(3, 0, 0, 0, Buffer.from('abc'))), 'abc'],
    ['a short string', short('xyz'), 'xyz'],
    ['an empty object', object([]), {}],
    [
      'an object with a null',
      object([
        [0, nothing],
        [2, int8(1)],
      ]),
      { a: null, c: 1 },
    ],
    ['an array with a null', array([nothing, array([]), object([[1, short('x')]])]), [null, [], { b: 'x' }]],
  ])('gives %s', (_, value, expected) => {
    expect(decoded(value)).toEqual(expected)
  })

  test.each<[string, Buffer, RegExp]>([
    ['cut off', primitive(6, Buffer.from([1, 2])), /expected a variant, found one that makes no sense/],
    ['of a name that its metadata lacks', object([[9, nothing]]), /field 9 of 3 names/],
    ['of an unknown type', primitive(40), /type 40 of a variant's value/],
    ['of text that is not UTF-8', bytes((1 << 2) | 1, 0xff), /text that is not UTF-8/],
  ])('%s is refused with its place', (_, value, message) => {
    expect(() => decoded(value)).toThrow(message)
    expect(() => decoded(value)).toThrow('Cannot read sample.parquet, row group 0, column "v"')
  })
})

/** `v`: an object of `a` (text) and `b` (an object of `c`, an integer), each possibly of another type. */
const shredded = [
  group('v', 'OPTIONAL', 3, variant),
  leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
  leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
  group('typed_value', 'OPTIONAL', 2),
  group('a', 'REQUIRED', 2),
  leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
  leaf('typed_value', 'OPTIONAL', 'BYTE_ARRAY', text),
  group('b', 'REQUIRED', 2),
  leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
  group('typed_value', 'OPTIONAL', 1),
  group('c', 'REQUIRED', 2),
  leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
  leaf('typed_value', 'OPTIONAL', 'INT64'),
]

describe('a shredded variant', () => {
  const missing = { value: null, typed_value: null }
  const typed = (value: unknown) => ({ value: null, typed_value: value })
  const binary = (value: Buffer) => ({ value, typed_value: null })

  test('of objects has its fields from columns, from the binary form, or not at all', () => {
    const rows = [
      null,
      { metadata: names, value: nothing, typed_value: null },
      { metadata: names, value: null, typed_value: null },
      { metadata: names, ...binary(short('n/a')) },
      { metadata: names, ...typed({ a: typed('x'), b: missing }) },
      { metadata: names, ...typed({ a: binary(nothing), b: typed({ c: typed(5n) }) }) },
      { metadata: names, ...typed({ a: missing, b: typed({ c: missing }) }) },
      { metadata: names, ...typed({ a: missing, b: binary(int8(9)) }) },
      { metadata: names, value: object([[2, int8(1)]]), typed_value: { a: typed('y'), b: missing } },
      {
        metadata: names,
        ...typed({ a: missing, b: { value: object([[0, short('in')]]), typed_value: { c: typed(6n) } } }),
      },
    ]
    expect(values(shredded, rows)).toEqual([
      null,
      null,
      null,
      'n/a',
      { a: 'x' },
      { a: null, b: { c: 5n } },
      { b: {} },
      { b: 9 },
      { c: 1, a: 'y' },
      { b: { a: 'in', c: 6n } },
    ])
  })

  test.each<[string, Record<string, unknown>, unknown, unknown]>([
    ['text', { type: 'BYTE_ARRAY', ...text }, 'x', 'x'],
    ['an integer', { type: 'INT64' }, -1n, -1n],
    ['a decimal', { type: 'INT32', converted_type: 'DECIMAL', precision: 9, scale: 2 }, 1234, 12.34],
    ['a day', { type: 'INT32', converted_type: 'DATE' }, 18765, '2021-05-18'],
    [
      'a moment',
      { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
      1_621_692_000_000_001n,
      '2021-05-22T14:00:00.000001Z',
    ],
    [
      'a moment of no zone',
      { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
      1_621_692_000_000_001n,
      '2021-05-22T14:00:00.000001',
    ],
  ])('of %s has its value from its column, or of another type from the binary form', (_, element, value, expected) => {
    const schema = [
      group('v', 'OPTIONAL', 3, variant),
      leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
      leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
      { name: 'typed_value', repetition_type: 'OPTIONAL', ...element } as SchemaElement,
    ]
    const rows = [
      null,
      { metadata: names, ...typed(value) },
      { metadata: names, ...missing },
      { metadata: names, ...binary(nothing) },
    ]
    expect(values(schema, rows)).toEqual([null, expected, null, null])
  })

  test('without a binary form is what its column holds', () => {
    const schema = [
      group('v', 'OPTIONAL', 2, variant),
      leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
      leaf('typed_value', 'OPTIONAL', 'INT64'),
    ]
    const rows = [null, { metadata: names, typed_value: 5n }, { metadata: names, typed_value: null }]
    expect(values(schema, rows)).toEqual([null, 5n, null])
  })

  test('of arrays has elements of each kind, empty ones and none', () => {
    const schema = [
      group('v', 'OPTIONAL', 3, variant),
      leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
      leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
      group('typed_value', 'OPTIONAL', 1, { converted_type: 'LIST' }),
      group('list', 'REPEATED', 1),
      group('element', 'REQUIRED', 2),
      leaf('value', 'OPTIONAL', 'BYTE_ARRAY'),
      leaf('typed_value', 'OPTIONAL', 'BYTE_ARRAY', text),
    ]
    const list = (...elements: unknown[]) => typed({ list: elements.map((element) => ({ element })) })
    const rows = [
      null,
      { metadata: names, ...list() },
      { metadata: names, ...list(typed('x'), binary(nothing), binary(int8(2)), missing) },
      { metadata: names, ...binary(array([int8(1)])) },
      { metadata: names, ...binary(object([[0, nothing]])) },
    ]
    expect(values(schema, rows)).toEqual([null, [], ['x', null, 2, null], [1], { a: null }])
  })

  test('that is in both forms and no object is refused', () => {
    const rows = [{ metadata: names, value: int8(1), typed_value: { a: typed('x'), b: missing } }]
    expect(() => values(shredded, rows)).toThrow(
      'column "v": expected a variant in its binary form or in columns, found a value in both',
    )
  })

  test('in lists and structs is read as anywhere else', () => {
    const schema = [
      group('v', 'OPTIONAL', 1, { converted_type: 'LIST' }),
      group('list', 'REPEATED', 1),
      group('element', 'OPTIONAL', 2, variant),
      leaf('metadata', 'REQUIRED', 'BYTE_ARRAY'),
      leaf('value', 'REQUIRED', 'BYTE_ARRAY'),
    ]
    const element = (value: Buffer) => ({ element: { metadata: names, value } })
    const rows = [null, { list: [] }, { list: [element(nothing), { element: null }, element(short('x'))] }]
    expect(values(schema, rows)).toEqual([null, [], [null, null, 'x']])
  })
})
