import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadJob, type RebuildOptions, rebuild } from '../../src/index.ts'
import { spillFolder } from '../../src/storage/generations.ts'

const root = join(import.meta.dirname, '../..')
const inputs = { ledger: join(root, 'data/small-ledger/**/*.parquet') }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-memory-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function build(out: string, options: Partial<RebuildOptions>, path = join(root, 'jobs/bank.ts')) {
  const job = await loadJob(path)
  try {
    return await rebuild(job, { out: join(folder, out), inputs, ...options })
  } finally {
    job.dispose()
  }
}

test.each([0, 2])('all budgets give the same bytes, and nothing spilled is left, with %i workers', async (workers) => {
  const digests = new Set<string>()
  for (const [name, memoryBytes] of Object.entries({ nothing: 1, little: 60_000, plenty: 1e9 })) {
    const report = await build(name, { workers, memoryBytes })
    digests.add(JSON.stringify(report.views.map(({ view, digest }) => [view, digest])))
    expect(readdirSync(join(folder, name)).filter((entry) => entry.startsWith('_'))).toEqual([])
  }
  expect(digests.size).toBe(1)
})

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
  expect(seen).toEqual(['thread-0.arrows'])
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
