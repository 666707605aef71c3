import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { type Ran, refold, refoldBytes } from '../support/refold.ts'

const { path: folder, remove } = scratch('windows')
afterAll(remove)

const columns = { id: string(), type: string(), place: string(), at: timestamp(), known: timestamp(), cases: int64() }

const hour = 3_600_000_000
/** The beginning of a day of March 2021 in Taipei. */
const day = (number: number) => Date.UTC(2021, 2, number, -8) * 1000

let ids = 0
/** Cases of a day, reported so many days later, at two in the afternoon. */
const report = (of: number, delay: number, cases: number, place = 'north') => ({
  ...{ id: `r${String(++ids).padStart(3, '0')}`, type: 'Reported', place, cases },
  ...{ at: day(of) + 9 * hour, known: day(of + delay) + 14 * hour },
})

const job = `import { defineJob, defineLog, defineView, int64, string } from 'refold'
const reports = defineLog({
  name: 'reports',
  files: ${JSON.stringify(join(folder, 'log/*.parquet'))},
  columns: { id: 'id', key: 'place', type: 'type', occurredAt: 'at', recordedAt: 'known' },
  fields: { cases: int64() },
  zone: 'Asia/Taipei',
})
const handlers = { Reported: (state, e) => { state.cases += e.cases } }
const window = { name: 'day', every: 'day', allowedLateness: '3 days', measure: (e) => e.cases } as const
const daily = defineView({ name: 'daily', log: reports, window: { ...window, late: 'apply' }, state: { cases: int64() }, on: handlers })
const strict = defineView({ name: 'strict', log: reports, window, state: { cases: int64() }, on: handlers })
const places = defineView({
  name: 'places', log: reports, window, key: { place: string() }, keyBy: (e) => ({ place: e.key }), state: { cases: int64() }, on: handlers,
})
const hourly = defineView({
  name: 'hourly', log: reports, window: { every: 'hour', allowedLateness: '1 day', late: 'apply' }, state: { reports: int64() },
  on: { Reported: (state) => { state.reports++ } },
})
const total = defineView({ name: 'total', log: reports, state: { cases: int64() }, on: handlers })
export default defineJob({ views: [daily, strict, places, hourly, total] })
`

beforeAll(() => {
  mkdirSync(join(folder, 'log'))
  writeFileSync(join(folder, 'reports.ts'), job)
  // Every day has 100 cases: 60 known the same day, 30 the next, 10 on the third; days 9 and 10 are not complete yet.
  const days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  const rows = days.flatMap((one) => [report(one, 0, 60), report(one, 1, 30), report(one, 2, 10)])
  const known = rows.filter(({ known }) => known < day(11))
  const late = { ...report(2, 6, 5, 'south'), known: day(8) + 14 * hour }
  const early = { ...report(7, 0, 0), known: day(7) + 8 * hour }
  writeRows(join(folder, 'log/a.parquet'), columns, [...known.slice(0, 12)])
  writeRows(join(folder, 'log/b.parquet'), columns, [...known.slice(12), late, early])
  expect(run('rebuild', 'reports.ts', '--max-exceptions', '2')).toMatchObject({ exitCode: 0 })
})

function run(...parameters: readonly string[]): Ran {
  return refold(parameters, { cwd: folder })
}

