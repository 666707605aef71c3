import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ConfigurationError, loadJob, openView, type RebuildOptions, type RebuildReport, rebuild } from 'refold'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { identityOf } from '../../src/job/identity.ts'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { disk } from '../../src/storage/disk.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('owner')
  home = folder.path
  writeRows(join(home, 'log/a.parquet'), { id: string(), at: timestamp(), amount: int64() }, [
    { id: 'a', at: 1, amount: 1 },
  ])
})
afterEach(() => folder.remove())

function write(path: string, text: string): string {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return join(home, path)
}

/** Writes a job of views of these names. */
function writeJob(path: string, views: readonly string[], factor = 1): string {
  const definitions = views.map(
    (name, index) => `export const view${index} = defineView({ name: '${name}', log, state: { sum: int64() },
  on: { '*': (state, e) => { state.sum += e.amount * ${factor} } } })`,
  )
  return write(
    path,
    `import { defineJob, defineLog, defineView, int64 } from 'refold'
const log = defineLog({ name: 'events', files: ${JSON.stringify(join(home, 'log'))}, columns: { id: 'id', key: 'id', recordedAt: 'at' }, fields: { amount: int64() } })
${definitions.join('\n')}
export default defineJob({ views: [${views.map((_, index) => `view${index}`).join(', ')}] })`,
  )
}

async function run(path: string, options: Partial<RebuildOptions> = {}): Promise<RebuildReport> {
  const job = await loadJob(join(home, path))
  try {
    return await rebuild(job, { out: join(home, 'views'), workers: 0, ...options })
  } finally {
    job.dispose()
  }
}

async function ownerOf(view: string): Promise<string | undefined> {
  const opened = await openView(join(home, 'views'), view)
  opened.close()
  return opened.manifest.job
}

describe('a view of a name that another job published', () => {
  beforeEach(async () => {
    writeJob('jobs/a.ts', ['v'])
    writeJob('jobs/b.ts', ['v', 'w'], 2)
    await run('jobs/a.ts')
  })

  test('is refused, naming both jobs, and nothing is published', async () => {
    const error: ConfigurationError = await run('jobs/b.ts').then(
      () => expect.unreachable(),
      (reason) => reason,
    )
    expect(error.exitCode).toBe(2)
    expect(error.message).toMatch(
      /^Cannot publish view v in .*: expected a view of the job \.\.\/jobs\/b\.ts\. View v was published by the job \.\.\/jobs\/a\.ts \(generation 000001-\w+, 20.*--take-over/,
    )
    await expect(openView(join(home, 'views'), 'w')).rejects.toThrow('never built')
    expect(await ownerOf('v')).toBe('../jobs/a.ts')
    expect((await run('jobs/b.ts', { views: ['w'] })).views).toHaveLength(1)
    expect((await run('jobs/a.ts')).views[0]!.outcome).toBe('unchanged')
  })

  test('is refused with the same rows, too', async () => {
    writeJob('jobs/c.ts', ['v'])
    await expect(run('jobs/c.ts')).rejects.toThrow('../jobs/a.ts')
  })

  test('is refused where it is the vintages of a view, or a view instead of those', async () => {
    await run('jobs/a.ts', { vintages: 'day' })
    writeJob('jobs/c.ts', ['v-vintages'])
    await expect(run('jobs/c.ts')).rejects.toThrow('View v-vintages was published by the job ../jobs/a.ts')
    writeJob('jobs/d.ts', ['w-vintages'])
    await run('jobs/d.ts')
    await expect(run('jobs/b.ts', { views: ['w'], vintages: 'day' })).rejects.toThrow('../jobs/d.ts')
  })

  test('is refused where the name differs only in case', async () => {
    writeJob('jobs/c.ts', ['V'])
    await expect(run('jobs/c.ts')).rejects.toThrow(
      /Cannot publish view V in .*: expected no view whose name differs only in case, found v/,
    )
  })

  test('is taken over where that is asked for, also with the same rows', async () => {
    writeJob('jobs/c.ts', ['v'])
    const report = await run('jobs/c.ts', { takeOver: true })
    expect(report.views[0]).toMatchObject({ outcome: 'published', generation: expect.stringMatching(/^000002-/) })
    expect(report.notes.join()).toMatch(
      /View v was published by the job \.\.\/jobs\/a\.ts .*it belongs to \.\.\/jobs\/c\.ts now/,
    )
    expect(await ownerOf('v')).toBe('../jobs/c.ts')
    expect(await run('jobs/c.ts')).toMatchObject({ notes: [], views: [{ outcome: 'unchanged' }] })
    await expect(run('jobs/a.ts')).rejects.toThrow('../jobs/c.ts')
  })

  test('goes over to a job whose file was renamed or moved', async () => {
    cpSync(join(home, 'jobs/a.ts'), join(home, 'jobs/ledger/renamed.ts'))
    rmSync(join(home, 'jobs/a.ts'))
    const report = await run('jobs/ledger/renamed.ts')
    expect(report.notes.join()).toContain('whose file is no longer there; it belongs to ../jobs/ledger/renamed.ts now')
    expect((await run('jobs/ledger/renamed.ts')).notes).toEqual([])
  })

  test('does not go over where the job was on another host', async () => {
    const view = await openView(join(home, 'views'), 'v')
    view.close()
    write(`views/v/${view.generation}/_run.json`, JSON.stringify({ job: '/gone/a.ts', host: 'elsewhere' }))
    await expect(run('jobs/b.ts')).rejects.toThrow('../jobs/a.ts')
  })
})

test('jobs of one package are the same wherever it lies, those of others are not', async () => {
  for (const release of ['1', '2']) {
    write(`releases/${release}/package.json`, '{ "name": "acme" }')
    writeJob(`releases/${release}/jobs/a.ts`, ['v'])
  }
  await run('releases/1/jobs/a.ts')
  expect(await ownerOf('v')).toBe('acme:jobs/a.ts')
  expect((await run('releases/2/jobs/a.ts')).notes).toEqual([])
  write('other/package.json', '{ "name": "orders" }')
  writeJob('other/jobs/a.ts', ['v'])
  await expect(run('other/jobs/a.ts')).rejects.toThrow('acme:jobs/a.ts')
  write('other/package.json', 'no JSON')
  expect(identityOf(join(home, 'other/jobs/a.ts'), disk)).toBe(':jobs/a.ts')
})

test('the command line takes over with --take-over', () => {
  const [a, b] = [writeJob('jobs/a.ts', ['v']), writeJob('jobs/b.ts', ['v'], 2)]
  const out = ['--out', join(home, 'views')]
  expect(refold(['rebuild', a, ...out]).exitCode).toBe(0)
  expect(refold(['rebuild', b, ...out])).toMatchObject({ exitCode: 2, stdout: '' })
  const taken = refold(['rebuild', b, ...out, '--take-over'])
  expect(taken.exitCode).toBe(0)
  expect(taken.stdout).toContain('it belongs to ../jobs/b.ts now')
})

test.each([
  [['v', 'V'], 'differs only in case from that of view "v"'],
  [['v', 'v-vintages'], 'the name is kept for the vintages of view "v"'],
  [['v-Vintages', 'V'], 'the name is kept for the vintages of view "V"'],
  [['v', 'v'], 'expected one view of this name, found 2'],
])('a job of the views %j is refused', async (views, problem) => {
  writeJob('job.ts', views)
  await expect(run('job.ts')).rejects.toThrow(problem)
})
