import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatCounted, formatSeconds, formatShort } from '../../src/cli/numbers.ts'
import { parseBytes, parseCount } from '../../src/cli/options.ts'

test('counts have separators', () => {
  expect([0, 999, 1000, -1234567, 2n ** 63n].map(formatCount)).toEqual([
    '0',
    '999',
    '1,000',
    '-1,234,567',
    '9,223,372,036,854,775,808',
  ])
  expect([formatCounted(1, 'view'), formatCounted(0, 'view'), formatCounted(1500, 'key')]).toEqual([
    '1 view',
    '0 views',
    '1,500 keys',
  ])
})

test('bytes go up in thousands', () => {
  expect([0, 999, 1000, 1549, 9949, 9950, 999_499, 999_500, 2.5e9].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '2.5 GB',
  ])
})

test('durations are never shown as 60 of a unit', () => {
  expect([0, 0.0042, 0.0999, 0.83, 9.994, 12.44, 59.94, 59.96, 185, 3599.6, 7620, 172_800].map(formatSeconds)).toEqual([
    '0 ms',
    '4 ms',
    '0.10 s',
    '0.83 s',
    '9.99 s',
    '12.4 s',
    '59.9 s',
    '1 min 00 s',
    '3 min 05 s',
    '1 h 00 min',
    '2 h 07 min',
    '2 d 00 h',
  ])
})

test('rates are short', () => {
  expect([12, 999.6, 420_000, 8_300_000].map(formatShort)).toEqual(['12', '1.0 k', '420 k', '8.3 M'])
})

test('parseBytes() takes units of 1000 and of 1024', () => {
  expect(['1', '2kB', '512MB', '2GiB', '1.5k', '3 MiB'].map((text) => parseBytes('memory', text))).toEqual([
    1,
    2000,
    512e6,
    2 ** 31,
    1500,
    3 * 2 ** 20,
  ])
  for (const text of ['', '0', '-1', 'MB', '1 apple', '1e9', '99999999TB']) {
    expect(() => parseBytes('memory', text)).toThrow(`--memory: expected a size such as 512MB or 2GiB, found ${text}.`)
  }
})

test('parseCount() takes whole numbers between its bounds', () => {
  expect(parseCount('workers', '7', 0, 8)).toBe(7)
  for (const text of ['9', '-1', '1.0', '0x1', '', ' 1']) {
    expect(() => parseCount('workers', text, 0, 8)).toThrow(
      `--workers: expected a whole number from 0 to 8, found ${text}.`,
    )
  }
})
