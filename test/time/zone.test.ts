import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it, test } from 'vitest'
import { dayAfter, dayStarts, laterBy, midnightSteps, readingsOf, zoneProblem } from '../../src/time/zone.ts'

const epoch = Temporal.PlainDate.from('1970-01-01')

describe('zoneProblem()', () => {
  test.each(['UTC', 'Asia/Taipei', 'America/Argentina/Buenos_Aires', 'EST', '+05:30', '-03:30'])(
    'accepts %s',
    (zone) => {
      expect(zoneProblem(zone)).toBeNull()
    },
  )

  test.each([
    ['', 'found ""'],
    ['Taipei', 'found "Taipei"'],
    ['+25:00', 'found "+25:00"'],
    ['2021-05-22', 'found "2021-05-22"'],
    [8, 'found number'],
    [undefined, 'found nothing'],
  ])('refuses %j', (zone, found) => {
    expect(zoneProblem(zone)).toBe(`expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30', ${found}`)
  })
})

it('counts days, weeks, months and years as Temporal does', () => {
  const anyDay = fc.integer({ min: -719_162, max: 2_932_896 })
  const anyUnit = fc.constantFrom('day', 'week', 'month', 'year')
  fc.assert(
    fc.property(anyDay, anyUnit, fc.nat(500), (day, unit, count) => {
      const later = epoch.add({ days: day }).add({ [`${unit}s`]: count })
      expect(dayAfter(day, { count, unit })).toBe(epoch.until(later).days)
    }),
  )
})

it('moves on at an offset as in a zone that has it', () => {
  const anyMoment = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2500-01-01') })
  const anyUnit = fc.constantFrom('day', 'week', 'month', 'year')
  fc.assert(
    fc.property(anyMoment, anyUnit, fc.nat(100), (moment, unit, count) => {
      expect(laterBy(moment, { count, unit }, '+05:30')).toBe(laterBy(moment, { count, unit }, 'Asia/Kolkata'))
    }),
  )
})

it('begins days at an offset as in a zone that has it', () => {
  for (const day of [7305, 18_000, 40_000]) expect(dayStarts('+05:30')(day)).toBe(dayStarts('Asia/Kolkata')(day))
})

test('a midnight that 64 bits or the calendar do not hold is none', () => {
  expect(midnightSteps('Asia/Taipei', 'ns')(0)).toBe(-28_800_000_000_000n)
  expect(midnightSteps('Asia/Taipei', 'ns')(106_753)).toBeNull()
  expect(midnightSteps('Asia/Taipei', 'ms')(2 ** 31 - 1)).toBeNull()
  expect(midnightSteps('UTC', 'ms')(2 ** 31 - 1)).toBe(BigInt(2 ** 31 - 1) * 86_400_000n)
})

test('a local time is read once, twice or never', () => {
  expect(readingsOf('2021-11-07T00:30', 'America/New_York').count).toBe('one')
  expect(readingsOf('2021-11-07T01:30', 'America/New_York').count).toBe('two')
  expect(readingsOf('2021-03-14T02:30', 'America/New_York').count).toBe('none')
  expect(readingsOf('2011-12-30T12:00', 'Pacific/Apia').count).toBe('none')
})
