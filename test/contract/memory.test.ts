import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { int64, loadJob, type RebuildOptions, string } from '../../src/index.ts'
import { spillFolder } from '../../src/storage/generations.ts'
import { writeLogFiles } from '../support/logs.ts'
import { type Performers, rebuildBy } from '../support/rebuild-by.ts'

const root = join(import.meta.dirname, '../..')
const inputs = { ledger: join(root, 'data/small-ledger/**/*.parquet') }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-memory-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface BuildOptions extends Omit<Partial<RebuildOptions>, 'workers'> {
  readonly workers: Performers
}

async function build(out: string, { workers, ...options }: BuildOptions, path = join(root, 'jobs/bank.ts')) {
  const job = await loadJob(path)
  try {
    return await rebuildBy(workers, job, { out: join(folder, out), inputs, ...options })
  } finally {
    job.dispose()
  }
}

const performers: readonly Performers[] = [0, 2, 'failing thread', 'hosts', 'failing hosts']

test.each(performers)(
  'all budgets give the same bytes, and nothing spilled is left, with %s as workers',
  async (workers) => {
    const digests = new Set<string>()
    for (const [name, memoryBytes] of Object.entries({ nothing: 1, little: 60_000, plenty: 1e9 })) {
      const report = await build(name, { workers, memoryBytes })
      digests.add(JSON.stringify(report.views.map(({ view, digest }) => [view, digest])))
      expect(readdirSync(join(folder, name)).filter((entry) => entry.startsWith('_'))).toEqual([])
    }
    expect(digests.size).toBe(1)
  },
)

/** Half of the events are on one account, some stand too late, some twice, and ids are hashed: every way there is. */
function writeSkewedLog(): string {
  const fields = { id: string(), account: string(), seq: int64(), type: string(), amount: int64() }
  const events = Array.from({ length: 12_000 }, (_, number) => ({
    id: `event ${number}`,
    account: number % 2 === 0 ? 'everyone' : `account ${number % 701}`,
    seq: number,
    type: number % 5 === 0 ? 'Out' : 'In',
    amount: (number * 7919) % 1000,
  }))
  const rows = [...events, ...events.filter(({ seq }) => seq % 50 === 0)]
  const rank = (index: number) => index + (index % 13 === 0 ? 900 : 0) + (index % 101 === 0 ? 6000 : 0)
  return writeLogFiles(join(folder, 'log'), fields, rows, { files: 5, rowGroupRows: 1000, rank })
}

const skewedJob = (files: string) => `
import { defineJob, defineLog, defineView, int32, int64, string } from 'refold'
const log = defineLog({ name: 'log', files: ${JSON.stringify(files)}, fields: { amount: int64() },
  columns: { id: 'id', key: 'account', type: 'type', sequence: 'seq' } })
const sum = (s: { n: number, sum: number }, e: { amount: number }) => { s.n++; s.sum += e.amount }
const sums = defineView({ name: 'sums', log, state: { n: int32(), sum: int64() }, on: { '*': sum }, orderFree: true, filter: () => true })
const path = defineView({ name: 'path', log, state: { at: int64() }, on: { '*': (s, e) => { s.at = (s.at * 31 + e.amount) % 1_000_003 } } })
const overdraft = defineView({ name: 'overdraft', log, state: { balance: int64(), rejected: int32() }, onError: 'quarantine',
  on: { In: (s, e) => { s.balance += e.amount; if (e.amount === 999) throw new Error('999') },
    Out: (s, e) => { if (e.amount > s.balance) s.rejected++; else s.balance -= e.amount } } })
const free = defineView({ name: 'free', log, state: () => ({ at: 0 }), columns: { at: int64() }, row: (s) => s, filter: () => true,
  on: { '*': (s, e) => { s.at = (s.at * 31 + e.amount) % 1_000_003 } } })
const types = defineView({ name: 'types', log, key: { type: string() }, keyBy: (e) => ({ type: e.type }), state: { n: int32(), sum: int64() },
  on: { '*': sum }, merge: (into, from) => { into.n += from.n; into.sum += from.sum } })
export default defineJob({ views: [sums, path, overdraft, free, types] })
`

// 100 kB are room for some hundred rows of a bucket, so that it is sorted in more runs than are merged at once.
test.each(performers)(
  'a key with half of all events has the same rows in any memory, with %s as workers',
  async (workers) => {
    const path = join(folder, 'job.ts')
    writeFileSync(path, skewedJob(writeSkewedLog()))
    const digests = new Set<string>()
    for (const memoryBytes of [100_000, 1_000_000, 1e9]) {
      const out = String(memoryBytes)
      const { views } = await build(out, { workers, memoryBytes, inputs: {} }, path)
      digests.add(JSON.stringify(views.map(({ view, digest }) => [view, digest])))
      expect(views[0]!.counters).toMatchObject({ applied: 12_000, duplicate: 240 })
      expect(readdirSync(join(folder, out)).filter((entry) => entry.startsWith('_'))).toEqual([])
    }
    expect(digests.size).toBe(1)
  },
)

test('a spill folder may lie elsewhere, and only while the rebuild runs', async () => {
  const spill = join(folder, 'spill')
  mkdirSync(spill)
  let seen: string[] = []
  await build('out', {
    workers: 0,
    memoryBytes: 1,
    spillFolder: spill,
    onProgress: ({ stage }) => {
      if (stage === 'reduce') seen = readdirSync(spill).flatMap((name) => readdirSync(join(spill, name)))
    },
  })
  // A file for each task that mapped events; those of ids are gone.
  expect(seen).toEqual(['map-0-0.1.arrows', 'map-0-1.1.arrows', 'map-0-2.1.arrows'])
  expect(readdirSync(spill)).toEqual([])
})

test('what a killed process spilled is removed by the next rebuild', async () => {
  const out = join(folder, 'out')
  const abandoned = spillFolder(out).replace(`-${process.pid}-`, '-999999999-')
  const running = spillFolder(out)
  mkdirSync(abandoned, { recursive: true })
  mkdirSync(running)
  await build('out', { workers: 0 })
  expect(existsSync(abandoned)).toBe(false)
  expect(existsSync(running)).toBe(true)
})

test('a rebuild that fails leaves nothing that it spilled', async () => {
  const path = join(folder, 'job.ts')
  const text = readFileSync(join(root, 'jobs/accounts.ts'), 'utf8')
  writeFileSync(path, text.replace('account.balance += e.amount', "throw new Error('no')"))
  await expect(build('out', { workers: 2, memoryBytes: 1 }, path)).rejects.toThrow('no')
  expect(readdirSync(join(folder, 'out'), { recursive: true }).filter((name) => String(name).includes('_'))).toEqual([])
})
