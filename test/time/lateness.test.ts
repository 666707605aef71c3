import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { makeCalendar } from '../../src/time/calendar.ts'
import { parseDuration } from '../../src/time/duration.ts'
import { addLateCounts, deadlines, describeLate, formatWindow, lateCounts, markLate } from '../../src/time/lateness.ts'

const days = makeCalendar({ every: 'day', zone: 'Asia/Taipei', unit: 'ms' })
const at = (text: string) => BigInt(Date.parse(text))
const durations = (...texts: string[]) => texts.map((text) => parseDuration(text, 'threshold'))

describe('markLate()', () => {
  it('marks what was recorded after the deadline, and not what was recorded at it', () => {
    const deadlineOf = deadlines(days, parseDuration('7 days', ''))
    const occurred = BigInt64Array.of(
      at('2021-05-16T12:00+08:00'),
      at('2021-05-16T12:00+08:00'),
      at('1969-12-31T12:00Z'),
      0n,
    )
    const recorded = BigInt64Array.of(at('2021-05-24T00:00+08:00'), at('2021-05-24T00:00+08:00') + 1n, 0n, 2n ** 62n)
    const indexes = days.indexesOf(occurred, Uint8Array.of(0b0111), new Float64Array(4))
    const late = new Uint8Array(4)
    expect(markLate(indexes, recorded, deadlineOf, late)).toBe(1)
    expect([...late]).toEqual([0, 1, 0, 0])
  })

  it('agrees with deadlineOf() for any moments', () => {
    const anyMoment = fc.bigInt(-3n * 86_400_000n, 3n * 86_400_000n)
    const lateness = parseDuration('1 day', '')
    const deadlineOf = deadlines(days, lateness)
    fc.assert(
      fc.property(fc.array(fc.tuple(anyMoment, anyMoment)), (events) => {
        const occurred = BigInt64Array.from(events, ([moment]) => moment)
        const recorded = BigInt64Array.from(events, ([, moment]) => moment)
        const late = new Uint8Array(events.length)
        markLate(days.indexesOf(occurred, null, new Float64Array(events.length)), recorded, deadlineOf, late)
        const expected = events.map(([moment, later]) => later > days.deadlineOf(days.indexOf(moment), lateness))
        expect([...late].map(Boolean)).toEqual(expected)
        expect(lateCounts(occurred, recorded, [lateness], days).late).toEqual([expected.filter(Boolean).length])
      }),
    )
  })

  it('knows no event late whose deadline lies beyond the last moment', () => {
    const hours = makeCalendar({ every: 'hour', zone: 'UTC', unit: 'ns' })
    const last = BigInt64Array.of(2n ** 63n - 1n)
    const late = new Uint8Array(1)
    const indexes = hours.indexesOf(last, null, new Float64Array(1))
    expect(markLate(indexes, last, deadlines(hours, parseDuration('1 year', '')), late)).toBe(0)
  })
})

describe('words for the exceptions', () => {
  test('say how long after its end a window got an event', () => {
    const index = days.indexOf(at('2021-05-16T12:00+08:00'))
    expect(describeLate(days, index, at('2021-05-26T03:00+08:00'))).toBe(
      'recorded 9 d 3 h after the window 2021-05-16 closed',
    )
  })

  test('name windows of hours by their local beginning', () => {
    const hours = makeCalendar({ every: '6 hours', zone: 'Asia/Taipei', unit: 'us' })
    expect(formatWindow(hours, hours.indexOf(at('2021-05-16T13:00+08:00') * 1000n))).toBe('2021-05-16T12:00:00+08:00')
  })
})

describe('lateCounts()', () => {
  const occurred = BigInt64Array.of(0n, 0n, 0n, 3_600_000n)
  const recorded = BigInt64Array.of(3_600_000n, 3_600_001n, 90_000_000n, 0n)

  it('counts from the moment of the event where there are no windows', () => {
    const found = lateCounts(occurred, recorded, durations('0 hours', '1 hour', '1 day', '2 weeks'), 'ms')
    expect(found).toEqual({ events: 4, early: 1, late: [3, 2, 1, 0] })
  })

  it("counts from the window's end where there are windows", () => {
    // Midnight in Taipei is 16:00 UTC.
    const found = lateCounts(occurred, recorded, durations('0 days', '8 hours', '10 hours', '1 day'), days)
    expect(found).toEqual({ events: 4, early: 1, late: [1, 1, 0, 0] })
  })

  it('refuses months where there are no windows', () => {
    expect(() => lateCounts(occurred, recorded, durations('1 month'), 'ms')).toThrow(
      "Cannot count late events: expected thresholds in weeks or a smaller unit, found '1 month'; only windows have months.",
    )
    expect(lateCounts(occurred, recorded, durations('1 month'), days).late).toEqual([0])
  })

  it('adds up over lots, and never counts more for a longer threshold', () => {
    const anyEvents = fc.array(
      fc.tuple(fc.bigInt(-1_000_000_000n, 1_000_000_000n), fc.bigInt(-1_000_000_000n, 1_000_000_000n)),
    )
    const thresholds = durations('0 days', '6 hours', '1 day', '3 days', '1 week')
    fc.assert(
      fc.property(anyEvents, anyEvents, fc.constantFrom(days, 'ms' as const), (some, more, by) => {
        const count = (events: readonly (readonly [bigint, bigint])[]) =>
          lateCounts(
            BigInt64Array.from(events, ([moment]) => moment),
            BigInt64Array.from(events, ([, moment]) => moment),
            thresholds,
            by,
          )
        const all = count([...some, ...more])
        expect(addLateCounts(count(some), count(more))).toEqual(all)
        expect([...all.late]).toEqual([...all.late].sort((a, b) => b - a))
      }),
    )
  })
})
