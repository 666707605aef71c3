import { expect, test } from 'vitest'
import { expectedText, tierNote } from '../../src/cli/print-tier.ts'
import type { Estimate } from '../../src/time/estimate.ts'

const estimate: Estimate = {
  ...{ window: 3, age: 2, known: 376, completeness: 0.75, ultimate: 501.6, standardError: 20 },
  ...{ low: 470, high: 1540, reason: null, past: { compared: 88, held: 82 } },
}

test.each([
  ['with how many intervals held', {}, '502 (470 to 1,540), held 93 % of 88'],
  [
    'unchecked, where there are too few to compare',
    { past: { compared: 4, held: 4 } },
    '502 (470 to 1,540), unchecked',
  ],
  ['unchecked, where there are none', { past: null }, '502 (470 to 1,540), unchecked'],
  ['alone, where nothing can change', { ultimate: 502, low: 502, high: 502, past: null }, '502 (502 to 502)'],
  ['with its reason, where there is none', { ultimate: null, reason: 'too little' }, 'unknown: too little'],
  ['with digits, where amounts are small', { ultimate: 5.016, low: 4.7, high: 6 }, '5.02 (4.7 to 6), held 93 % of 88'],
])('an estimate is printed %s', (_, change, text) => {
  expect(expectedText({ ...estimate, ...change })).toBe(text)
})

const status = {
  ...{ windows: { all: 3, provisional: 2, rows: 3, finalRows: 1 }, zone: 'UTC', recordsDays: false, dayMayGrow: false },
  ...{ knownThrough: '2021-03-10T06:00:00.000000Z', countedThrough: '2021-03-10T08:00:00.000000Z' },
  ...{ observedThrough: '2021-03-09', expects: 'events' as const },
}

test('a note says of which moment figures are, and from which growth is taken', () => {
  expect(tierNote('live', status)).toContain(
    'Known through 2021-03-10T06:00:00.000000Z (UTC); 2 of 3 windows are provisional. ' +
      'Figures and estimates count all that was recorded up to 2021-03-10T08:00:00.000000Z; ' +
      'how windows grow is taken from what was recorded through 2021-03-09. Expected: the final number of events and its 95 % interval; held: ',
  )
  expect(tierNote('live', { ...status, observedThrough: null, expects: null })).toMatch(/08:00:00\.000000Z\.$/)
  expect(tierNote('live', { ...status, countedThrough: null, knownThrough: null })).toMatch(/^Nothing is known yet; /)
  expect(tierNote('final', status)).toMatch(/2 of 3 windows are provisional and left out\.$/)
})

test('the newest day of a log of days is known through where it is over', () => {
  const days = { ...status, recordsDays: true, knownThrough: '2021-03-10T00:00:00.000000Z' }
  expect(tierNote('final', days)).toMatch(/^Known through 2021-03-10 \(UTC\); /)
  expect(tierNote('final', { ...days, dayMayGrow: true })).toMatch(
    /^Known up to 2021-03-10 \(UTC\), of which more may be recorded; /,
  )
})
