import fc from 'fast-check'
import type { PlainEvent } from '../oracle/naive.ts'
import type { LogOptions } from './every-kind.ts'
import type { Row } from './logs.ts'

const second = 1_000_000
const start = 1_621_641_600 * second

const texts = ['', 'a', 'b', 'é', '日本', '😀x', 'null', 'a\u0000b', 'ab', ' ', 'x'.repeat(40), '\uffff', '\u{10000}']
const typesOfEvents = ['Added', 'Added', 'Removed', 'Odd', 'Renamed', 'Split', 'Mixed', 'Dropped', '']

const edges = { int32: [-(2 ** 31), 2 ** 31 - 1, 0], int64: [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER] }

/** One event's row in the file, without its id. Sums of any few thousand of them stay within what a number holds. */
export function anyRow(): fc.Arbitrary<Row> {
  const small = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -20, max: 20 }) }, fc.constantFrom(...edges.int32))
  const text = fc.constantFrom(...texts)
  const finite = fc.oneof(fc.constantFrom(0, -0, 0.1, 1e300, -2.5), fc.double({ noNaN: true, noDefaultInfinity: true }))
  const day = fc.integer({ min: -3, max: 3 })
  const moment = fc.integer({ min: 0, max: 9 }).map((tick) => start + tick * 7 * 3600 * second)
  return fc.record<Row>({
    key: text,
    type: fc.constantFrom(...typesOfEvents),
    happened: moment,
    recorded: moment,
    seq: fc.integer({ min: 0, max: 5 }),
    small,
    amount: fc.integer({ min: -1e9, max: 1e9 }),
    big: fc.oneof(fc.bigInt({ min: -9n, max: 9n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n)),
    money: fc.integer({ min: -99_999, max: 99_999 }),
    ratio: finite,
    flag: fc.boolean(),
    text,
    seconds: fc.constantFrom(0, -1, 1_621_641_600_000, edges.int64[0]!, edges.int64[1]!),
    precise: fc.constantFrom(0n, -1n, 1_621_641_600_123_456_789n, 2n ** 63n - 1n),
    day,
    document: fc.constantFrom<unknown>({ a: 1 }, {}, [1, 'é'], 'text', 0, null),
    maybe_small: fc.option(fc.integer({ min: 0, max: 2 })),
    maybe_amount: fc.option(fc.constantFrom(...edges.int64, 3)),
    maybe_ratio: fc.option(finite),
    maybe_flag: fc.option(fc.boolean()),
    maybe_text: fc.option(text),
    maybe_day: fc.option(day),
    payload: fc.record(
      { address: fc.record({ city: fc.option(text) }, { requiredKeys: [] }), points: fc.option(fc.integer()) },
      { requiredKeys: [] },
    ),
  })
}

/** Rows of a log: each with an id of its own, some of them more than once, in any order. */
export function anyRows(maxLength: number): fc.Arbitrary<Row[]> {
  return fc
    .tuple(
      fc.array(anyRow(), { maxLength, size: 'max' }),
      fc.infiniteStream(fc.nat({ max: 9 })),
      fc.infiniteStream(fc.nat()),
    )
    .map(([rows, repeats, places]) => {
      const sources = ['', 'a', 'é']
      const identified = rows.map((row, index) => ({
        source: sources[index % 3]!,
        number: Math.floor(index / 3) * 3 + (index % 3) - 4,
        ...row,
      }))
      const repeated = identified.flatMap((row) => {
        const times = Math.max(1, repeats.next().value! - 7)
        return Array.from({ length: times }, () => ({ row, place: places.next().value! }))
      })
      return repeated.sort((a, b) => a.place - b.place).map(({ row }) => row)
    })
}

/** What handlers see of a row. */
export function eventOf(row: Row, options: LogOptions): PlainEvent {
  const payload = row['payload'] as { address?: { city?: string | null }; points?: number | null }
  return {
    // Of a composite id, what sorts as it does.
    id: options.composite
      ? `${row['source']}\u0001${String((row['number'] as number) + 1e6).padStart(9, '0')}`
      : (row['number'] as number),
    key: row['key'],
    type: options.typed ? (row['type'] as string) : 'Event',
    occurredAt: row['happened'],
    recordedAt: row['recorded'],
    ...(options.sequenced ? { sequence: row['seq'] } : {}),
    ...Object.fromEntries(plainFields.map((name) => [name, row[name]])),
    ...Object.fromEntries(
      maybeFields.map((name) => [`maybe${name[0]!.toUpperCase()}${name.slice(1)}`, row[`maybe_${name}`] ?? null]),
    ),
    city: payload.address?.city ?? null,
    points: payload.points ?? null,
    absent: 7,
    price: 150,
  }
}

const plainFields = [
  'small',
  'amount',
  'big',
  'money',
  'ratio',
  'flag',
  'text',
  'seconds',
  'precise',
  'day',
  'document',
]
const maybeFields = ['small', 'amount', 'ratio', 'flag', 'text', 'day']

export function idOf(row: Row, options: LogOptions): string {
  return options.composite ? `${row['source']}/${row['number']}` : String(row['number'])
}
