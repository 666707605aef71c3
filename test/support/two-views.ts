import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LoadedJob, loadJob } from '../../src/job/load.ts'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { writeRows } from './logs.ts'

export const viewNames = ['daily', 'regions'] as const

const dayMicroseconds = 86_400_000_000
const columns = {
  id: string(),
  region: string(),
  occurred_at: timestamp(),
  recorded_at: timestamp(),
  cases: int64(),
}

/**
 * Writes a log of a file for each of two days of recording below `home`, with one event that stands in it twice.
 *
 * @param isGrown With the events of the second day, some of which are late.
 */
export function writeLog(home: string, isGrown: boolean): void {
  rmSync(join(home, 'log'), { recursive: true, force: true })
  const regions = ['north', 'south', 'west']
  const first = [...regions, 'north'].map((region) => event(region, region, 1, 1, region.length))
  writeRows(join(home, 'log/day=1/0.parquet'), columns, first)
  if (!isGrown) return
  const second = regions.flatMap((region, index) => [
    event(`${region}-late`, region, 1, 2, 10 * index),
    event(`${region}-2`, region, 2, 2, index),
  ])
  writeRows(join(home, 'log/day=2/0.parquet'), columns, second)
}

function event(id: string, region: string, day: number, recordedDay: number, cases: number) {
  return { id, region, occurred_at: day * dayMicroseconds, recorded_at: recordedDay * dayMicroseconds, cases }
}

/**
 * Loads a job of two views of that log: one by day, whose published figures may change, and one without windows.
 *
 * @param factor What the logic of the first counts a case for.
 */
export function loadTwoViews(home: string, factor: number): Promise<LoadedJob> {
  mkdirSync(home, { recursive: true })
  const path = join(home, 'two.ts')
  writeFileSync(
    path,
    `import { defineJob, defineLog, defineView, int32, int64, string } from 'refold'
const log = defineLog({
  name: 'cases',
  files: ${JSON.stringify(join(home, 'log/**/*.parquet'))},
  columns: { id: 'id', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  fields: { region: string(), cases: int64() },
})
export const daily = defineView({
  name: 'daily',
  log,
  window: { name: 'day', every: 'day', allowedLateness: '400 days', late: 'apply' },
  key: { region: string() },
  keyBy: (e) => ({ region: e.region }),
  state: { total: int64() },
  on: { '*': (state, e) => { state.total += e.cases * ${factor} } },
})
export const regions = defineView({
  name: 'regions',
  log,
  key: { region: string() },
  keyBy: (e) => ({ region: e.region }),
  state: { reports: int32(), total: int64() },
  on: { '*': (state, e) => { state.reports++; state.total += e.cases } },
})
export default defineJob({ views: [daily, regions] })
`,
  )
  return loadJob(path)
}
