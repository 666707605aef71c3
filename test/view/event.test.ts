import { expect, test } from 'vitest'
import { int64, string } from '../../src/index.ts'
import type { Column } from '../../src/model/column.ts'
import { idColumnText, joinId } from '../../src/model/event-id.ts'
import type { Slot } from '../../src/model/slots.ts'
import { compileEventCursor } from '../../src/view/fold.ts'

const slots: readonly Slot[] = [
  { name: 'amount', type: int64(), storage: 'i64', mayBeNull: false },
  { name: 'branch', type: string(), storage: 'str', mayBeNull: false },
]
const base = { length: 2, nullCount: 0, validity: null }
const columns: readonly Column[] = [
  { kind: 'int64', ...base, values: BigInt64Array.of(-5n, 2n ** 53n - 1n) },
  { kind: 'bytes', ...base, offsets: Int32Array.of(0, 1, 4), data: Buffer.from('a€'), gap: 0 },
]

test('an event can be copied, and has its fields in JSON', () => {
  const cursor = compileEventCursor(slots, [])
  cursor.bindColumns(columns)
  cursor.seek(1)
  const copy = { ...(cursor.event as object) }
  cursor.seek(0)
  expect(copy).toEqual({ amount: 2 ** 53 - 1, branch: '€', type: 'Event' })
  expect(JSON.stringify(cursor.event)).toBe('{"amount":-5,"branch":"a","type":"Event"}')
})

test('a field that no function was found to read is refused, not undefined', () => {
  const cursor = compileEventCursor(slots, ['note'])
  cursor.bindColumns(columns)
  expect(() => (cursor.event as { note: unknown }).note).toThrow(
    'field "note": no function of the view was found to read it',
  )
})

test('ids of several columns can be told apart when they are joined', () => {
  expect(joinId(['a/b'])).toBe('a/b')
  expect(joinId(['a', 'b'])).toBe('a/b')
  expect(
    new Set([joinId(['a/b', 'c']), joinId(['a', 'b/c']), joinId(['a\\', 'b/c']), joinId(['a', '\\/b', 'c'])]).size,
  ).toBe(4)
})

test('days and moments of ids are written as ISO 8601', () => {
  expect(idColumnText({ kind: 'date', nullable: false }, 18772)).toBe('2021-05-25')
  expect(idColumnText({ kind: 'timestamp', nullable: false, unit: 'ms' }, 1_621_900_800_001)).toBe(
    '2021-05-25T00:00:00.001Z',
  )
  expect(idColumnText({ kind: 'timestamp', nullable: false, unit: 'ns' }, -1n)).toBe('1969-12-31T23:59:59.999999999Z')
  // No calendar has such a day.
  expect(idColumnText({ kind: 'date', nullable: false }, 2 ** 31 - 1)).toBe('2147483647')
  expect(idColumnText({ kind: 'timestamp', nullable: false, unit: 'us' }, 2n ** 63n - 1n)).toBe('9223372036854775807')
  expect(idColumnText({ kind: 'int64', nullable: false }, 18772n)).toBe('18772')
  expect(idColumnText({ kind: 'string', nullable: false }, 'e7')).toBe('e7')
})
