import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { TimeUnit } from '../../src/model/type.ts'
import { type Calendar, everyProblem, MomentRangeError, makeCalendar } from '../../src/time/calendar.ts'
import { parseDuration } from '../../src/time/duration.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const dayNumber = (text: string) => Date.parse(text) / DAY
const calendar = (every: string, zone = 'UTC', unit: TimeUnit = 'ms') => makeCalendar({ every, zone, unit })
const lengthOf = (windows: Calendar, index: number) => Number(windows.endOf(index) - windows.startOf(index))
const text = (moment: bigint) => new Date(Number(moment)).toISOString()

describe('windows of days', () => {
  it('have 23 and 25 hours where clocks change', () => {
    const days = calendar('day', 'America/New_York')
    expect(lengthOf(days, dayNumber('2021-03-14'))).toBe(23 * HOUR)
    expect(lengthOf(days, dayNumber('2021-11-07'))).toBe(25 * HOUR)
    expect(lengthOf(days, dayNumber('2021-11-08'))).toBe(24 * HOUR)
    expect(text(days.startOf(dayNumber('2021-11-07')))).toBe('2021-11-07T04:00:00.000Z')
  })

  it('begin at 01:00 where midnight is what clocks go past', () => {
    const days = calendar('day', 'America/Sao_Paulo')
    expect(text(days.startOf(dayNumber('2018-11-04')))).toBe('2018-11-04T03:00:00.000Z')
    expect(lengthOf(days, dayNumber('2018-11-04'))).toBe(23 * HOUR)
  })

  it('have half hours where the zone has', () => {
    expect(text(calendar('day', 'Asia/Kolkata').startOf(dayNumber('2021-05-22')))).toBe('2021-05-21T18:30:00.000Z')
    expect(lengthOf(calendar('day', 'Australia/Lord_Howe'), dayNumber('2021-04-04'))).toBe(24.5 * HOUR)
  })

  it('are empty where the zone left the day out', () => {
    const days = calendar('day', 'Pacific/Apia')
    const skipped = dayNumber('2011-12-30')
    expect(lengthOf(days, skipped)).toBe(0)
    expect(days.indexOf(Number(days.startOf(skipped)) - 1)).toBe(skipped - 1)
    expect(days.indexOf(Number(days.startOf(skipped)))).toBe(skipped + 1)
  })

  it('have offsets of seconds before there were zones', () => {
    expect(text(calendar('day', 'America/New_York').startOf(dayNumber('1850-01-01')))).toBe('1850-01-01T04:56:02.000Z')
  })

  it('lie before 1970 and in the years 1 and 9999 too', () => {
    for (const zone of ['UTC', 'Asia/Taipei', 'America/New_York', '-03:30']) {
      const days = calendar('day', zone)
      for (const date of ['0001-01-01', '0099-12-31', '1948-05-14', '1969-12-31', '9999-12-31']) {
        const index = dayNumber(date)
        expect(days.keyOf(days.indexOf(days.startOf(index)))).toBe(index)
        expect(days.indexOf(days.endOf(index) - 1n)).toBe(index)
      }
    }
  })

  it('may be several, counted from 1970-01-01', () => {
    const tens = calendar('10 days', 'Asia/Taipei')
    expect(tens.keyOf(0)).toBe(0)
    expect(tens.keyOf(tens.indexOf(Date.parse('2021-05-22T00:00+08:00')))).toBe(
      Math.floor(dayNumber('2021-05-22') / 10) * 10,
    )
    expect(tens.keyOf(-1)).toBe(-10)
  })
})

describe('windows of weeks, months and years', () => {
  it('begin on Mondays', () => {
    const weeks = calendar('week', 'Europe/Berlin')
    expect(weeks.keyOf(weeks.indexOf(Date.parse('2021-05-23T23:59+02:00')))).toBe(dayNumber('2021-05-17'))
    expect(weeks.keyOf(weeks.indexOf(Date.parse('2021-05-24T00:00+02:00')))).toBe(dayNumber('2021-05-24'))
    expect(weeks.keyOf(0)).toBe(dayNumber('1969-12-29'))
    expect(calendar('1 week').keyOf(3)).toBe(calendar('week').keyOf(3))
    expect(calendar('2 weeks').keyOf(1)).toBe(dayNumber('1970-01-12'))
  })

  it('begin on the first of a month', () => {
    const months = calendar('month', 'Asia/Taipei')
    expect(months.keyOf(months.indexOf(Date.parse('2024-02-29T23:59+08:00')))).toBe(dayNumber('2024-02-01'))
    expect(lengthOf(months, months.indexOf(Date.parse('2024-02-10')))).toBe(29 * DAY)
    expect(months.keyOf(-1)).toBe(dayNumber('1969-12-01'))
    expect(months.keyOf((1 - 1970) * 12)).toBe(dayNumber('0001-01-01'))
  })

  it('begin with quarters and years', () => {
    const quarters = calendar('3 months')
    expect(quarters.keyOf(quarters.indexOf(Date.parse('2021-05-22')))).toBe(dayNumber('2021-04-01'))
    const years = calendar('year')
    expect(years.keyOf(years.indexOf(Date.parse('1969-12-31')))).toBe(dayNumber('1969-01-01'))
  })
})

