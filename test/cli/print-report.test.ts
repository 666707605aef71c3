import { expect, test } from 'vitest'
import { describeReport } from '../../src/cli/print-report.ts'
import type { RebuildReport } from '../../src/model/report.ts'

const report: RebuildReport = {
  job: 'bank',
  views: [
    {
      view: 'balances',
      generation: 'g1',
      outcome: 'published',
      rows: 1_000_000,
      keys: 1_000_001,
      counters: { read: 10_000_000, applied: 9_999_990, filtered: 1, duplicate: 2, late: 3, quarantined: 4 },
      digest: 'd',
      fingerprint: 'f',
      path: 'views/balances/g1',
      bytes: 12_500_000,
      exceptions: 9,
      corrections: 0,
      order: null,
    },
  ],
  stages: [
    { stage: 'map', seconds: 0.8 },
    { stage: 'reduce', seconds: 0.4 },
  ],
  events: 10_000_000,
  seconds: 1.25,
  bytesRead: 240e6,
  workers: 2,
  notes: [],
}

test('describeReport() has a line for each view and one for the whole', () => {
  expect(describeReport(report)).toBe(
    `view      outcome    generation       rows       keys   size        read    applied  filtered  duplicate  late  quarantined
balances  published  g1          1,000,000  1,000,001  13 MB  10,000,000  9,999,990         1          2     3            4

10,000,000 events in 1.25 s (8.0 M events/s, 192 MB/s) on 2 workers: map 0.80 s, reduce 0.40 s
`,
  )
})

test('describeReport() says when there were no threads, and stands no events at all', () => {
  const { views: _, ...rest } = report
  expect(describeReport({ ...rest, views: [], events: 0, seconds: 0, workers: 0, stages: [] })).toContain(
    '\n0 events in 0 ms on the main thread\n',
  )
})

test('describeReport() says what may surprise', () => {
  const notes = ['Log ledger had recorded no event by 2020-01-01T00:00:00.000000Z, so its views have no rows.']
  expect(describeReport({ ...report, notes })).toContain(`\n${notes[0]}\n10,000,000 events in`)
})
