import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { loadJob } from '../../src/job/load.ts'
import { noticesOf } from '../../src/read/notices.ts'
import { rebuild } from '../../src/rebuild.ts'
import { disk } from '../../src/storage/disk.ts'
import { readManifest } from '../../src/storage/generations.ts'
import { scratch } from '../support/logs.ts'
import { readCsv, realData, skipReason } from '../support/real-data.ts'

const data = realData('taiwan_backlog')
const because = skipReason('taiwan_backlog')
const repository = fileURLToPath(new URL('../..', import.meta.url))
const folder = scratch('taiwan-corrections')
afterAll(folder.remove)

interface CasesNotice {
  readonly key: { readonly day: string }
  readonly column: string
  readonly change: string
  readonly old: number
  readonly new: number
  readonly cause: string
  readonly events: number
  readonly behind: readonly { readonly id: string; readonly recordedAt: string; readonly lagSeconds: number }[]
}

test.skipIf(data === undefined)(
  `the notices of each of 16 days add up to the announced backlog${because}`,
  async () => {
    const days = readCsv(join(data!, 'announced_backlog.csv'))
    expect(days).toHaveLength(16)
    const out = join(folder.path, 'views')
    const before = process.cwd()
    process.chdir(repository)
    const job = await loadJob('jobs/taiwan-backlog.ts')
    try {
      await rebuild(job, { out, workers: 0, knownAt: '2021-05-21' })
      for (const { report_date: day, backlog_announced: announced } of days) {
        const { views } = await rebuild(job, { out, workers: 0, knownAt: day! })
        const manifest = readManifest(out, 'daily-cases', views[0]!.generation)
        const notices = [...noticesOf(out, manifest, 0, disk)].map(({ json }) => JSON.parse(json) as CasesNotice)
        const cases = notices.filter(({ column }) => column === 'cases')
        const added = cases.reduce((sum, notice) => sum + notice.new - notice.old, 0)
        expect([day, added]).toEqual([day, Number(announced)])
        for (const notice of cases) {
          expect(notice).toMatchObject({ change: 'changed', cause: 'late data', events: 1 })
          // Midnight in Taipei, and so many days after the day that it is about.
          const [event] = notice.behind
          expect(event!.recordedAt).toBe(
            new Date(Date.parse(`${day}T00:00+08:00`)).toISOString().replace('.000Z', '.000000Z'),
          )
          expect(event!.id).toBe(`${day}/${notice.key.day}`)
          expect(event!.lagSeconds).toBe((Date.parse(day!) - Date.parse(notice.key.day)) / 1000)
        }
      }
    } finally {
      job.dispose()
      process.chdir(before)
    }
  },
)
