import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadJob, openView, type Row, rebuild } from '../../src/index.ts'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

/** A row's figure, how complete it is and what is expected of it are of one moment, though growth is taken from whole periods. */
const folder = mkdtempSync(join(tmpdir(), 'refold-estimate-moments-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hour = 3_600_000_000
const day = (number: number) => Date.UTC(2021, 2, number) * 1000
const columns = { id: string(), type: string(), at: timestamp(), known: timestamp(), cases: int64() }

let ids = 0
const report = (at: number, known: number, cases: number) => ({ id: `r${++ids}`, type: 'Reported', at, known, cases })

const job = `import { defineJob, defineLog, defineView, int64 } from 'refold'
const logOf = (name) => defineLog({
  name, files: ${JSON.stringify(folder)} + '/' + name + '/**/*.parquet',
  columns: { id: 'id', key: 'id', type: 'type', occurredAt: 'at', recordedAt: 'known' },
  fields: { cases: int64() },
})
const [places, hours, withdrawn] = [logOf('places'), logOf('hours'), logOf('withdrawn')]
const on = { Reported: (state, e) => { state.cases += e.cases } }
const state = { cases: int64() }
const window = { allowedLateness: '3 days', measure: (e) => e.cases } as const
const daily = defineView({ name: 'daily', log: places, window: { ...window, every: 'day', late: 'apply' }, state, on })
const strict = defineView({ name: 'strict', log: places, window: { ...window, every: 'day', allowedLateness: '2 days' }, state, on })
const counted = defineView({
  name: 'counted', log: places, window: { every: 'day', allowedLateness: '3 days', late: 'apply' }, state: { cases: int64() },
  on: { Reported: (state) => { state.cases++ } },
})
const hourly = defineView({ name: 'hourly', log: hours, window: { ...window, every: 'hour', late: 'apply' }, state, on })
const falling = defineView({ name: 'falling', log: withdrawn, window: { ...window, every: 'day', late: 'apply' }, state, on })
export default defineJob({ views: [daily, strict, counted, hourly, falling] })
`

beforeAll(async () => {
  const days = Array.from({ length: 12 }, (_, i) => i + 1)
  // Each day has 60 the same day, 30 the next and 10 two days later, half of each from either place. South has reported until
  // the evening of the 12th, north until noon of the 11th: the watermark is a day before south's last.
  for (const [place, until] of [
    ['north', day(11) + 12 * hour],
    ['south', day(12) + 20 * hour],
  ] as const) {
    const rows = days.flatMap((of) =>
      [30, 15, 5].map((cases, delay) => report(day(of) + 9 * hour, day(of + delay) + 10 * hour, cases)),
    )
    const known = rows.filter((row) => row.known <= until)
    writeRows(join(folder, `places/place=${place}/a.parquet`), columns, [...known, report(day(1), until, 0)])
  }
  const hours = Array.from({ length: 30 }, (_, of) =>
    [6, 3, 1].map((cases, delay) => report(day(1) + of * hour, day(1) + (of + delay) * hour + hour / 3, cases)),
  ).flat()
  const last = day(1) + 29 * hour + hour / 2
  writeRows(join(folder, 'hours/a.parquet'), columns, [
    ...hours.filter((row) => row.known <= last),
    report(day(1), last, 0),
  ])
  const withdrawn = days.flatMap((of) =>
    [100, -10, -4].map((cases, delay) => report(day(of) + 9 * hour, day(of + delay) + 10 * hour, cases)),
  )
  writeRows(
    join(folder, 'withdrawn/a.parquet'),
    columns,
    withdrawn.filter((row) => row.known <= day(12) + 12 * hour),
  )
  writeFileSync(join(folder, 'reports.ts'), job)
  const loaded = await loadJob(join(folder, 'reports.ts'))
  await rebuild(loaded, { out: join(folder, 'views'), workers: 0 })
  loaded.dispose()
})

async function live(name: string) {
  const view = await openView(join(folder, 'views'), name)
  const rows: Row[] = []
  for await (const row of view.rows({ tier: 'live' })) rows.push(row)
  return { rows, triangle: await view.triangle() }
}

interface Estimated {
  readonly cases: number
  readonly completeness: number
  readonly estimate: number
  readonly estimateLow: number
  readonly estimateHigh: number
}

const estimated = (rows: readonly Row[]) => rows.filter(({ estimate }) => estimate !== null) as unknown as Estimated[]

describe('figure, completeness and estimate are of one moment', () => {
  test.each([
    ['where a partition is ahead of the watermark', 'daily'],
    ['where late events are refused', 'strict'],
    ['where events are counted', 'counted'],
    ['in windows of an hour', 'hourly'],
    ['where amounts are withdrawn', 'falling'],
  ])('%s', async (_, name) => {
    const { rows, triangle } = await live(name)
    // Something was recorded since the last whole period, and the figures count it.
    expect(triangle.leftOut).not.toBe(0)
    expect(estimated(rows).length).toBeGreaterThan(name === 'strict' ? 0 : 1)
    for (const { cases, completeness, estimate, estimateLow, estimateHigh } of estimated(rows)) {
      expect(completeness).toBeCloseTo(cases / estimate, 9)
      if (name !== 'falling') expect(Math.min(estimate, estimateLow)).toBeGreaterThanOrEqual(cases)
      expect(estimateHigh).toBeGreaterThanOrEqual(estimateLow)
    }
  })

  test('and the triangle is of the last whole period in all its columns', async () => {
    const { rows, triangle } = await live('daily')
    expect(triangle.observedThrough).toBe('2021-03-10')
    const [ninth] = triangle.windows.filter(({ window }) => window === '2021-03-09')
    expect(ninth).toMatchObject({ known: 90, age: 1 })
    expect(ninth!.completeness).toBeCloseTo(90 / ninth!.estimate!, 9)
    // Both places reported the rest on the 11th.
    expect(rows.find(({ window }) => window === '2021-03-09')).toMatchObject({ cases: 100 })
  })
})

test('show says whether events are expected or what the view measures', () => {
  const note = (name: string) => refold(['show', name, '--tier', 'live', '--out', join(folder, 'views')]).stderr
  expect(note('daily')).toContain('Expected: the final amount that the view measures and its 95 % interval; ')
  expect(note('counted')).toContain('Expected: the final number of events and its 95 % interval; ')
  // Of the moment up to which figures count, and of the one from which growth is taken.
  expect(note('daily')).toContain(
    'Known through 2021-03-11T20:00:00.000000Z (UTC); 5 of 12 windows are provisional. ' +
      'Figures and estimates count all that was recorded up to 2021-03-12T20:00:00.000000Z; ' +
      'how windows grow is taken from what was recorded through 2021-03-10.',
  )
})
