import { expect, test } from 'vitest'
import type { Column } from '../../src/model/column.ts'
import { formatDecimal } from '../../src/model/decimal-text.ts'
import { compactJson } from '../../src/read/json.ts'
import { programRows } from '../../src/read/program-rows.ts'
import { formatTimestamp, valueReader } from '../../src/read/values.ts'
import { columnSamples, whole } from '../support/column-samples.ts'

test.each(columnSamples)('valueReader() reads %s', (_, column, type, values) => {
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

test('JSON loses nothing', () => {
  expect(compactJson({ big: 2n ** 63n - 1n, none: Number.NaN, bytes: Uint8Array.of(255) })).toBe(
    '{"big":9223372036854775807,"none":"NaN","bytes":"ff"}',
  )
})

test('integers in a JSON column keep their digits', () => {
  const text = '{"id":9223372036854775807,"small":[1,0.5],"text":"12345678901234567890"}'
  const column: Column = { kind: 'values', length: 1, ...whole, values: [text] }
  const value = valueReader(column, { kind: 'json' })(0)
  expect(value).toEqual({ id: 9223372036854775807n, small: [1, 0.5], text: '12345678901234567890' })
  expect(compactJson(value)).toBe(text)
})

test('programRows() gives int64 as a number where that is exact, and bigint always as a bigint', () => {
  const values = [-5n, 2n ** 53n - 1n, 2n ** 53n + 1n]
  const column: Column = { kind: 'int64', length: 3, ...whole, values: BigInt64Array.from(values) }
  const type = { kind: 'int', bits: 64, signed: true } as const
  const named = ['sum', 'large', 'extra'].map((name) => ({ name, type, column }))
  const declared = [
    { name: 'sum', type: 'int64', nullable: false },
    { name: 'large', type: 'bigint', nullable: false },
  ] as const
  expect([...programRows(named, declared)]).toEqual([
    { sum: -5, large: -5n, extra: -5n },
    { sum: 2 ** 53 - 1, large: 2n ** 53n - 1n, extra: 2n ** 53n - 1n },
    { sum: 2n ** 53n + 1n, large: 2n ** 53n + 1n, extra: 2n ** 53n + 1n },
  ])
})
