import type { BytesColumn, Column, LogicalType } from '../../src/model/column.ts'

export const whole = { nullCount: 0, validity: null }
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

/** A column of each kind, and its values as `valueReader` gives them. */
export const columnSamples: readonly (readonly [
  name: string,
  column: Column,
  type: LogicalType,
  values: readonly unknown[],
])[] = [
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
