import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LoadedJob, loadJob } from '../../src/job/load.ts'
import type { RebuildOptions, RebuildReport } from '../../src/model/report.ts'
import { int32, int64, string } from '../../src/model/types.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type StartExecutor, startExecutor } from '../../src/start-executor.ts'
import { disk } from '../../src/storage/disk.ts'
import { createPool } from '../../src/workers/pool.ts'
import { ownModules } from '../../src/workers/thread-modules.ts'
import type { DyingSetup } from '../support/dying-tasks.ts'
import { readPublished, scratch, writeLogFiles } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let marker: string
let job: LoadedJob
beforeEach(async () => {
  folder = scratch('attempts')
  marker = join(folder.path, 'died')
  const path = join(folder.path, 'job.ts')
  writeFileSync(path, jobText(writeLog(), marker))
  job = await loadJob(path)
})
afterEach(() => {
  job.dispose()
  folder.remove()
})

/** Some events twice, with ids that are hashed. */
function writeLog(): string {
  const fields = { id: string(), account: string(), seq: int64(), type: string(), amount: int32() }
  const events = Array.from({ length: 3000 }, (_, seq) => ({
    id: `event ${seq}`,
    account: `account ${(seq * 7919) % 211}`,
    seq,
    type: seq % 3 === 0 ? 'Out' : 'In',
    amount: (seq * 31) % 1000,
  }))
  return writeLogFiles(join(folder.path, 'log'), fields, [...events, ...events.slice(0, 40)], { files: 3 })
}

/** Two views of one group: the second's rows are shaped when the first's part file is there. */
const jobText = (files: string, marker: string) => `
// Imported, they would be refused.
const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs')
import { defineJob, defineLog, defineView, int32, int64 } from 'refold'
const log = defineLog({ name: 'log', files: ${JSON.stringify(files)}, fields: { amount: int32() },
  columns: { id: 'id', key: 'account', type: 'type', sequence: 'seq' } })
const balances = defineView({ name: 'balances', log, state: { balance: int64() },
  on: { In: (s, e) => { s.balance += e.amount }, Out: (s, e) => { s.balance = Math.max(0, s.balance - e.amount) } } })
const counts = defineView({ name: 'counts', log, state: { n: int32() }, on: { '*': (s) => { s.n++ } },
  row: (s) => {
    if (!existsSync(${JSON.stringify(marker)})) {
      writeFileSync(${JSON.stringify(marker)}, '')
      process.exit(7)
    }
    return { n: s.n }
  } })
export default defineJob({ views: [balances, counts] })
`

let builds = 0

async function build(start: StartExecutor, options: Partial<RebuildOptions> = {}): Promise<RebuildReport> {
  const out = join(folder.path, `views ${builds++}`)
  const report = await rebuild(job, { out, workers: 2, ...options }, disk, start)
  for (const { view, path } of report.views) {
    const { manifest } = readPublished(path)
    const files = [...manifest.files, ...manifest.exceptions].map(({ name }) => name)
    expect(readdirSync(path, { recursive: true }).sort()).toEqual(
      [...files, '_exceptions', '_manifest.json', '_run.json'].sort(),
    )
    expect(readdirSync(join(out, view)).sort()).toEqual([basename(path), '_current.json'])
  }
  expect(readdirSync(out).sort()).toEqual(['balances', 'counts'])
  return report
}

function digests({ views }: RebuildReport): unknown {
  return views.map(({ view, digest, counters }) => ({ view, digest, counters }))
}

/** Without any death. */
async function expected(): Promise<unknown> {
  writeFileSync(marker, '')
  const report = await build(startExecutor, { workers: 0 })
  rmSync(marker)
  return digests(report)
}

test('a handler that ends its thread once, when a part file was written, changes nothing', async () => {
  const whole = await expected()
  const report = await build(startExecutor)
  expect(existsSync(marker)).toBe(true)
  expect(digests(report)).toEqual(whole)
})

const startDying =
  (diesAt: string): StartExecutor =>
  async ({ job: { bundlePath }, plan, workers, budget }) => {
    const tasks = new URL('../support/dying-tasks.ts', import.meta.url).href
    const setup: DyingSetup = { plan, budget, bundlePath: bundlePath!, diesAt, marker: `${marker} writing` }
    return createPool({ workers, modules: { ...ownModules, tasks }, setup })
  }

describe('a thread that dies in the midst of writing', () => {
  test.each([
    ['a part file', 'part-00000.parquet.'],
    ['ids that memory has no room for', 'ids-0-1.'],
    ['rows that memory has no room for', 'map-0-2.'],
    ['rows that were sorted', 'sorted-0-0.'],
  ])('%s is replaced, and changes nothing', async (_, diesAt) => {
    const whole = await expected()
    writeFileSync(marker, '')
    const report = await build(startDying(diesAt), { memoryBytes: 20_000, strategy: 'shuffle' })
    expect(existsSync(`${marker} writing`)).toBe(true)
    expect(digests(report)).toEqual(whole)
  })
})
