import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { localStretches, offsetOf } from '../../src/time/local-time.ts'

const HOUR = 3_600_000
const local = (text: string) => Date.parse(`${text}Z`)
const instantOf = (text: string, zone: string, rule: 'reject' | 'compatible' | 'earlier' | 'later') => {
  const offset = offsetOf(localStretches(zone)(local(text))!, rule)
  return offset === null ? null : new Date(local(text) - offset).toISOString()
}

describe('localStretches()', () => {
  test('an hour that clocks skip is rejected, or means what Temporal says', () => {
    const skipped = '2026-03-29T02:30:00'
    expect(instantOf(skipped, 'Europe/Berlin', 'reject')).toBeNull()
    expect(instantOf(skipped, 'Europe/Berlin', 'earlier')).toBe('2026-03-29T00:30:00.000Z')
    expect(instantOf(skipped, 'Europe/Berlin', 'later')).toBe('2026-03-29T01:30:00.000Z')
    expect(instantOf(skipped, 'Europe/Berlin', 'compatible')).toBe('2026-03-29T01:30:00.000Z')
  })

  test('an hour that clocks show twice is rejected, or means what Temporal says', () => {
    const twice = '2026-10-25T02:30:00'
    expect(instantOf(twice, 'Europe/Berlin', 'reject')).toBeNull()
    expect(instantOf(twice, 'Europe/Berlin', 'earlier')).toBe('2026-10-25T00:30:00.000Z')
    expect(instantOf(twice, 'Europe/Berlin', 'later')).toBe('2026-10-25T01:30:00.000Z')
    expect(instantOf(twice, 'Europe/Berlin', 'compatible')).toBe('2026-10-25T00:30:00.000Z')
  })

  test.each(['UTC', '+05:30', '-03:00'])('%s has one stretch', (zone) => {
    const stretch = localStretches(zone)(0)!
    expect([stretch.from, stretch.to, stretch.shown]).toEqual([-Infinity, Infinity, 'once'])
  })

  test('a time beyond the calendar is in none', () => {
    expect(localStretches('Europe/Berlin')(8.64e15)).toBeNull()
  })

  test.each([
    // Half an hour of summer time; offsets with seconds; a day that was left out; clocks set back over midnight.
    ['Australia/Lord_Howe', '2026-04-04', '2026-04-07'],
    ['Europe/Berlin', '1893-03-30', '1893-04-03'],
    ['Pacific/Apia', '2011-12-28', '2012-01-02'],
    ['America/St_Johns', '2010-11-05', '2010-11-09'],
    ['Asia/Kathmandu', '1985-12-30', '1986-01-03'],
    ['Africa/Casablanca', '2026-02-10', '2026-03-25'],
    ['Europe/Berlin', '0001-01-01', '0001-01-03'],
    ['America/New_York', '9999-12-29', '9999-12-31'],
  ])('agrees with Temporal at every ten minutes in %s from %s to %s', (zone, from, to) => {
    const end = local(`${to}T00:00:00`)
    for (let at = local(`${from}T00:00:00`); at < end; at += HOUR / 6) {
      const text = new Date(at).toISOString().slice(0, -1)
      const stretch = localStretches(zone)(at)!
      expect(at >= stretch.from && at < stretch.to, text).toBe(true)
      for (const disambiguation of ['earlier', 'later', 'compatible'] as const) {
        const expected = Temporal.PlainDateTime.from(text).toZonedDateTime(zone, { disambiguation }).epochMilliseconds
        expect(at - offsetOf(stretch, disambiguation)!, `${text} ${disambiguation}`).toBe(expected)
      }
    }
  })
})
