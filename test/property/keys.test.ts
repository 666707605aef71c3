import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortKeys } from '../../src/columns/sort-keys.ts'
import type { Fields } from '../../src/model/type.ts'
import {
  bigint,
  bool,
  date,
  decimal,
  float64,
  int32,
  int64,
  nullable,
  string,
  timestamp,
} from '../../src/model/types.ts'
import { ByteWriter, makeKeyCodec } from '../../src/view/key-codec.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', '\0', '\0\0', 'a\0', 'a\0b', '\uffff', '\u{10000}'),
)
const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const safe = fc.maxSafeInteger()

const columns: readonly [Fields[string], fc.Arbitrary<unknown>][] = [
  [string(), text],
  [int32(), fc.integer()],
  [int64(), safe],
  [bigint(), big],
  [decimal(18, 2), safe],
  [float64(), fc.double({ noNaN: true })],
  [bool(), fc.boolean()],
  [date(), fc.integer()],
  [timestamp('us'), safe],
  [timestamp('ns'), big],
]

/** Up to three columns, some of them nullable, and some keys of them. */
const anyKeys = fc
  .array(fc.tuple(fc.constantFrom(...columns), fc.boolean()), { minLength: 1, maxLength: 3 })
  .chain((chosen) => {
    const fields = Object.fromEntries(
      chosen.map(([[type], mayBeNull], index) => [`c${index}`, mayBeNull ? nullable(type) : type]),
    )
    const values = chosen.map(([[, value], mayBeNull]) => (mayBeNull ? fc.option(value, { freq: 3 }) : value))
    return fc.tuple(fc.constant(fields), fc.array(fc.tuple(...values), { maxLength: 60, size: 'max' }))
  })

function compareValues(a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

function compareAll(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return 0
}

// Found by the property below: room was made for the byte, and it was written to where it would have been before.
test('a boolean is kept where the run of bytes grows for it', () => {
  const codec = makeKeyCodec({ flag: bool() })
  const writer = new ByteWriter()
  const count = 5000
  for (let i = 0; i < count; i++) codec.write({ flag: true }, writer)
  const read = Array.from({ length: count }, (_, i) => codec.read(writer.bytes, i, i + 1)['flag'])
  expect(read.every((flag) => flag === true)).toBe(true)
})

test('keys read back as they were written, and sortKeys() puts them in the order of their columns', () => {
  const property = fc.property(anyKeys, ([fields, rows]) => {
    const codec = makeKeyCodec(fields)
    const writer = new ByteWriter()
    const starts: number[] = []
    const lengths: number[] = []
    for (const row of rows) {
      starts.push(writer.length)
      codec.write(Object.fromEntries(codec.names.map((name, i) => [name, row[i]])), writer)
      lengths.push(writer.length - starts.at(-1)!)
    }
    const heap = {
      count: rows.length,
      bytes: writer.bytes,
      starts: Int32Array.from(starts),
      lengths: Int32Array.from(lengths),
    }
    const read = Array.from(rows, (_, i) =>
      Object.values(codec.read(writer.bytes, starts[i]!, starts[i]! + lengths[i]!)),
    )
    // −0 is stored as 0.
    const stored = rows.map((row) => row.map((value) => (value === 0 ? 0 : value)))
    expect(read).toEqual(stored)
    const sorted = [...sortKeys(heap)].map((index) => stored[index]!)
    expect([...sorted].sort(compareAll)).toEqual(sorted)
    expect(sorted).toHaveLength(rows.length)
  })
  fc.assert(property, { numRuns: 400, interruptAfterTimeLimit: 20_000 })
})

test('sortKeys() sorts keys that share what is looked at first', () => {
  const codec = makeKeyCodec({ key: string() })
  const texts = Array.from({ length: 3000 }, (_, i) => `account-${'0'.repeat(i % 9)}${Math.imul(i, 0x9e3779b1) >>> 20}`)
  const writer = new ByteWriter()
  const ends = texts.map((key) => {
    codec.write({ key }, writer)
    return writer.length
  })
  const starts = Int32Array.from([0, ...ends.slice(0, -1)])
  const lengths = Int32Array.from(ends, (end, i) => end - starts[i]!)
  const order = sortKeys({ count: texts.length, bytes: writer.bytes, starts, lengths })
  expect([...order].map((index) => texts[index])).toEqual([...texts].sort())
})
