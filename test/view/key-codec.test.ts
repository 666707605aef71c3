import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bigint, bool, date, float64, int32, int64, nullable, string } from '../../src/index.ts'
import type { Fields } from '../../src/model/type.ts'
import { ByteWriter, KeyValueError, makeKeyCodec } from '../../src/view/key-codec.ts'

const fields: Fields = {
  text: string(),
  count: int64(),
  small: nullable(int32()),
  day: date(),
  rate: float64(),
  flag: bool(),
  big: bigint(),
  last: nullable(string()),
}
const codec = makeKeyCodec(fields)

// Code units below the surrogates, in which the order of code units is that of UTF-8.
const text = fc.string({
  unit: fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  maxLength: 6,
})
const key = fc.record({
  text: fc.oneof(text, fc.constantFrom('', '\0', '\0\0', 'a\0', 'a')),
  count: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  small: fc.option(fc.integer()),
  day: fc.integer(),
  rate: fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  flag: fc.boolean(),
  big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  last: fc.option(text),
})

function bytesOf(value: Record<string, unknown>): Uint8Array {
  const writer = new ByteWriter()
  codec.write(value, writer)
  return writer.bytes.slice(0, writer.length)
}

test('a key reads back as it was written', () => {
  fc.assert(
    fc.property(key, (value) => {
      const bytes = bytesOf(value)
      expect(codec.read(bytes, 0, bytes.length)).toEqual(value)
    }),
  )
})

test('the order of the bytes is the order of the columns', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(Buffer.compare(bytesOf(a), bytesOf(b)))).toBe(compare(a, b))
    }),
  )
})

test('strings are ordered by their UTF-8 bytes', () => {
  expect(Buffer.compare(bytesOf({ ...sample, text: '\uffff' }), bytesOf({ ...sample, text: '😀' }))).toBe(-1)
})

test.each([
  ['a fraction', { count: 1.5 }, 'key column "count": expected an integer within ±(2^53 − 1), found 1.5'],
  [
    'a missing column',
    { day: undefined },
    'key column "day": expected days since 1970-01-01, as dayOf() gives them, found undefined',
  ],
  ['null where it is not allowed', { text: null }, 'key column "text": expected a string, found null'],
  ['NaN', { rate: Number.NaN }, 'key column "rate": expected a number that is not NaN, found NaN'],
  ['a number for a bigint', { big: 1 }, 'key column "big": expected a bigint of 64 bits, found 1'],
])('%s is refused', (_, change, message) => {
  expect(() => bytesOf({ ...sample, ...change })).toThrow(KeyValueError)
  expect(() => bytesOf({ ...sample, ...change })).toThrow(message)
})

const sample = { text: '', count: 0, small: null, day: 0, rate: 0, flag: false, big: 0n, last: null }

function compare(a: Record<string, unknown>, b: Record<string, unknown>): number {
  for (const name of Object.keys(fields)) {
    const [left, right] = [a[name] as number | null, b[name] as number | null]
    if (left === right) continue
    if (left === null) return -1
    if (right === null) return 1
    return left < right ? -1 : 1
  }
  return 0
}
