import { describe, expect, test } from 'vitest'
import type { ManifestColumn } from '../../src/model/manifest.ts'
import { type KeyValue, parseKey } from '../../src/read/key-text.ts'

const day: ManifestColumn = { name: 'day', type: 'date', nullable: false }
const hour: ManifestColumn = { name: 'hour', type: 'timestamp', nullable: false, unit: 'us' }
const moment: ManifestColumn = { name: 'moment', type: 'timestamp', nullable: false, unit: 'ms' }

function keyOf(column: ManifestColumn, text: string): KeyValue {
  return parseKey({ view: 'v', key: [column], window: { column: 'hour', zone: 'Europe/Berlin' } }, [text])[0]!
}

const microseconds = (text: string) => BigInt(Date.parse(text)) * 1000n

describe('parseKey()', () => {
  test('reads days and moments', () => {
    expect(keyOf(day, '2024-02-29')).toBe(BigInt(Date.UTC(2024, 1, 29) / 86_400_000))
    expect(keyOf(moment, '2021-04-30T10:00')).toBe(BigInt(Date.parse('2021-04-30T10:00Z')))
    expect(keyOf(moment, '2021-04-30 10:00:00.5+02:00')).toBe(BigInt(Date.parse('2021-04-30T08:00:00.500Z')))
    expect(keyOf(moment, '2021-04-30')).toBe(BigInt(Date.parse('2021-04-30T00:00Z')))
    expect(keyOf(moment, '1234567')).toBe(1_234_567n)
  })

  test.each(['2021-04-31', '2021-02-29', '2021-13-01', '2021-00-10', 'today'])('refuses the day %s', (text) => {
    expect(() => keyOf(day, text)).toThrow(`Key column day: expected a day such as 2021-05-22, found ${text}.`)
  })

  test.each(['2021-04-31', '2021-04-31T10:00Z', '2021-02-29 10:00', '2021-04-30T10:00:00.0001Z'])(
    'refuses the moment %s',
    (text) => {
      expect(() => keyOf(moment, text)).toThrow(
        `Key column moment: expected a moment such as 2021-05-22T06:00:00Z, found ${text}.`,
      )
    },
  )

  test.each(['2021-04-30T24:00', '2021-04-30T25:00Z', '2021-04-30T10:60Z'])('refuses the time of %s', (text) => {
    expect(() => keyOf(moment, text)).toThrow('Key column moment: expected ')
  })

  test("takes a moment without an offset in the zone of the view's windows", () => {
    expect(keyOf(hour, '2021-03-28T01:00')).toBe(microseconds('2021-03-28T00:00Z'))
    expect(keyOf(hour, '2021-03-28T03:00')).toBe(microseconds('2021-03-28T01:00Z'))
    expect(keyOf(hour, '2021-03-28')).toBe(microseconds('2021-03-27T23:00Z'))
    expect(keyOf(hour, '2021-03-28T02:30Z')).toBe(microseconds('2021-03-28T02:30Z'))
  })

  test('refuses a time that clocks never showed or showed twice, and gives both readings', () => {
    expect(() => keyOf(hour, '2021-03-28T02:30')).toThrow(
      'Key column hour: expected a time that Europe/Berlin had once, found 2021-03-28T02:30, which clocks there went past. ' +
        'It may mean 2021-03-28T01:30:00+01:00 or 2021-03-28T03:30:00+02:00: give one of them.',
    )
    expect(() => keyOf(hour, '2021-10-31T02:30')).toThrow('which clocks there showed twice')
  })
})
