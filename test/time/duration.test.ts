import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ConfigurationError } from '../../src/model/errors.ts'
import {
  durationProblem,
  durationUnits,
  exactMilliseconds,
  formatDuration,
  formatElapsed,
  parseDuration,
} from '../../src/time/duration.ts'

describe('parseDuration()', () => {
  test.each([
    ['7 days', 7, 'day'],
    ['36 hours', 36, 'hour'],
    ['15 minutes', 15, 'minute'],
    ['2 weeks', 2, 'week'],
    ['1 month', 1, 'month'],
    ['90 seconds', 90, 'second'],
    ['1 year', 1, 'year'],
    ['0 days', 0, 'day'],
    [' 10  days ', 10, 'day'],
    ['10days', 10, 'day'],
  ] as const)('reads %j', (text, count, unit) => {
    expect(parseDuration(text, 'allowedLateness')).toEqual({ count, unit })
  })

  test.each<[unknown, string]>([
    [7, "expected a unit too, as '7 days', found 7"],
    ['7', `expected a unit too, as '7 days', found "7"`],
    ['-7 days', 'expected a duration of zero or more, found "-7 days"'],
    [
      '7 fortnights',
      'expected one of the units seconds, minutes, hours, days, weeks, months, years, found "7 fortnights"',
    ],
    ['7 Days', 'expected one of the units seconds, minutes, hours, days, weeks, months, years, found "7 Days"'],
    ['1.5 days', 'expected a whole number of days; a smaller unit may do, found "1.5 days"'],
    ['501 years', 'expected at most 500 years, found "501 years"'],
    ['99999999999999999999 seconds', 'expected at most 500 years, found "99999999999999999999 seconds"'],
    ['a week', `expected a number and a unit, as '7 days' or '36 hours', found "a week"`],
    ['1 day 2 hours', `expected a number and a unit, as '7 days' or '36 hours', found "1 day 2 hours"`],
    ['', `expected a number and a unit, as '7 days' or '36 hours', found ""`],
    [undefined, "expected a number and a unit, as '7 days' or '36 hours', found undefined"],
    [null, "expected a number and a unit, as '7 days' or '36 hours', found null"],
  ])('refuses %j and says why', (value, message) => {
    expect(durationProblem(value)).toBe(message)
    expect(() => parseDuration(value, 'allowedLateness')).toThrow(
      new ConfigurationError(`allowedLateness: ${message}.`),
    )
  })

  it('reads back what formatDuration() prints', () => {
    const anyDuration = fc.record({ count: fc.nat(500), unit: fc.constantFrom(...durationUnits) })
    fc.assert(
      fc.property(anyDuration, (duration) => {
        expect(parseDuration(formatDuration(duration), '')).toEqual(duration)
      }),
    )
  })
})

test('months and years have no exact length', () => {
  expect(exactMilliseconds({ count: 2, unit: 'week' })).toBe(14 * 86_400_000)
  expect(exactMilliseconds({ count: 1, unit: 'month' })).toBeNull()
  expect(exactMilliseconds({ count: 1, unit: 'year' })).toBeNull()
})

describe('formatElapsed()', () => {
  const hour = 3_600_000n
  test.each([
    [219n * hour, 'ms', '9 d 3 h'],
    [24n * hour, 'ms', '1 d'],
    [24n * 1_234_567n * hour + hour, 'ms', '1,234,567 d 1 h'],
    [24n * hour + 59_999n, 'ms', '1 d'],
    [15n * 60_000_000n, 'us', '15 min'],
    [2_005n, 'ms', '2 s 5 ms'],
    [1_500n, 'us', '1 ms 500 µs'],
    [1n, 'ns', '1 ns'],
    [0n, 'us', '0 µs'],
    [-25n * hour, 'ms', '-1 d 1 h'],
  ] as const)('prints %s %s as %j', (steps, unit, text) => {
    expect(formatElapsed(steps, unit)).toBe(text)
  })
})
