import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describePlan } from '../../src/cli/print-plan.ts'
import {
  defineJob,
  defineLog,
  defineView,
  formatDay,
  int32,
  int64,
  planRebuild,
  type RebuildOptions,
  string,
  surveyJob,
  surveyLateness,
  timestamp,
  traceKey,
} from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Encoding, type Row, readPublished, scratch, writeRows } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
beforeEach(() => {
  folder = scratch('clock')
})
afterEach(() => folder.remove())

const columns = { id: string(), key: string(), happened: timestamp('us'), recorded: timestamp('us') }
const us = (text: string) => BigInt(Date.parse(text)) * 1000n
const event = (id: string, happened: string, recorded = happened): Row => ({
  id,
  key: 'a',
  happened: us(happened),
  recorded: us(recorded),
})
const days = (month: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) =>
    event(`${month}-${from + i}`, `${month}-${String(from + i).padStart(2, '0')}T12:00Z`),
  )

type Partitions = Readonly<Record<string, readonly Row[]>>

let builds = 0

async function build(
  partitions: Partitions,
  options: Partial<RebuildOptions> = {},
  given: Encoding & { maxClockSkew?: string } = {},
) {
  const { maxClockSkew, ...encoding } = given
  const home = join(folder.path, String(builds++))
  for (const [name, rows] of Object.entries(partitions)) {
    writeRows(join(home, 'log', name, '0.parquet'), columns, rows, { rowGroupRows: 2, ...encoding })
  }
  const log = defineLog({
    name: 'log',
    files: join(home, 'log/**/*.parquet'),
    columns: { id: 'id', key: 'key', occurredAt: 'happened', recordedAt: 'recorded' },
    ...(maxClockSkew === undefined ? {} : { maxClockSkew }),
  })
  const view = defineView({
    name: 'days',
    log,
    window: { every: 'day', allowedLateness: '2 days', late: 'apply' },
    state: { events: int32() },
    on: { '*': (day) => void day.events++ },
  })
  const balances = defineView({ name: 'all', log, state: { n: int64() }, on: { '*': (s) => void s.n++ } })
  const job = loadedFromDefinition(defineJob({ views: [view, balances] }))
  const report = await rebuild(job, { out: join(home, 'views'), workers: 0, ...options })
  const published = readPublished(report.views.find((one) => one.view === 'days')!.path)
  return {
    job,
    report,
    ...published,
    watermark: published.manifest.window!.watermark,
    notes: report.notes.filter((note) => note.includes('clock')),
  }
}

