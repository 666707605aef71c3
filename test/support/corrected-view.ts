import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LoadedJob, loadJob } from '../../src/job/load.ts'
import type { RebuildOptions, RebuildReport, ViewReport } from '../../src/model/report.ts'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { noticesOf } from '../../src/read/notices.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import { readManifest } from '../../src/storage/generations.ts'
import { writeRows } from './logs.ts'

/** An event of the log `cases`: so many cases of a region, which happened on a day and were recorded on a later one. */
export interface CaseEvent {
  readonly id: string
  readonly region: string
  /** Days since 1970. */
  readonly day: number
  readonly recordedDay: number
  readonly cases: number
}

const dayMicroseconds = 86_400_000_000
const columns = {
  id: string(),
  region: string(),
  occurred_at: timestamp(),
  recorded_at: timestamp(),
  cases: int64(),
}

/** A log of one file a partition and day of recording, and a view of it by day and region, below a folder. */
export interface CorrectedView {
  readonly home: string
  readonly out: string
  /** Puts these events, and no others, into the log, in folders `<folder>=<region>`. */
  setLog(events: readonly CaseEvent[], folder?: string): void
  /** The job; `factor` is what the view's logic counts a case for. Its caller disposes of it. */
  load(factor: number): Promise<LoadedJob>
  publish(factor: number, options?: Partial<RebuildOptions>): Promise<ViewReport>
  /** The same, with the report of all. */
  rebuild(factor: number, options?: Partial<RebuildOptions>): Promise<RebuildReport>
}

export function correctedView(home: string): CorrectedView {
  const out = join(home, 'views')
  return {
    home,
    out,
    setLog(events, folder = 'partition') {
      rmSync(join(home, 'log'), { recursive: true, force: true })
      const files = Map.groupBy(events, ({ region, recordedDay }) => `${folder}=${region}/${recordedDay}.parquet`)
      for (const [path, own] of files) {
        const rows = own.map(({ id, region, day, recordedDay, cases }) => ({
          id,
          region,
          occurred_at: day * dayMicroseconds,
          recorded_at: recordedDay * dayMicroseconds,
          cases,
        }))
        writeRows(join(home, 'log', path), columns, rows)
      }
    },
    load: (factor) => loadJob(writeCasesJob(home, factor)),
    publish: async (factor, options) => (await rebuildCases(home, out, factor, options)).views[0]!,
    rebuild: (factor, options) => rebuildCases(home, out, factor, options),
  }
}

async function rebuildCases(
  home: string,
  out: string,
  factor: number,
  options: Partial<RebuildOptions> = {},
): Promise<RebuildReport> {
  const job = await loadJob(writeCasesJob(home, factor))
  try {
    return await rebuild(job, { out, workers: 0, ...options })
  } finally {
    job.dispose()
  }
}

function writeCasesJob(home: string, factor: number): string {
  mkdirSync(home, { recursive: true })
  const path = join(home, 'cases.ts')
  writeFileSync(
    path,
    `import { defineJob, defineLog, defineView, int32, int64, string } from 'refold'
const log = defineLog({
  name: 'cases',
  files: ${JSON.stringify(join(home, 'log/**/*.parquet'))},
  columns: { id: 'id', occurredAt: 'occurred_at', recordedAt: 'recorded_at' },
  fields: { region: string(), cases: int64() },
})
export const cases = defineView({
  name: 'cases',
  log,
  window: { name: 'day', every: 'day', allowedLateness: '400 days', late: 'apply' },
  key: { region: string() },
  keyBy: (e) => ({ region: e.region }),
  state: { total: int64(), reports: int32() },
  on: { '*': (state, e) => { state.total += e.cases * ${factor}; state.reports++ } },
})
export default defineJob({ views: [cases] })
`,
  )
  return path
}

/** The notices of a generation, as they are sent. */
export function noticesIn(out: string, generation: string): Record<string, unknown>[] {
  const manifest = readManifest(out, 'cases', generation)
  return [...noticesOf(out, manifest, 0, disk)].map(({ json }) => JSON.parse(json) as Record<string, unknown>)
}
