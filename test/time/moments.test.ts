import { describe, expect, it, test } from 'vitest'
import { ConfigurationError } from '../../src/model/errors.ts'
import { parseMoment } from '../../src/time/moments.ts'

const inZone = (zone: string) => (text: string) => parseMoment(text, { unit: 'ms', zone, option: '--known-at' })
const at = (text: string) => BigInt(Date.parse(text))

describe('a day', () => {
  test.each([
    ['UTC', '2021-05-25', '2021-05-26T00:00Z'],
    ['Asia/Taipei', '2021-05-25', '2021-05-26T00:00+08:00'],
    ['America/New_York', '2021-03-14', '2021-03-15T00:00-04:00'],
    ['America/Sao_Paulo', '2018-11-03', '2018-11-04T01:00-02:00'],
    ['Pacific/Apia', '2011-12-29', '2011-12-31T00:00+14:00'],
    ['UTC', '1969-12-31', '1970-01-01T00:00Z'],
    ['UTC', '9999-12-31', '+010000-01-01T00:00Z'],
    ['Asia/Taipei', '0001-01-01', '0001-01-01T15:54Z'],
  ])('in %s, %s ends at the last instant before %s', (zone, day, next) => {
    expect(inZone(zone)(day)).toBe(at(next) - 1n)
  })

  it('ends with the last instant of the unit', () => {
    const context = { zone: 'Asia/Taipei', option: '--as-of' }
    const end = at('2021-05-25T16:00Z')
    expect(parseMoment('2021-05-25', { ...context, unit: 'us' })).toBe(end * 1000n - 1n)
    expect(parseMoment('2021-05-25', { ...context, unit: 'ns' })).toBe(end * 1_000_000n - 1n)
  })

  it('that the zone left out is refused', () => {
    expect(() => inZone('Pacific/Apia')('2011-12-30')).toThrow(
      new ConfigurationError(
        '--known-at: expected a day that Pacific/Apia had, found 2011-12-30, which its calendar left out. ' +
          'Give the day before or after; one ends and the other begins at 2011-12-31T00:00:00+14:00.',
      ),
    )
  })
})

describe('a moment', () => {
  test.each([
    ['2021-05-25T14:00:00Z', '2021-05-25T14:00Z'],
    ['2021-05-25T14:00:00+02:00', '2021-05-25T12:00Z'],
    ['2021-05-25 14:00-03:30', '2021-05-25T17:30Z'],
    ['2021-05-25T14:00z', '2021-05-25T14:00Z'],
    ['1948-05-14T16:00:00Z', '1948-05-14T16:00Z'],
  ])('%s with an offset is the same in any zone', (text, same) => {
    expect(inZone('Asia/Taipei')(text)).toBe(at(same))
  })

  it("without an offset is the zone's local time", () => {
    expect(inZone('Asia/Taipei')('2021-05-25T14:00:00')).toBe(at('2021-05-25T06:00Z'))
    expect(inZone('Asia/Kolkata')('2021-05-25 14:00')).toBe(at('2021-05-25T08:30Z'))
    expect(inZone('UTC')('2021-05-25T14:00')).toBe(at('2021-05-25T14:00Z'))
  })

  it('keeps the digits of the unit and drops finer ones', () => {
    const read = (unit: 'ms' | 'us' | 'ns') =>
      parseMoment('1969-12-31T23:59:59.123456789Z', { unit, zone: 'UTC', option: '--known-at' })
    expect([read('ms'), read('us'), read('ns')]).toEqual([-877n, -876_544n, -876_543_211n])
  })

  it('that clocks went past is refused, with both readings', () => {
    expect(() => inZone('America/New_York')('2021-03-14T02:30')).toThrow(
      new ConfigurationError(
        '--known-at: expected a time that America/New_York had once, found 2021-03-14T02:30, which clocks there went past. ' +
          'It may mean 2021-03-14T01:30:00-05:00 or 2021-03-14T03:30:00-04:00: give one of them.',
      ),
    )
  })

  it('that clocks showed twice is refused, with both readings', () => {
    expect(() => inZone('America/New_York')('2021-11-07T01:30')).toThrow(
      new ConfigurationError(
        '--known-at: expected a time that America/New_York had once, found 2021-11-07T01:30, which clocks there showed twice. ' +
          'It may mean 2021-11-07T01:30:00-04:00 or 2021-11-07T01:30:00-05:00: give one of them.',
      ),
    )
    expect(inZone('America/New_York')('2021-11-07T01:30-05:00')).toBe(at('2021-11-07T06:30Z'))
  })
})

test.each([
  'yesterday',
  '',
  '2021-02-30',
  '2021-13-01',
  '2021-02-30T00:00',
  '2021-05-25T25:00Z',
  '2021-05-25T14:60Z',
  '2021-05-25T14:00:60Z',
  '2021-05-25T14:00:00+25:00',
  '2021-05-25T14',
  '21-05-25',
  '1621900800',
])('%j is refused', (text) => {
  const message = `--known-at: expected a day as 2021-05-22 or a moment as 2021-05-22T14:00:00Z, found ${JSON.stringify(text)}.`
  expect(() => inZone('Asia/Taipei')(text)).toThrow(new ConfigurationError(message))
})
