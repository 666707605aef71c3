import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CorrectionsOptions, loadJob, openView, type Row, rebuild, type View } from '../../src/index.ts'
import { generationFolder } from '../../src/storage/generations.ts'

const out = mkdtempSync(join(tmpdir(), 'refold-open-windows-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

beforeAll(async () => {
  const job = await loadJob('jobs/taiwan-backlog.ts')
  for (const knownAt of ['2021-05-23', '2021-05-24', '2021-05-25']) await rebuild(job, { out, knownAt, workers: 0 })
  job.dispose()
})

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('rows() of a tier', () => {
  test('final leaves out what may still change', async () => {
    const view = await openView(out, 'daily-cases')
    const days = (await allOf(view.rows({ tier: 'final', columns: ['day'] }))).map(({ day }) => day)
    expect(days).toEqual(Array.from({ length: 16 }, (_, i) => `2021-05-${String(i + 1).padStart(2, '0')}`))
    expect(await allOf(view.rows({ tier: 'final', limit: 2 }))).toMatchObject([{ cases: 1 }, { cases: 4 }])
  })

  test('live has what is expected beside what is known', async () => {
    const view = await openView(out, 'daily-cases')
    const rows = await allOf(view.rows({ tier: 'live', columns: ['status', 'cases'] }))
    expect(rows).toHaveLength(25)
    const estimated = { completeness: null, estimate: null, estimateLow: null, estimateHigh: null }
    const nothing = { ...estimated, pastEstimates: null, pastHeld: null }
    expect(rows[0]).toEqual({ status: 'final', cases: 1, ...nothing })
    expect(Object.keys(rows[24]!)).toEqual(['status', 'cases', ...Object.keys(nothing)])
    const { windows } = await view.triangle()
    const { known, completeness, estimate, estimateLow, estimateHigh, pastEstimates, pastHeld } = windows.at(-1)!
    expect(rows[24]).toEqual({
      ...{ status: 'provisional', cases: known, completeness },
      ...{ estimate, estimateLow, estimateHigh, pastEstimates, pastHeld },
    })
    expect(pastEstimates).toBe(17)
    expect(estimate).toBeCloseTo(485.2, 1)
  })
})

test('a tier that is none is refused, as its rows would be taken for final ones', async () => {
  const view = await openView(out, 'daily-cases')
  await expect(allOf(view.rows({ tier: 'Final' as 'final' }))).rejects.toThrow(
    'View daily-cases: expected the tier live or final, found Final.',
  )
})

test('triangle() tells what came with each delay', async () => {
  const view = await openView(out, 'daily-cases')
  const report = await view.triangle({ windows: 2, delays: 2, incremental: true })
  expect(report).toMatchObject({ view: 'daily-cases', counted: 'measure', every: 'day', zone: 'Asia/Taipei' })
  expect(report.observedThrough).toBe('2021-05-25')
  expect(report.windows.map(({ window, age, known, amounts }) => ({ window, age, known, amounts }))).toEqual([
    { window: '2021-05-24', age: 1, known: 376, amounts: [334, 42] },
    { window: '2021-05-25', age: 0, known: 281, amounts: [281] },
  ])
  expect(report.ages).toHaveLength(2)
  const events = await view.triangle({ counted: 'events' })
  expect(events.windows.at(-2)).toMatchObject({ window: '2021-05-24', known: 2, amounts: [1, 2] })
})

describe('corrections()', () => {
  const casesOf = async (view: View, options?: CorrectionsOptions) =>
    (await allOf(view.corrections(options)))
      .filter(({ column, key }) => column === 'cases' && (key as Row).day === '2021-05-17')
      .map(({ generation, old, new: now }) => [Number(generation.slice(0, 6)), old, now])

  test('are those of the generation that is open, or of all from one on up to it', async () => {
    const view = await openView(out, 'daily-cases')
    expect(await casesOf(view)).toEqual([[3, 476, 510]])
    expect(await casesOf(view, { since: 2 })).toEqual([
      [2, 441, 476],
      [3, 476, 510],
    ])
    expect(await casesOf(view, { since: 'all' })).toEqual(await casesOf(view, { since: 2 }))
    const second = await openView(out, 'daily-cases', { generation: 2 })
    expect(await casesOf(second)).toEqual([[2, 441, 476]])
    expect(await casesOf(second, { since: 'all' })).toEqual([[2, 441, 476]])
    await expect(casesOf(view, { since: 9 })).rejects.toThrow('Cannot read generation 9')
  })

  test('say where generations are gone', async () => {
    const view = await openView(out, 'daily-cases')
    const [first] = await view.history()
    const folder = generationFolder(out, 'daily-cases', first!.generation)
    renameSync(folder, `${out}-gone`)
    const gaps: string[] = []
    const found = await casesOf(view, { since: 'all', onGap: (reason) => gaps.push(reason) })
    renameSync(`${out}-gone`, folder)
    expect(found).toHaveLength(2)
    expect(gaps).toEqual([expect.stringContaining(`what generation ${first!.generation} of view daily-cases`)])
  })
})
