import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { TimeUnit } from '../../src/model/type.ts'
import { momentClock, withClock } from '../../src/time/moment-clock.ts'
import { dayOf, formatDay, hourOf, monthOf } from '../../src/time/of-moment.ts'

const ms = (text: string) => Date.parse(text)
const DAY = 86_400_000
const steps = { ms: 1, us: 1000, ns: 1_000_000 } as const
const moment = (text: string, unit: TimeUnit): number =>
  (unit === 'ns' ? BigInt(ms(text)) * 1_000_000n : ms(text) * steps[unit]) as number
const within = <T>(unit: TimeUnit, zone: string, work: () => T): T => withClock(momentClock(unit, zone), work)

describe.each(['ms', 'us', 'ns'] as const)('in a view of a log of %s', (unit) => {
  test.each([
    ['2021-05-01T21:30:00Z', 'Europe/Berlin', '2021-05-01', '2021-05-01T21:00:00Z', '2021-05-01'],
    ['2021-05-01T22:00:00Z', 'Europe/Berlin', '2021-05-02', '2021-05-01T22:00:00Z', '2021-05-01'],
    ['2021-04-30T22:00:00Z', 'Europe/Berlin', '2021-05-01', '2021-04-30T22:00:00Z', '2021-05-01'],
    ['2021-04-30T22:00:00Z', 'UTC', '2021-04-30', '2021-04-30T22:00:00Z', '2021-04-01'],
    ['2021-04-30T18:45:00Z', '+05:30', '2021-05-01', '2021-04-30T18:30:00Z', '2021-05-01'],
    // The last moment of a day of 23 hours, and of one of 25.
    ['2026-03-29T21:59:59.999Z', 'Europe/Berlin', '2026-03-29', '2026-03-29T21:00:00Z', '2026-03-01'],
    ['2026-10-25T22:59:59.999Z', 'Europe/Berlin', '2026-10-25', '2026-10-25T22:00:00Z', '2026-10-01'],
    ['1969-12-31T23:59:59.999Z', 'UTC', '1969-12-31', '1969-12-31T23:00:00Z', '1969-12-01'],
  ])('%s in %s is the day %s', (text, zone, day, hour, month) => {
    within(unit, zone, () => {
      const at = moment(text, unit)
      expect(formatDay(dayOf(at))).toBe(day)
      expect(hourOf(at)).toBe(moment(hour, unit))
      expect(formatDay(monthOf(at))).toBe(month)
    })
  })
})

describe('dayOf()', () => {
  test('agrees with Temporal before our era, in a zone and in UTC', () => {
    for (const zone of ['Europe/Berlin', 'UTC', '-03:00']) {
      for (let at = ms('-000044-03-14T00:00:00Z'); at < ms('-000044-03-16T00:00:00Z'); at += 5_400_000) {
        const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString()
        expect(formatDay(within('ms', zone, () => dayOf(at)))).toBe(day)
      }
    }
  })

  test("takes a zone and a unit in place of the log's", () => {
    within('us', 'UTC', () => {
      const at = moment('2021-05-01T22:30:00Z', 'us')
      expect(dayOf(at, { zone: 'Europe/Berlin' }) - dayOf(at)).toBe(1)
      expect(dayOf(at / 1000, { unit: 'ms' })).toBe(dayOf(at))
      expect(hourOf(BigInt(at) * 1000n, { unit: 'ns' })).toBe(BigInt(moment('2021-05-01T22:00:00Z', 'us')) * 1000n)
    })
  })

  test('needs both where no view runs', () => {
    const at = moment('2021-05-01T22:30:00Z', 'us')
    expect(() => dayOf(at)).toThrow(
      "dayOf(): expected zone and unit, as dayOf(moment, { zone: 'Europe/Berlin', unit: 'us' })",
    )
    expect(() => monthOf(at, { zone: 'UTC' })).toThrow('expected zone and unit')
    expect(dayOf(at, { zone: 'Europe/Berlin', unit: 'us' })).toBe(ms('2021-05-02') / DAY)
  })

  test('refuses what it does not take', () => {
    const call = dayOf as (...given: unknown[]) => number
    within('us', 'UTC', () => {
      expect(() => call(0, 'us', 'Europe/Prague')).toThrow('found "Europe/Prague" as well')
      expect(() => call(0, 'us')).toThrow('expected a moment, and options as { zone: \'Europe/Berlin\' }, found "us"')
      expect(() => call(0, undefined, 'UTC')).toThrow('as well')
      expect(() => call(0, { timeZone: 'UTC' })).toThrow('expected the options zone and unit, found timeZone')
      expect(() => call(0, { unit: 's' })).toThrow("expected the unit 'ms', 'us' or 'ns', found \"s\"")
      expect(() => call(0, { zone: 'Europe/Atlantis' })).toThrow('expected a time zone')
      expect(() => call(0n)).toThrow('expected a moment in us, which is a number, found 0')
      expect(() => call(undefined)).toThrow('found undefined')
      expect(() => (hourOf as (...given: unknown[]) => number)(0, null)).toThrow('found null')
    })
    within('ns', 'UTC', () => expect(() => call(0)).toThrow('expected a moment in ns, which is a bigint, found 0'))
  })
})

describe('formatDay()', () => {
  test('takes a day alone, or what map hands it', () => {
    const before = Temporal.PlainDate.from('1970-01-01').subtract({ days: 800_000 }).toString()
    expect([0, -1, -800_000].map(formatDay)).toEqual(['1970-01-01', '1969-12-31', before])
    expect(() => (formatDay as (...given: unknown[]) => string)(0, 'UTC')).toThrow(
      'expected a day alone, found "UTC" as well',
    )
  })
})
