import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { arrowStream, type NamedColumn } from '../../src/cli/arrow.ts'
import { compactJson } from '../../src/cli/json.ts'
import { csvField, formatTimestamp, valueReader } from '../../src/cli/values.ts'
import type { BytesColumn, Column, LogicalType } from '../../src/model/column.ts'
import { formatDecimal } from '../../src/model/decimal-text.ts'

const whole = { nullCount: 0, validity: null }
/** Three rows, the middle one null. */
const gapped = { length: 3, nullCount: 1, validity: Uint8Array.of(0b101) }

function bytes(texts: readonly string[], gap: 0 | 4 = 0): BytesColumn {
  const parts = texts.map((text) => Buffer.concat([Buffer.from(text), Buffer.alloc(gap, 9)]))
  const offsets = Int32Array.from([0, ...parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length)])
  return { kind: 'bytes', length: texts.length, ...whole, offsets, data: Buffer.concat(parts), gap }
}

const int64 = (...values: bigint[]): Column => ({
  kind: 'int64',
  length: values.length,
  ...whole,
  values: BigInt64Array.from(values),
})

const cases: readonly (readonly [name: string, column: Column, type: LogicalType, values: readonly unknown[]])[] = [
  ['integers', int64(1n, 2n ** 63n - 1n), { kind: 'int', bits: 64, signed: true }, [1n, 2n ** 63n - 1n]],
  ['unsigned integers', int64(-1n), { kind: 'int', bits: 64, signed: false }, [2n ** 64n - 1n]],
  ['decimals', int64(-1250n, 5n, 0n), { kind: 'decimal', precision: 18, scale: 2 }, ['-12.50', '0.05', '0.00']],
  [
    'moments',
    int64(1_621_663_200_000_001n, -1n),
    { kind: 'timestamp', unit: 'us', utc: true },
    ['2021-05-22T06:00:00.000001Z', '1969-12-31T23:59:59.999999Z'],
  ],
  [
    'days',
    { kind: 'int32', ...gapped, values: Int32Array.of(0, 7, 18_769) },
    { kind: 'date' },
    ['1970-01-01', null, '2021-05-22'],
  ],
  ['flags', { kind: 'bool', ...gapped, bits: Uint8Array.of(0b001) }, { kind: 'bool' }, [true, null, false]],
  [
    'numbers',
    { kind: 'float64', ...gapped, values: Float64Array.of(0.1, 2, -3) },
    { kind: 'float', bits: 64 },
    [0.1, null, -3],
  ],
  ['texts as a Parquet page has them', bytes(['a', '', '日本'], 4), { kind: 'string' }, ['a', '', '日本']],
  [
    'texts of a dictionary',
    { kind: 'dictionary', ...gapped, codes: Int32Array.of(1, 0, 0), dictionary: bytes(['x', 'yy']) },
    { kind: 'string' },
    ['yy', null, 'x'],
  ],
  [
    'integers of a dictionary',
    { kind: 'dictionary', length: 2, ...whole, codes: Int32Array.of(1, 1), dictionary: int64(7n, 8n) as never },
    { kind: 'int', bits: 64, signed: true },
    [8n, 8n],
  ],
  ['JSON', bytes(['{"a":[1]}', 'no JSON']), { kind: 'json' }, [{ a: [1] }, 'no JSON']],
  ['bytes', bytes(['AB']), { kind: 'binary' }, ['4142']],
  [
    'nested values',
    { kind: 'values', ...gapped, values: [[1n], null, { a: 1 }] },
    { kind: 'nested' },
    [[1n], null, { a: 1 }],
  ],
]

test.each(cases)('valueReader() reads %s', (_, column, type, values) => {
  const read = valueReader(column, type)
  expect(Array.from({ length: column.length }, (_, row) => read(row))).toEqual(values)
})

test('formatTimestamp() shows what is no date as it is', () => {
  expect(formatTimestamp(2n ** 63n - 1n, 'ms', true)).toBe('9223372036854775807 ms')
  expect(formatTimestamp(1n, 'ns', false)).toBe('1970-01-01T00:00:00.000000001')
})

test('formatDecimal() keeps every digit', () => {
  expect(formatDecimal(-(10n ** 17n) - 1n, 18)).toBe('-0.100000000000000001')
  expect(formatDecimal(12n, 0)).toBe('12')
})

test('JSON and CSV lose nothing', () => {
  expect(compactJson({ big: 2n ** 63n - 1n, none: Number.NaN, bytes: Uint8Array.of(255) })).toBe(
    '{"big":9223372036854775807,"none":"NaN","bytes":"ff"}',
  )
  expect(['a,b', 'say "x"', '', null, 5n, [1]].map(csvField)).toEqual(['"a,b"', '"say ""x"""', '""', '', '5', '[1]'])
})

describe('arrowStream()', () => {
  test('carries every kind of column, batch after batch', () => {
    for (const [name, column, type, values] of cases) {
      const batch: NamedColumn[] = [{ name: 'value', type, column }]
      const vector = tableFromIPC(Buffer.concat([...arrowStream([batch, batch])])).getChild('value')!
      expect(vector.length, name).toBe(2 * values.length)
      const present = Array.from(vector, (value) => value !== null)
      const expected = values.map((value) => value !== null)
      expect(present, name).toEqual([...expected, ...expected])
      if (type.kind === 'string' || type.kind === 'bool')
        expect(vector.toArray().slice(0, values.length), name).toEqual(values)
      if (type.kind === 'int') expect(vector.get(0), name).toBe(values[0])
    }
  })

  test('asks for a batch when the ones before are taken', () => {
    let made = 0
    function* batches(): Generator<NamedColumn[]> {
      for (; made < 1000; made++) {
        const column: Column = { kind: 'float64', length: 10_000, ...whole, values: new Float64Array(10_000) }
        yield [{ name: 'value', type: { kind: 'float', bits: 64 }, column }]
      }
    }
    const stream = arrowStream(batches())
    for (let chunk = 0; chunk < 10; chunk++) stream.next()
    expect(made).toBeLessThan(10)
  })
})
