import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { defineJob, defineLog, defineView, int64, string, timestamp } from '../../src/index.ts'
import { parseThresholds, surveyJobLateness } from '../../src/inspect/lateness.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import { rebuild } from '../../src/rebuild.ts'
import { scratch, writeRows } from '../support/logs.ts'

const folder = scratch('lateness')
afterAll(folder.remove)

test('thresholds are sorted, each once', () => {
  const days = (count: number) => ({ count, unit: 'day' })
  expect(parseThresholds(['3 days', '1 day', '1 day'], 'thresholds')).toEqual([days(1), days(3)])
})

test('late events are those that a rebuild refuses, where filter, by or upcast decide which events there are', async () => {
  const columns = { id: string(), type: string(), place: string(), at: timestamp(), known: timestamp(), cases: int64() }
  const day = 86_400_000_000
  // Each event is of another day; every third was recorded two days after its end.
  const rows = Array.from({ length: 60 }, (_, i) => ({
    id: `e${i}`,
    type: i % 4 === 0 ? 'Old' : i % 7 === 0 ? 'Other' : 'New',
    place: i % 5 === 0 ? 'nowhere' : 'north,south',
    at: i * day,
    known: i * day + (i % 3 === 0 ? 3 * day + 1 : 1),
    cases: i % 6,
  }))
  writeRows(join(folder.path, 'log.parquet'), columns, rows, { rowGroupRows: 16 })
  const spec = {
    files: join(folder.path, 'log.parquet'),
    columns: { id: 'id', key: 'place', type: 'type', occurredAt: 'at', recordedAt: 'known' },
    fields: { cases: int64() },
  } as const
  const plain = defineLog({ name: 'plain', ...spec })
  const upcast = defineLog({
    name: 'upcast',
    ...spec,
    upcast: { Old: (e) => (e.cases === 0 ? null : [{ type: 'New' }, { type: 'New' }]) },
  })
  const window = { name: 'day', every: 'day', allowedLateness: '1 day' } as const
  const view = (name: string, log: typeof plain | typeof upcast, more: object) =>
    defineView({ name, log, window, state: { events: int64() }, on: { New: (sum) => void sum.events++ }, ...more })
  const job = loadedFromDefinition(
    defineJob({
      views: [
        view('all', plain, {}),
        view('filtered', plain, { filter: (e: { cases: number }) => e.cases > 1 }),
        view('keyed', plain, {
          key: { place: string() },
          keyBy: (e: { key: string }) =>
            e.key === 'nowhere' ? null : e.key.split(',').map((place: string) => ({ place })),
        }),
        view('upcast', upcast, {}),
      ],
    }),
  )
  const { views } = await rebuild(job, { out: join(folder.path, 'views'), workers: 0 })
  const found = (await surveyJobLateness(job, [], 'thresholds')).flatMap(({ surveys }) => surveys)
  for (const { view, counters } of views) {
    const survey = found.find((candidate) => candidate.view === view)!
    expect(survey.thresholds[0], view).toMatchObject({ threshold: '1 day', late: counters.late })
    expect(survey.events, view).toBe(counters.applied + counters.late)
    expect(counters.late, view).toBeGreaterThan(0)
  }
})
