import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { RowPlace } from '../../src/compare/batch.ts'
import { compareGenerations, keyProblem, matchColumns } from '../../src/compare/compare.ts'
import { type ComparedGeneration, seek } from '../../src/compare/stream.ts'
import type { Fields } from '../../src/model/type.ts'
import {
  bigint,
  bool,
  date,
  decimal,
  float64,
  int32,
  int64,
  json,
  nullable,
  string,
  timestamp,
} from '../../src/model/types.ts'
import { disk } from '../../src/storage/disk.ts'
import { type Row, scratch } from '../support/logs.ts'
import { keyBytes, type Shape, writeParts } from '../support/part-files.ts'

const folder = scratch('compare')
afterAll(folder.remove)

let folders = 0
function generation(shape: Shape, rows: readonly Row[], bits: number, rowGroupRows?: number): ComparedGeneration {
  return writeParts(join(folder.path, `g${folders++}`), shape, rows, bits, rowGroupRows)
}

/** A difference in words: what happened to which row, and the columns that differ. */
function differencesOf(before: ComparedGeneration, after: ComparedGeneration): string[] {
  const columns = matchColumns(before, after)
  const told: string[] = []
  for (const difference of compareGenerations(before, after, columns, disk)) {
    const { kind, ordinal, keyInBoth, firstOfKey } = difference
    const names = difference.columns.map((index) => columns.both[index]!.name)
    const place = (difference.after ?? difference.before)!
    const key = keyText(place, columns.keyColumns)
    told.push([kind, key, ordinal, keyInBoth ? 'key in both' : '', firstOfKey ? 'first' : '', names.join()].join(' '))
  }
  return told
}

/** The words and bytes of a row's key cells, which differ where keys do. */
function keyText({ batch, row }: RowPlace, keyColumns: number): string {
  return Array.from({ length: keyColumns }, (_, index) => {
    const { kind, validity, words, bytes } = batch.cells(index)
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) return 'null'
    if (kind === 'bytes') {
      return Buffer.from(bytes!.data.subarray(bytes!.offsets[row]!, bytes!.offsets[row + 1]! - bytes!.gap)).toString()
    }
    if (kind === 'bool') return String((words[row >> 3]! >> (row & 7)) & 1)
    if (kind === 'int32') return String(words[row])
    return `${words[2 * row + 1]}:${words[2 * row]}`
  }).join('/')
}

/** The same from a Map of all rows by key. */
function naiveDifferences(shape: Shape, before: readonly Row[], after: readonly Row[]): string[] {
  const sides = [before, after].map((rows) => Map.groupBy(rows, (row) => keyBytes(shape.key, row).toString('hex')))
  const [old, now] = sides as [Map<string, Row[]>, Map<string, Row[]>]
  const differences: string[] = []
  for (const key of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [a, b] = [old.get(key) ?? [], now.get(key) ?? []]
    let first = true
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const changed = Object.keys(shape.columns).filter((name) => !same(a[i]?.[name], b[i]?.[name]))
      if (a[i] !== undefined && b[i] !== undefined && changed.length === 0) continue
      const kind = a[i] === undefined ? 'added' : b[i] === undefined ? 'removed' : 'changed'
      const inBoth = a.length > 0 && b.length > 0 ? 'key in both' : ''
      differences.push([kind, key, i, inBoth, first ? 'first' : '', kind === 'changed' ? changed.join() : ''].join(' '))
      first = false
    }
  }
  return differences
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))
}

const shape = {
  key: { day: nullable(date()), text: string(), amount: float64() },
  columns: {
    int: int32(),
    long: nullable(int64()),
    big: bigint(),
    money: nullable(decimal(12, 2)),
    float: float64(),
    flag: nullable(bool()),
    name: nullable(string()),
    moment: timestamp('ns'),
    document: nullable(json()),
  },
} satisfies Shape

const anyRow: fc.Arbitrary<Row> = fc.record({
  day: fc.constantFrom(null, -1, 0, 7),
  text: fc.constantFrom('', 'a', 'a\u0000', 'ab', '閉鎖', '😀'),
  amount: fc.constantFrom(-1.5, 0, 3, Number.NEGATIVE_INFINITY),
  int: fc.constantFrom(0, 1),
  long: fc.constantFrom(null, 2 ** 33, 1),
  big: fc.constantFrom(0n, 2n ** 62n),
  money: fc.constantFrom(null, 100),
  float: fc.constantFrom(0, -0, Number.NaN, 1),
  flag: fc.constantFrom(null, true, false),
  name: fc.constantFrom(null, 'x', 'xy'),
  moment: fc.constantFrom(0n, 1n),
  document: fc.constantFrom(null, { a: 1 }, [1, 2]),
})

