import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadJob, openView, rebuild } from 'refold'
import { afterAll, expect, test } from 'vitest'

const out = mkdtempSync(join(tmpdir(), 'refold-program-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

/** What two rebuilds a day apart say of Taiwan's cases, by a program that knows nothing but `refold`. */
async function reportCorrections() {
  const job = await loadJob('jobs/taiwan-backlog.ts')
  try {
    for (const knownAt of ['2021-05-24', '2021-05-25']) await rebuild(job, { out, knownAt, workers: 0 })
  } finally {
    job.dispose()
  }
  const view = await openView(out, 'daily-cases')
  try {
    const [day] = await view.get({ day: '2021-05-17' })
    const diff = await view.diff()
    const changed: string[] = []
    for await (const { change, key, old, new: now } of diff.changes()) {
      if (change === 'changed') changed.push(`${key.day}: ${old!.cases} → ${now!.cases}`)
    }
    const causes = new Map<string, number>()
    for await (const { column, cause, events } of view.corrections()) {
      if (column === 'cases') causes.set(cause, (causes.get(cause) ?? 0) + events)
    }
    return { day, changed, keys: (await diff.count()).keys, causes, history: await view.history() }
  } finally {
    view.close()
  }
}

test('a program rebuilds a view, reads a row, and lists what changed and why', async () => {
  const { day, changed, keys, causes, history } = await reportCorrections()
  expect(day).toEqual({
    day: '2021-05-17',
    cases: 510,
    firstReported: 333,
    backlogged: 177,
    reports: 5,
    status: 'provisional',
    knownThrough: '2021-05-24T16:00:00.000000Z',
    lateEvents: 0,
  })
  expect(changed).toEqual([
    '2021-05-16: 269 → 276',
    '2021-05-17: 476 → 510',
    '2021-05-18: 382 → 414',
    '2021-05-19: 431 → 468',
    '2021-05-20: 405 → 435',
    '2021-05-21: 385 → 402',
    '2021-05-22: 380 → 402',
    '2021-05-23: 344 → 384',
    '2021-05-24: 334 → 376',
  ])
  expect(keys).toEqual({ added: 1, removed: 0, changed: 9 })
  expect(causes).toEqual(new Map([['late data', 9]]))
  expect(history.map(({ generation, current, rows }) => ({ generation, current, rows }))).toEqual([
    { generation: '000001-f34cb2d351ea', current: false, rows: 24 },
    { generation: '000002-fb8db234472f', current: true, rows: 25 },
  ])
})