describe('windows of hours and less', () => {
  it('have one exact length, whatever clocks do', () => {
    const hours = calendar('hour', 'America/New_York')
    const first = hours.indexOf(Date.parse('2021-11-07T05:30Z'))
    expect(hours.indexOf(Date.parse('2021-11-07T06:30Z'))).toBe(first + 1)
    expect(lengthOf(hours, first)).toBe(HOUR)
  })

  it("begin at the zone's full hours", () => {
    const hours = calendar('hour', 'Asia/Kolkata')
    expect(hours.keyOf(hours.indexOf(Date.parse('2021-05-22T14:45+05:30')))).toBe(Date.parse('2021-05-22T14:00+05:30'))
  })

  it('are counted from 1970-01-01T00:00 of the zone', () => {
    const sixes = calendar('6 hours', 'Asia/Taipei')
    expect(sixes.keyOf(0)).toBe(-8 * HOUR)
    expect(sixes.keyOf(sixes.indexOf(Date.parse('2021-05-22T13:00+08:00')))).toBe(Date.parse('2021-05-22T12:00+08:00'))
  })

  it('have their start as key, in the unit of the log', () => {
    const moment = Date.parse('2021-05-22T14:07Z')
    const start = Date.parse('2021-05-22T14:00Z')
    expect(calendar('15 minutes').keyKind).toBe('timestamp')
    const us = calendar('15 minutes', 'UTC', 'us')
    expect(us.keyOf(us.indexOf(moment * 1000))).toBe(start * 1000)
    const ns = calendar('15 minutes', 'UTC', 'ns')
    expect(ns.keyOf(ns.indexOf(BigInt(moment) * 1_000_000n))).toBe(BigInt(start) * 1_000_000n)
  })
})

describe('deadlines', () => {
  it('of days are at local midnights', () => {
    const days = calendar('day', 'America/New_York')
    const deadline = days.deadlineOf(dayNumber('2021-03-10'), parseDuration('7 days', ''))
    expect(text(deadline)).toBe('2021-03-18T04:00:00.000Z')
  })

  it('of hours are exact', () => {
    const days = calendar('day', 'America/New_York')
    const end = days.endOf(dayNumber('2021-03-10'))
    expect(days.deadlineOf(dayNumber('2021-03-10'), parseDuration('168 hours', ''))).toBe(end + BigInt(7 * DAY))
  })

  it("of months end on the last day where a month is too short for the window's day", () => {
    const days = calendar('day', 'Asia/Taipei')
    const deadline = days.deadlineOf(dayNumber('2021-01-30'), parseDuration('1 month', ''))
    expect(text(deadline)).toBe('2021-02-27T16:00:00.000Z')
  })

  it("of hourly windows follow the zone's clocks if they are of days", () => {
    const hours = calendar('hour', 'America/New_York', 'us')
    const index = hours.indexOf(Date.parse('2021-03-13T12:00-05:00') * 1000)
    expect(hours.deadlineOf(index, parseDuration('1 day', ''))).toBe(
      BigInt(Date.parse('2021-03-14T13:00-04:00')) * 1000n,
    )
  })

  it('of no lateness are the end of the window', () => {
    for (const every of ['hour', 'day', 'week', 'month', '6 hours']) {
      const windows = calendar(every, 'Europe/Berlin')
      for (const lateness of ['0 days', '0 hours', '0 months']) {
        expect(windows.deadlineOf(617, parseDuration(lateness, ''))).toBe(windows.endOf(617))
      }
    }
  })
})

describe('what is refused', () => {
  test.each<[unknown, string]>([
    [
      'fortnight',
      `expected 'hour', 'day', 'week', 'month' or a duration, as '6 hours' or '10 days', found "fortnight"`,
    ],
    [7, "expected 'hour', 'day', 'week', 'month' or a duration, as '6 hours' or '10 days', found 7"],
    ['0 hours', "expected windows longer than nothing, found '0 hours'"],
  ])('windows of %j', (every, problem) => {
    expect(everyProblem(every)).toBe(problem)
    expect(() => calendar(every as string)).toThrow(problem)
  })

  test('a zone that there is not', () => {
    expect(() => calendar('day', 'Asia/Taipeh')).toThrow(
      `Cannot make windows: expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30', found "Asia/Taipeh".`,
    )
  })

  test('a moment that no calendar reaches, with its row', () => {
    const days = calendar('day', 'Asia/Taipei')
    expect(() => days.indexOf(Number.MAX_SAFE_INTEGER)).toThrow(MomentRangeError)
    expect(() => days.indexOf(Number.NaN)).toThrow(RangeError)
    const moments = BigInt64Array.of(0n, 2n ** 63n - 1n)
    expect(() => days.indexesOf(moments, null, new Float64Array(2))).toThrow(
      expect.objectContaining({ row: 1, moment: 2n ** 63n - 1n }),
    )
  })

  test('a key that no window has, though one holds it', () => {
    expect(calendar('month').indexAround(18_701)).toBe(614)
    expect(calendar('month').keyOf(614)).toBe(Date.UTC(2021, 2, 1) / 86_400_000)
    expect(() => calendar('week').indexOfKey(0)).toThrow('no window of 1 week begins at 0')
    expect(() => calendar('hour').indexOfKey(1)).toThrow('no window of 1 hour begins at 1')
  })
})

