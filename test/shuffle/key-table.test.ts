import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashBytes } from '../../src/columns/hash.ts'
import { KeyTable } from '../../src/shuffle/key-table.ts'
import { slotOfRow } from '../support/key-rows.ts'

const textOf = (table: KeyTable, slot: number) =>
  Buffer.from(table.words.buffer, table.starts[slot]! * 4, table.lengths[slot]!).toString()

/** Keys one behind the other, as a column holds them, from an odd byte on. */
function column(texts: readonly string[]) {
  const pieces = texts.map((text) => Buffer.from(text))
  const data = Buffer.concat([Buffer.of(255), ...pieces])
  const lengths = Int32Array.from(pieces, (piece) => piece.length)
  const starts = new Int32Array(texts.length)
  let at = 1
  pieces.forEach((piece, i) => {
    starts[i] = at
    at += piece.length
  })
  const hashes = Int32Array.from(starts, (start, i) => hashBytes(data, start, lengths[i]!))
  return { data, starts, lengths, hashes }
}

/** A key in words of its own, padded. */
function padded(text: string): Int32Array {
  const bytes = Buffer.from(text)
  const words = new Int32Array((bytes.length + 3) >> 2)
  new Uint8Array(words.buffer).set(bytes)
  return words
}

const anyKeys = fc.array(
  fc.oneof(
    fc.constantFrom(
      '',
      'a',
      'ab',
      'abc',
      'abcd',
      'abcde',
      'abc\u0000',
      'é',
      'x'.repeat(63),
      'x'.repeat(64),
      'x'.repeat(65),
    ),
    fc.nat({ max: 5_000 }).map((number) => `key ${number}`),
  ),
  { maxLength: 3_000, size: 'max' },
)

test('slotsOf() numbers keys as they come, and indexRows() finds them by the same numbers', () => {
  fc.assert(
    fc.property(anyKeys, (texts) => {
      const expected = new Map<string, number>()
      for (const text of texts) if (!expected.has(text)) expected.set(text, expected.size)
      const { data, starts, lengths, hashes } = column(texts)
      const table = new KeyTable(1)
      const slots = new Int32Array(texts.length)
      table.slotsOf(data, starts, lengths, hashes, texts.length, slots)
      expect(Array.from(slots)).toEqual(texts.map((text) => expected.get(text)))
      expect(table.size).toBe(expected.size)
      for (const [text, slot] of expected) expect(textOf(table, slot)).toBe(text)
      texts.forEach((text, i) => {
        expect(slotOfRow(table, padded(text), lengths[i]!, hashes[i]!)).toBe(expected.get(text))
      })
    }),
    { numRuns: 30 },
  )
})

test('keys of equal hashes are told apart', () => {
  const { data, starts, lengths } = column(['aaaa', 'aaab', 'aaa', 'aaaaa', 'aaaa'])
  const slots = new Int32Array(5)
  new KeyTable().slotsOf(data, starts, lengths, new Int32Array(5).fill(-7), 5, slots)
  expect(Array.from(slots)).toEqual([0, 1, 2, 3, 0])
})

test('a table that was cleared begins anew', () => {
  const table = new KeyTable(1)
  for (const texts of [
    ['a', 'b', 'c'],
    ['c', 'a'],
  ]) {
    const { data, starts, lengths, hashes } = column(texts)
    const slots = new Int32Array(texts.length)
    table.clear()
    table.slotsOf(data, starts, lengths, hashes, texts.length, slots)
    expect(Array.from(slots)).toEqual([...texts.keys()])
    expect(table.size).toBe(texts.length)
  }
})