function objects({ exitCode, stdout }: Ran): Record<string, unknown>[] {
  expect(exitCode).toBe(0)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const estimateNote =
  'Expected: the final amount that the view measures and its 95 % interval; held: how many such intervals, given in the past at the same age, hold what is known now; unchecked: fewer than 5 can be compared.\n'

describe('refold show --tier', () => {
  test('live says how complete provisional windows are and what they are expected to come to', () => {
    const ran = run('show', 'daily', '--tier', 'live', '--json')
    const rows = objects(ran)
    expect(rows).toHaveLength(10)
    expect(rows[1]).toMatchObject({
      day: '2021-03-02',
      cases: 105,
      status: 'final',
      completeness: null,
      estimate: null,
    })
    // The last report is of 14:00 on the 10th, so that all through the 9th is known.
    expect(rows.slice(-5).map(({ day, status }) => [day, status])).toEqual([
      ['2021-03-06', 'final'],
      ['2021-03-07', 'provisional'],
      ['2021-03-08', 'provisional'],
      ['2021-03-09', 'provisional'],
      ['2021-03-10', 'provisional'],
    ])
    const [, , eighth, ninth, tenth] = rows.slice(-5)
    // Of the 9th, 60 were known at its end and 30 more since; figure, completeness and estimate are all of now.
    expect(ninth!['cases']).toBe(90)
    expect(ninth!['completeness']).toBeCloseTo(90 / (ninth!['estimate'] as number), 12)
    expect(ninth!['estimate']).toBeGreaterThan(99)
    expect(ninth!['estimateLow']).toBeGreaterThanOrEqual(90)
    expect(ninth!['pastEstimates']).toBe(6)
    expect(ninth!['pastHeld']).toBe(6)
    expect(ninth!['estimateHigh']).toBeGreaterThan(ninth!['estimate'] as number)
    expect(eighth!['completeness']).toBeGreaterThan(0.87)
    // Its period has not been observed to the end.
    expect(tenth).toMatchObject({ completeness: null, estimate: null })
    expect(ran.stderr).toBe(
      'Known through 2021-03-10T14:00:00+08:00 (Asia/Taipei); 4 of 10 windows are provisional. ' +
        'Figures and estimates count all that was recorded up to 2021-03-10T14:00:00+08:00; ' +
        'how windows grow is taken from what was recorded through 2021-03-09. ' +
        estimateNote,
    )
  })

  test('live prints it for people', () => {
    const lines = run('show', 'daily', '--tier', 'live').stdout.split('\n')
    expect(lines[0]).toMatch(/^day +cases +status +knownThrough +lateEvents +complete +expected$/)
    expect(lines[1]).toMatch(/^2021-03-01 +100 +final +\S+ +0$/)
    expect(lines[9]).toMatch(/^2021-03-09 +90 +provisional +\S+ +0 +\d\d % +1\d\d \(\d+ to \d+\), held 100 % of 6$/)
    expect(lines[10]).toMatch(/unknown: its period has not been observed to the end$/)
  })

  test('final leaves out what may still change', () => {
    const ran = run('show', 'daily', '--tier', 'final', '--json', '--limit', '3')
    expect(objects(ran).map(({ day }) => day)).toEqual(['2021-03-01', '2021-03-02', '2021-03-03'])
    expect(objects(run('show', 'daily', '--tier', 'final', '--json'))).toHaveLength(6)
    expect(ran.stderr).toMatch(/4 of 10 windows are provisional and left out\.\n$/)
    expect(run('show', 'daily', '--tier', 'final', '--limit', '2').stderr).toMatch(
      /^4 more rows; --limit 6 shows all\.\n/,
    )
  })

  test('knows of the parts of a window how complete it is, and no more', () => {
    const rows = objects(run('get', 'places', '2021-03-09', '--tier', 'live', '--json'))
    expect(rows).toHaveLength(1)
    expect(Object.keys(rows[0]!)).not.toContain('estimate')
    expect(rows[0]!['completeness']).toBeGreaterThan(0.5)
  })

  test('works at any moment', () => {
    const known = ['--known-at', '2021-03-05']
    const rows = objects(run('show', 'daily', '--tier', 'live', '--json', ...known))
    expect(rows.map(({ status }) => status)).toEqual([
      'final',
      'provisional',
      'provisional',
      'provisional',
      'provisional',
    ])
    expect(run('get', 'daily', '2021-03-05', '--tier', 'final', ...known)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'View daily, known at 2021-03-05, has no final row of 2021-03-05.\n',
    })
  })

  test.each([
    [['show', 'total', '--tier', 'live'], '--tier live: expected a view with windows, found total, which has none.'],
    [['get', 'daily', '2021-03-01', '--tier', 'dead'], '--tier: expected live or final, found dead.'],
    [['triangle', 'total'], 'refold triangle: expected a view with windows, found total'],
  ])('%j is wrong usage', (parameters, message) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('refold triangle', () => {
  test('prints what was reported of each window with each delay', () => {
    const { stdout, stderr, exitCode } = run('triangle', 'daily', '--limit', '3', '--delays', '3')
    expect(exitCode).toBe(0)
    const [header, ...lines] = stdout.split('\n')
    expect(header).toMatch(/^window +to \+0 +to \+1 +to \+2 +known +complete +expected$/)
    expect(lines[0]).toMatch(/^2021-03-07 +60 +90 +100 +100 +/)
    expect(lines[1]).toMatch(/^2021-03-08 +60 +90 +90 +/)
    expect(lines[2]).toMatch(/^2021-03-09 +60 +60 +/)
    expect(stderr).toBe(
      'Observed through 2021-03-09; windows are every day in Asia/Taipei.\n' +
        "An amount of 100, recorded in a period that isn't observed to its end, is left out.\n" +
        estimateNote +
        '--limit 9 shows all 9 windows, --delays 7 all 7 delays.\n',
    )
  })

  test('counts events, and what each delay added', () => {
    const found = JSON.parse(run('triangle', 'daily', '--events', '--incremental', '--json').stdout)
    expect(found).toMatchObject({
      ...{ view: 'daily', counted: 'events', incremental: true, every: 'day', zone: 'Asia/Taipei' },
      ...{ observedThrough: '2021-03-09', leftOut: 3 },
    })
    expect(found.windows[1]).toMatchObject({ window: '2021-03-02', age: 7, known: 4, amounts: [1, 1, 1, 0, 0, 0, 1] })
    expect(found.ages.map(({ reported }: { reported: number }) => reported)).toEqual([10, 8, 7, 0, 0, 0, 1])
  })

  test('exports the whole of it', () => {
    const [header, first] = run('triangle', 'daily', '--format', 'csv').stdout.split('\r\n')
    expect(header).toBe(
      'window,age,known,completeness,estimate,estimateLow,estimateHigh,pastEstimates,pastHeld,delay0,delay1,delay2,delay3,delay4,delay5,delay6',
    )
    expect(first).toMatch(/^2021-03-01,8,100,1,100,100,117,2,2,60,90,100,100,100,100,100$/)
    const rows = objects(run('triangle', 'daily', '--format', 'ndjson'))
    expect(rows).toHaveLength(9)
    expect(rows[8]).toMatchObject({ window: '2021-03-09', age: 0, known: 60, delay0: 60, delay1: null })
    const out = join(folder, 'views')
    const table = tableFromIPC(refoldBytes('triangle', 'daily', '--format', 'arrow', '--out', out))
    expect(table.numRows).toBe(9)
    expect(table.schema.fields.slice(0, 3).map(String)).toEqual(['window: Date32<DAY>', 'age: Int32', 'known: Float64'])
  })

  test('leaves out late events that the view refuses, and says how many', () => {
    const { stdout, stderr } = run('triangle', 'strict', '--json')
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({ observedThrough: '2021-03-09', lateLeftOut: 1 })
    expect(found.windows[1]).toMatchObject({ window: '2021-03-02', known: 100 })
    // What is final and refuses late events can't change; with late events it may.
    const exact = {
      completeness: 1,
      estimate: 100,
      estimateLow: 100,
      estimateHigh: 100,
      standardError: 0,
      pastEstimates: null,
    }
    expect(found.windows[1]).toMatchObject(exact)
    expect(JSON.parse(run('triangle', 'daily', '--json').stdout).windows[0].estimateHigh).toBeGreaterThan(100)
    expect(found.ages).toHaveLength(3)
    expect(stderr).toContain('1 late event, which the view refused, is left out.\n')
    // Nothing that would come yet could be in time.
    const [seventh] = objects(run('get', 'strict', '2021-03-07', '--tier', 'live', '--json'))
    expect(seventh).toMatchObject({ cases: 100, status: 'provisional', completeness: 1, estimate: 100 })
  })

  test('is of the moment that is asked for', () => {
    const found = JSON.parse(run('triangle', 'daily', '--known-at', '2021-03-04T18:00', '--json').stdout)
    expect(found).toMatchObject({ observedThrough: '2021-03-03', leftOut: 100 })
    expect(found.windows.map(({ known }: { known: number }) => known)).toEqual([100, 90, 60])
  })
})

describe('refold trace of a view with windows', () => {
  test('tells which events were late and what became of them', () => {
    const applied = run('trace', 'daily', '2021-03-02')
    expect(applied.stdout).toContain('late: recorded 5 d 14 h after the window 2021-03-02 closed\n')
    expect(applied.stdout).toMatch(/\nday +cases +status +knownThrough +lateEvents\n2021-03-02 +105 +final +\S+ +1\n/)
    expect(applied.stderr).toContain('4 events: 4 applied, 1 of the applied late. 2 row groups read.\n')
    const strict = JSON.parse(run('trace', 'strict', '2021-03-02', '--json').stdout)
    expect(strict.events[3]).toMatchObject({
      outcome: 'late',
      reason: 'recorded 5 d 14 h after the window 2021-03-02 closed',
      before: { cases: 100 },
      after: { cases: 100 },
    })
    expect(JSON.parse(run('get', 'strict', '2021-03-02', '--json').stdout)).toEqual(strict.rows[0])
  })

  test('skips row groups in which nothing of the window occurred', () => {
    const { rowGroups, rows } = JSON.parse(run('trace', 'places', '2021-03-09', 'north', '--json').stdout)
    expect(rowGroups).toEqual({ read: 1, skipped: 1 })
    expect(JSON.parse(run('get', 'places', '2021-03-09', 'north', '--json').stdout)).toEqual(rows[0])
  })

  test('says so where no window begins', () => {
    const { exitCode, stderr } = run('trace', 'hourly', '2021-03-02T09:30:00Z')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('View hourly can have no such key: ')
  })
})

describe('refold inspect --lateness', () => {
  test('tells for each view with windows what several thresholds would mean', () => {
    const [{ surveys }] = JSON.parse(run('inspect', 'reports.ts', '--lateness', '1 day, 2 days', '--json').stdout)
    expect(surveys.map(({ view }: { view: string }) => view)).toEqual(['daily', 'strict', 'places', 'hourly'])
    const [daily, , , hourly] = surveys
    expect(daily).toMatchObject({ events: 29, allowedLateness: '3 days', early: { events: 1 } })
    expect(daily.early.first).toMatchObject({ rowGroup: 0, eventId: 'r032' })
    expect(
      daily.thresholds.map(({ threshold, late }: { threshold: string; late: number }) => [threshold, late]),
    ).toEqual([
      ['1 day', 9],
      ['2 days', 1],
      ['3 days', 1],
    ])
    // A day ends at midnight; the next report after that is of 14:00, and the first after two days more.
    const hours = 3_600_000_000
    expect(daily.thresholds[1].provisional).toMatchObject({ windows: 7, median: 62 * hours, longest: 62 * hours })
    expect(hourly.thresholds[0]).toMatchObject({ threshold: '1 day', late: 9 + 9 })
  })

  test('prints it for people', () => {
    const { stdout } = run('inspect', 'reports.ts', '--lateness', '1 day, 3 days, 1 day')
    expect(stdout.match(/\n +1 day /g)).toHaveLength(4)
    expect(stdout).toContain('\nrepeated events, if any, count each time\n')
    expect(stdout).toContain(
      'lateness in daily: 29 events of reports, counted from the end of windows (every day, Asia/Taipei)\n',
    )
    expect(stdout).toMatch(/\n +3 days +1 +3\.4 % +3 d 14 h +3 d 14 h +6 +as it is now\n/)
    expect(stdout).toContain('1 event was recorded before it occurred, the first at ')
  })

  test.each([
    [['inspect', 'reports.ts', '--lateness', '3'], "--lateness: expected a unit too, as '3 days', found"],
    [['inspect', 'log', '--lateness'], '--lateness: expected a job, found log'],
  ])('%j is wrong usage', (parameters, message) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})