const zones = ['UTC', '+05:45', 'Asia/Taipei', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'America/St_Johns']
const lengths = ['minute', '15 minutes', 'hour', '6 hours', 'day', '10 days', 'week', 'month', '3 months', 'year']
const steps = { ms: 1n, us: 1000n, ns: 1_000_000n }

describe('for any calendar', () => {
  const anyCalendar = fc.record({
    every: fc.constantFrom(...lengths),
    zone: fc.constantFrom(...zones),
    unit: fc.constantFrom<TimeUnit>('ms', 'us', 'ns'),
  })
  // From the year 1 to 9999, but ns only as far as they go; and often near the hours at which clocks change.
  const anyMoment = (unit: TimeUnit) =>
    unit === 'ns'
      ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
      : fc.oneof(
          fc.bigInt(-62_135_596_800_000n * steps[unit], 253_402_300_799_999n * steps[unit]),
          fc
            .tuple(
              fc.constantFrom('2011-12-30T10:00Z', '2021-03-14T07:00Z', '2006-10-29T02:31Z'),
              fc.integer({ min: -DAY, max: DAY }),
            )
            .map(([change, away]) => (BigInt(Date.parse(change)) + BigInt(away)) * steps[unit]),
        )
  const anyCase = anyCalendar.chain((spec) =>
    fc.record({ spec: fc.constant(spec), moments: fc.array(anyMoment(spec.unit), { maxLength: 40 }) }),
  )

  it('a moment lies in one window, which begins where the one before ends', () => {
    fc.assert(
      fc.property(anyCase, ({ spec, moments }) => {
        const windows = makeCalendar(spec)
        for (const moment of moments) {
          const index = windows.indexOf(moment)
          expect(windows.startOf(index) <= moment && moment < windows.endOf(index)).toBe(true)
          expect(windows.startOf(index + 1)).toBe(windows.endOf(index))
          expect(windows.indexOfKey(windows.keyOf(index))).toBe(index)
          expect(windows.deadlineOf(index, { count: 7, unit: 'day' })).toBeGreaterThan(windows.endOf(index))
        }
      }),
    )
  })

  it('a column gives what its moments give one by one, in any order', () => {
    fc.assert(
      fc.property(anyCase, fc.infiniteStream(fc.boolean()), ({ spec, moments }, present) => {
        const validity = new Uint8Array(Math.ceil(moments.length / 8))
        moments.forEach((_, row) => {
          if (present.next().value) validity[row >> 3]! |= 1 << (row & 7)
        })
        const column = BigInt64Array.from(moments)
        const found = makeCalendar(spec).indexesOf(column, validity, new Float64Array(moments.length))
        const expected = moments.map((moment, row) =>
          (validity[row >> 3]! & (1 << (row & 7))) === 0 ? Number.NaN : makeCalendar(spec).indexOf(moment),
        )
        expect([...found]).toEqual(expected)
        const all = makeCalendar(spec).indexesOf(column, null, new Float64Array(moments.length))
        expect([...all]).toEqual(moments.map((moment) => makeCalendar(spec).indexOf(moment)))
      }),
    )
  })

  it("a day's window is the date that the zone's clocks show", () => {
    const anyTime = fc.integer({ min: Date.parse('1900-01-01'), max: Date.parse('2100-01-01') })
    const wellBehaved = zones.filter((zone) => zone !== 'America/St_Johns' && zone !== '+05:45')
    fc.assert(
      fc.property(fc.constantFrom(...wellBehaved), anyTime, (zone, moment) => {
        const shown = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(moment)
        expect(calendar('day', zone).indexOf(moment)).toBe(dayNumber(shown))
      }),
    )
  })
})

it('takes the first midnight where clocks are set back over midnight', () => {
  // St. John's went from 00:01 on 29 October 2006 back to 23:01 of the 28th.
  const days = calendar('day', 'America/St_Johns')
  const start = Date.parse('2006-10-29T00:00-02:30')
  expect(days.startOf(dayNumber('2006-10-29'))).toBe(BigInt(start))
  expect(days.indexOf(start + 30 * 60_000)).toBe(dayNumber('2006-10-29'))
})
