import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadJob, openView, rebuild } from '../../src/index.ts'
import { date, int64, string, timestamp } from '../../src/model/types.ts'
import { writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

/**
 * When the newest day of a log that records days counts as observed: where the log writes whole days, where a later day was
 * recorded, or where the view is of what was known at the day's end.
 */
const folder = mkdtempSync(join(tmpdir(), 'refold-whole-days-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const march = (day: number) => Date.UTC(2021, 2, day) / 86_400_000

const job = (
  name: string,
  files: string,
  declared: string,
  recordedAt = "'known'",
) => `import { date, defineJob, defineLog, defineView, int64 } from 'refold'
const reports = defineLog({
  name: 'reports', files: ${JSON.stringify(join(folder, files))}, ${declared}
  columns: { id: 'id', key: 'id', type: 'type', occurredAt: 'of', recordedAt: ${recordedAt} },
  fields: { cases: int64() }, zone: 'Asia/Taipei',
})
const handlers = { Reported: (state, e) => { state.cases += e.cases } }
const window = { name: 'day', allowedLateness: '3 days', late: 'apply', measure: (e) => e.cases } as const
const ${name} = defineView({ name: '${name}', log: reports, window: { ...window, every: 'day' }, state: { cases: int64() }, on: handlers })
const ${name}Weeks = defineView({ name: '${name}-weeks', log: reports, window: { ...window, every: 'week' }, state: { cases: int64() }, on: handlers })
export default defineJob({ views: [${name}, ${name}Weeks] })
`

async function built(name: string, knownAt?: string, view = name) {
  const loaded = await loadJob(join(folder, `${name}.ts`))
  const out = join(folder, `views-${name}-${knownAt}`)
  try {
    await rebuild(loaded, { out, workers: 0, ...(knownAt === undefined ? {} : { knownAt }) })
  } finally {
    loaded.dispose()
  }
  return openView(out, view)
}

const observed = async (...parameters: Parameters<typeof built>) =>
  (await (await built(...parameters)).triangle()).observedThrough

beforeAll(() => {
  mkdirSync(join(folder, 'days'))
  const days = { id: string(), type: string(), of: date(), known: date(), cases: int64() }
  let ids = 0
  // Each day has 60 cases at once, 30 a day later and 10 two days later; of the newest, Sunday 14 March, some are missing.
  const rows = Array.from({ length: 14 }, (_, i) => i + 1).flatMap((day) =>
    [60, 30, 10].map((cases, delay) => ({
      ...{ id: `r${++ids}`, type: 'Reported', cases },
      ...{ of: march(day), known: march(day + delay) },
    })),
  )
  const known = rows.filter((row) => row.known <= march(14))
  writeRows(join(folder, 'days/a.parquet'), days, known)
  const moment = (day: number) => day * 86_400_000_000 - 8 * 3_600_000_000
  const moments = known.map((row) => ({ ...row, of: moment(row.of), known: moment(row.known) }))
  writeRows(join(folder, 'moments/a.parquet'), { ...days, of: timestamp(), known: timestamp() }, moments)
  writeFileSync(join(folder, 'open.ts'), job('open', 'days/*.parquet', ''))
  writeFileSync(join(folder, 'whole.ts'), job('whole', 'days/*.parquet', 'recordsWholeDays: true,'))
  writeFileSync(join(folder, 'timed.ts'), job('timed', 'moments/*.parquet', ''))
  const texts = known.map((row) => ({ ...row, known: new Date(row.known * 86_400_000).toISOString().slice(0, 10) }))
  writeRows(join(folder, 'texts/a.parquet'), { ...days, known: string() }, texts)
  for (const [day, ofDay] of Map.groupBy(texts, (row) => row.known)) {
    const { known: _, ...columns } = days
    writeRows(join(folder, `folders/known=${day}/a.parquet`), columns, ofDay)
  }
  const text = "date('known', { storedAs: 'text' })"
  writeFileSync(join(folder, 'text.ts'), job('text', 'texts/*.parquet', '', text))
  writeFileSync(join(folder, 'wholeText.ts'), job('wholeText', 'texts/*.parquet', 'recordsWholeDays: true,', text))
  writeFileSync(join(folder, 'folders.ts'), job('folders', 'folders/**/*.parquet', ''))
  writeFileSync(join(folder, 'wholeFolders.ts'), job('wholeFolders', 'folders/**/*.parquet', 'recordsWholeDays: true,'))
  writeFileSync(join(folder, 'wrong.ts'), job('wrong', 'moments/*.parquet', 'recordsWholeDays: true,'))
})

describe('the newest day of a log of days is observed', () => {
  test.each([
    ['not where more may be recorded on it', 'open', undefined, '2021-03-13'],
    ['where the log writes whole days', 'whole', undefined, '2021-03-14'],
    ['where the view is of what was known at its end', 'open', '2021-03-14', '2021-03-14'],
    ['where the view is of what was known later', 'open', '2021-03-20', '2021-03-14'],
    ['not where the view is of a moment within it', 'open', '2021-03-14T20:00', '2021-03-13'],
    ['where a later day is known, which is then the newest', 'open', '2021-03-10', '2021-03-10'],
    ['not where text holds the days', 'text', undefined, '2021-03-13'],
    ['where whole days are declared of text', 'wholeText', undefined, '2021-03-14'],
    ['where text holds the days and the view is of the end of one', 'text', '2021-03-14', '2021-03-14'],
    // Each folder is a partition here, and silent for a day: the watermark is a day before the newest one.
    ['not where folders are named after them', 'folders', undefined, '2021-03-12'],
    ['where whole days are declared of folders', 'wholeFolders', undefined, '2021-03-13'],
    ['of moments not before a later one is recorded', 'timed', undefined, '2021-03-13'],
    ['of moments not by the day that is asked for', 'timed', '2021-03-14', '2021-03-13'],
  ])('%s', async (_, name, knownAt, through) => {
    expect(await observed(name, knownAt)).toBe(through)
  })

  test('and with it the week that it ends', async () => {
    expect(await observed('open', undefined, 'open-weeks')).toBe('2021-03-07')
    expect(await observed('whole', undefined, 'whole-weeks')).toBe('2021-03-14')
    expect(await observed('open', '2021-03-14', 'open-weeks')).toBe('2021-03-14')
  })
})

test('a window is final once a day is recorded that lies beyond its deadline, whatever may still be recorded on that day', async () => {
  const statuses = async (name: string) => {
    const rows = []
    for await (const { day, status } of (await built(name)).rows()) rows.push([day, status])
    return rows
  }
  const whole = await statuses('whole')
  expect(await statuses('open')).toEqual(whole)
  // The deadline of the 10th is the midnight with which the 14th begins: what is recorded on the 14th is in time for it.
  expect(whole.slice(8, 10)).toEqual([
    ['2021-03-09', 'final'],
    ['2021-03-10', 'provisional'],
  ])
})

test('a figure counts what is known of a day that is not over, and its estimate is of the same moment', async () => {
  const view = await built('open')
  const rows = []
  for await (const row of view.rows({ tier: 'live' })) rows.push(row)
  // Of the 13th, 60 was known when it ended, and 30 came on the 14th.
  expect(rows[12]).toMatchObject({ day: '2021-03-13', cases: 90 })
  expect(rows[12]!['completeness']).toBeCloseTo(90 / (rows[12]!['estimate'] as number), 12)
  const { windows } = await view.triangle({ windows: 1 })
  expect(windows[0]).toMatchObject({ window: '2021-03-13', known: 60 })
})

test('show says that more may be recorded on the newest day, or that it is known through', async () => {
  const note = (name: string) =>
    refold(['show', name, '--tier', 'live', '--out', join(folder, `views-${name}-undefined`)]).stderr
  await built('open')
  await built('whole')
  expect(note('open')).toContain(
    'Known up to 2021-03-14 (Asia/Taipei), of which more may be recorded; 5 of 14 windows are provisional.',
  )
  expect(note('open')).toContain('how windows grow is taken from what was recorded through 2021-03-13.')
  expect(note('whole')).toContain('Known through 2021-03-14 (Asia/Taipei); 5 of 14 windows are provisional.')
})

test('a log of moments has no whole days', async () => {
  const loaded = await loadJob(join(folder, 'wrong.ts'))
  await expect(rebuild(loaded, { out: join(folder, 'views'), workers: 0 })).rejects.toThrow(
    /^Cannot plan log reports: recordsWholeDays expects recordedAt to be days in every file, found something else in .*a\.parquet\. Where its text holds days, declare them/,
  )
  loaded.dispose()
})

test('a log without recordedAt has none either', async () => {
  const text = job('none', 'days/*.parquet', 'recordsWholeDays: true,').replace(", recordedAt: 'known'", '')
  writeFileSync(join(folder, 'none.ts'), text)
  await expect(loadJob(join(folder, 'none.ts'))).rejects.toThrow('recordsWholeDays: the log has no recordedAt')
})