describe('one event that was recorded ten years ahead', () => {
  const good = days('2026-11', 1, 9)
  const wrong = event('wrong', '2026-11-05T12:00Z', '2036-11-05T12:00Z')

  test('is applied, named, and makes no window final; later events change no final figure', async () => {
    const before = await build({ 'p=1': [...good, wrong] })
    expect(before.watermark).toBe('2026-11-09T12:00:00.000000Z')
    expect(before.notes).toHaveLength(1)
    expect(before.notes[0]).toMatch(
      /^Log log: 1 event was recorded more than 365 d after all before, as by a clock that is ahead: .*p=1\/0\.parquet, row group 4, row 1, event wrong, at 2036-11-05T12:00:00\.000000Z\. It counts in views, but not for the watermark: what is known ends at 2026-11-09T12:00:00/,
    )
    const { counters } = before.report.views.find(({ view }) => view === 'all')!
    expect([counters.read, counters.applied]).toEqual([10, 10])
    const after = await build({ 'p=1': [...good, wrong, event('more', '2026-11-09T13:00Z', '2026-11-10T12:00Z')] })
    const finals = before.rows.filter(({ status }) => status === 'final')
    expect(finals.length).toBeGreaterThan(3)
    for (const { window, events } of finals) {
      expect(after.rows.find((row) => row['window'] === window)).toMatchObject({ events, status: 'final' })
    }
  })

  test('is named by plan and inspect, and does not shorten how long windows stay provisional', async () => {
    const { job } = await build({ 'p=1': [...good, wrong, { ...wrong, id: 'second' }] })
    const [survey] = await surveyJob(job)
    expect(survey!.events.ahead).toContain('2 events were recorded more than 365 d after all before')
    expect(survey!.events.ahead).toContain('row group 4, row 1, event wrong, at 2036')
    const without = await build({ 'p=1': good })
    const provisional = async (of: typeof job) =>
      (await surveyLateness(of))[0]!.surveys[0]!.thresholds.map((one) => one.provisional)
    expect(await provisional(job)).toEqual(await provisional(without.job))
    const own = await build({ 'p=1': good, 'p=2': [wrong] })
    const plan = await planRebuild(own.job, { out: '', workers: 0 })
    expect(describePlan(plan)).toMatch(
      /clock +1 event [\d,]+ d .*after all before, .* the first in .*p=2\/0\.parquet, row group 0/,
    )
  })

  test('is final for no trace either', async () => {
    const { job, rows } = await build({ 'p=1': [...good, wrong] })
    for (const { window, status } of rows) {
      const traced = await traceKey(job, { view: 'days', key: [formatDay(window as number)] })
      expect(traced.rows.map((row) => row['status'])).toEqual([status])
    }
  })

  test.each<[string, Partitions, Encoding]>([
    ['in a row group of its own', { 'p=1': good, 'p=2': [wrong] }, {}],
    [
      'among others, in one row group',
      { 'p=1': [...good.slice(0, 3), wrong, ...good.slice(3)] },
      { rowGroupRows: 100 },
    ],
    [
      'in a partition of many',
      { 'p=1': good, 'p=2': [...days('2026-11', 1, 9).map((row) => ({ ...row, id: `b${row['id']}` })), wrong] },
      {},
    ],
  ])('does so %s', async (_, partitions, encoding) => {
    const { watermark, notes } = await build(partitions, {}, encoding)
    expect(watermark).toBe('2026-11-09T12:00:00.000000Z')
    expect(notes[0]).toContain('event wrong')
  })

  test('is ahead for what is known at any moment, and in vintages', async () => {
    const partitions = { 'p=1': [...good, wrong] }
    const { report } = await build(partitions, { vintages: 'day' })
    const vintages = readPublished(report.views.find(({ view }) => view === 'days-vintages')!.path).rows
    const last = vintages.filter(({ knownAt }) => knownAt === Date.parse('2036-11-05') / 86_400_000)
    const whole = await build(partitions, { knownAt: '2036-11-05' })
    expect(last.map(({ window, status }) => [window, status])).toEqual(
      whole.rows.map(({ window, status }) => [window, status]),
    )
    expect(whole.watermark).toBe('2026-11-09T12:00:00.000000Z')
    const early = await build(partitions, { knownAt: '2026-11-20' })
    expect([early.notes, early.watermark]).toEqual([[], '2026-11-09T12:00:00.000000Z'])
  })

  test('is one of several, each of its own clock', async () => {
    const more = event('other', '2026-11-06T12:00Z', '2029-01-01T00:00Z')
    const { watermark, notes } = await build({ 'p=1': [...good, wrong, more] })
    expect(watermark).toBe('2026-11-09T12:00:00.000000Z')
    expect(notes[0]).toContain('2 events were recorded')
    expect(notes[0]).toMatch(/event wrong, .*event other, /)
  })
})

describe('no clock is ahead', () => {
  test.each<[string, readonly Row[], string]>([
    ['over Christmas', [...days('2025-12', 1, 20), ...days('2026-01', 7, 9)], '2026-01-09T12:00:00.000000Z'],
    [
      'where a few events come in a year',
      ['2022-03', '2022-11', '2023-06', '2024-05', '2025-01'].flatMap((month) => days(month, 1, 1)),
      '2025-01-01T12:00:00.000000Z',
    ],
    [
      'where one is far behind',
      [event('old', '1970-01-01T00:00Z'), event('older', '0001-01-01T00:00Z'), ...days('2026-11', 1, 9)],
      '2026-11-09T12:00:00.000000Z',
    ],
    [
      'where events are to happen in the future',
      [...days('2026-11', 1, 8), event('planned', '2036-01-01T00:00Z', '2026-11-09T12:00Z')],
      '2026-11-09T12:00:00.000000Z',
    ],
  ])('%s', async (_, rows, expected) => {
    const { watermark, notes } = await build({ 'p=1': rows })
    expect([watermark, notes]).toEqual([expected, []])
  })

  test('where the log is declared to be silent for so long', async () => {
    const rows = [...days('2020-11', 1, 5), ...days('2026-11', 1, 2)]
    expect((await build({ 'p=1': rows })).watermark).toBe('2020-11-05T12:00:00.000000Z')
    const { watermark, notes } = await build({ 'p=1': rows }, {}, { maxClockSkew: '3000 days' })
    expect([watermark, notes]).toEqual(['2026-11-02T12:00:00.000000Z', []])
    const short = await build(
      { 'p=1': [...days('2026-11', 1, 5), event('x', '2026-11-05T13:00Z', '2026-11-20T00:00Z')] },
      {},
      { maxClockSkew: '1 week' },
    )
    expect(short.watermark).toBe('2026-11-05T12:00:00.000000Z')
  })
})

test('maxClockSkew has an exact length', async () => {
  await expect(build({ 'p=1': days('2026-11', 1, 1) }, {}, { maxClockSkew: '1 year' })).rejects.toThrow(
    'maxClockSkew: expected weeks or a smaller unit',
  )
})
