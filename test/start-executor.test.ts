import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedJob } from '../src/job/load.ts'
import { ConfigurationError } from '../src/model/errors.ts'
import type { Plan } from '../src/model/plan.ts'
import { rebuild } from '../src/rebuild.ts'
import { threadsFor } from '../src/start-executor.ts'
import { disk } from '../src/storage/disk.ts'
import { scratch } from './support/logs.ts'
import { loadTwoViews, writeLog } from './support/two-views.ts'

const folder = scratch('start')
const onlyHere = { ...disk, description: null }
let job: LoadedJob
beforeAll(async () => {
  writeLog(folder.path, true)
  job = await loadTwoViews(folder.path, 1)
})
afterAll(() => {
  job.dispose()
  folder.remove()
})

test('a storage that only this thread can open is worked on by this thread', () => {
  const plan = { logs: [{ rows: 10_000_000 }] } as unknown as Plan
  expect(threadsFor(job, plan, disk)).toBeGreaterThan(0)
  expect(threadsFor(job, plan, onlyHere)).toBe(0)
})

test('threads are refused for such a storage', async () => {
  const rebuilt = rebuild(job, { out: join(folder.path, 'views'), workers: 1 }, onlyHere)
  await expect(rebuilt).rejects.toThrow(ConfigurationError)
  await expect(rebuilt).rejects.toThrow(
    'Job two reads from a storage that only the calling thread can open: run it with 0 workers.',
  )
})

test('threads open the storage by its description', async () => {
  const { views } = await rebuild(job, { out: join(folder.path, 'views'), workers: 1 })
  expect(views.map(({ view, outcome, rows }) => [view, outcome, rows])).toEqual([
    ['daily', 'published', 6],
    ['regions', 'published', 3],
  ])
})