/** Differences tell a key in another notation than the naive ones. */
function withoutKeys(differences: readonly string[]): string[] {
  return differences.map((line) => line.replace(/^(\w+) .* (\d+) /, '$1 $2 ')).sort()
}

describe('compareGenerations()', () => {
  test('tells what a Map of all rows tells, for any numbers of parts, row groups and rows of a key', () => {
    fc.assert(
      fc.property(
        fc.array(anyRow, { maxLength: 60 }),
        fc.array(anyRow, { maxLength: 60 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(1, 3, 65_536),
        (before, other, mostlySame, bitsBefore, bitsAfter, rowGroupRows) => {
          const after = mostlySame ? [...before.slice(2), ...other.slice(0, 3)] : other
          const differences = differencesOf(
            generation(shape, before, bitsBefore, rowGroupRows),
            generation(shape, after, bitsAfter, 4),
          )
          expect(withoutKeys(differences)).toEqual(withoutKeys(naiveDifferences(shape, before, after)))
        },
      ),
      { numRuns: 150 },
    )
  })

  const counted = { key: { id: int64() }, columns: { count: int32() } } satisfies Shape
  const count = (from: number, to: number, value: (id: number) => number) =>
    Array.from({ length: to - from }, (_, index) => ({ id: from + index, count: value(from + index) }))

  test('finds single changes in runs that are longer than what it looks at at once', () => {
    const before = generation(
      counted,
      count(0, 100_000, (id) => id),
      0,
    )
    const after = generation(
      counted,
      count(1, 100_001, (id) => (id % 30_000 === 5 ? -1 : id)),
      2,
    )
    expect(differencesOf(before, after).sort()).toEqual([
      'added 0:100000 0  first ',
      'changed 0:30005 0 key in both first count',
      'changed 0:5 0 key in both first count',
      'changed 0:60005 0 key in both first count',
      'changed 0:90005 0 key in both first count',
      'removed 0:0 0  first ',
    ])
  })

  test('finds the same place among many rows of one key, across batches', () => {
    const many = (change: number) =>
      Array.from({ length: 20_000 }, (_, index) => ({ id: 7, count: index === change ? -1 : index }))
    const before = generation(counted, many(-1), 1, 5000)
    const after = generation(counted, [...many(19_999), { id: 7, count: 0 }], 0, 3000)
    expect(differencesOf(before, after)).toEqual([
      'changed 0:7 19999 key in both first count',
      'added 0:7 20000 key in both  ',
    ])
  })

  test('a column of another type is compared by what it says, one of another name not at all', () => {
    const key: Fields = { id: int64() }
    const before = generation(
      { key, columns: { a: int32(), b: int32() } },
      [
        { id: 1, a: 5, b: 1 },
        { id: 2, a: 6, b: 1 },
      ],
      0,
    )
    const after = generation(
      { key, columns: { c: int32(), a: int64() } },
      [
        { id: 1, a: 5, c: 1 },
        { id: 2, a: 7, c: 1 },
      ],
      0,
    )
    expect(differencesOf(before, after)).toEqual(['changed 0:2 0 key in both first a'])
    const { added, removed } = matchColumns(before, after)
    expect([added, removed].map((columns) => columns.map(({ name }) => name))).toEqual([['c'], ['b']])
  })

  test('keys of other columns or types are not compared', () => {
    const before = generation({ key: { id: int64() }, columns: {} }, [], 0)
    const after = generation({ key: { id: int64(), day: nullable(date()) }, columns: {} }, [], 0)
    expect(keyProblem(before, after)).toBe('the key was (id: int64) and is (id: int64, day: nullable date)')
    expect(keyProblem(after, after)).toBeUndefined()
  })

  test('generations read alongside are found at the same key, at the same place among its rows', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 40 })),
        fc.array(fc.integer({ min: 0, max: 40 })),
        fc.integer({ min: 0, max: 3 }),
        (ids, other, bits) => {
          const rows = (all: readonly number[], value: number) => all.map((id) => ({ id, count: value }))
          const before = generation(counted, rows(ids, 1), 2)
          const after = generation(counted, rows(ids, 2), 1)
          const beside = generation(counted, rows(other, 3), bits, 2)
          const columns = matchColumns(before, after)
          const found: number[] = []
          for (const { after: place, ordinal, others } of compareGenerations(before, after, columns, disk, [beside])) {
            const there = seek(others[0]!, place!, ordinal, 1)
            if (there !== null) found.push(there.batch.cells(0).words[2 * there.row]!)
          }
          expect(found.sort((a, b) => a - b)).toEqual(ids.filter((id) => other.includes(id)).sort((a, b) => a - b))
        },
      ),
    )
  })
})
