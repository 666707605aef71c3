import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RebuildReport } from '../../src/model/report.ts'
import { command, type Ran, refold, repositoryRoot } from '../support/refold.ts'

const folder = mkdtempSync(join(tmpdir(), 'refold-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const jobPath = join(folder, 'counts.ts')

function jobText(handler: string, more = ''): string {
  return `import { defineJob, defineLog, defineView, int64 } from 'refold'
const ledger = defineLog({
  name: 'ledger',
  files: ${JSON.stringify(join(repositoryRoot, 'data/small-ledger/**/*.parquet'))},
  columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at', occurredAt: 'occurred_at', sequence: 'seq' },
  fields: { amount: int64() },
})
const counts = defineView({ name: 'counts', log: ledger, state: { events: int64() }, on: { ${handler} }, ${more} })
export default defineJob({ views: [counts] })
`
}

beforeAll(() => writeFileSync(jobPath, jobText("'*': (account) => { account.events++ }")))

function run(...parameters: readonly string[]): Ran {
  return refold(parameters, { cwd: folder })
}

describe('refold rebuild', () => {
  test('publishes, tells what it did, and finds nothing new the second time', () => {
    const first = run('rebuild', 'counts.ts')
    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toMatch(/^view +outcome +generation .*\ncounts +published +000001-/)
    const second = run('rebuild', 'counts.ts', '--json', '--workers', '0')
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    const report = JSON.parse(second.stdout) as RebuildReport
    const { counters, outcome, path } = report.views[0]!
    expect(outcome).toBe('unchanged')
    expect(existsSync(resolve(folder, path))).toBe(true)
    const { read, applied, filtered, duplicate, late, quarantined } = counters
    expect(read).toBe(applied + filtered + duplicate + late + quarantined)
    expect(run('show', 'counts', '--limit', '1').stdout).toMatch(/^account_id +events\n/)
    expect(run('history', 'counts').stdout).toContain('*  000001-')
  })

  test('--dry-run prints the plan that plan prints, and writes nothing', () => {
    const out = join(folder, 'untouched')
    const { stdout, exitCode } = run('rebuild', 'counts.ts', '--dry-run', '--out', out)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('log ledger\n')
    expect(run('plan', 'counts.ts', '--out', out).stdout).toBe(stdout)
    expect(JSON.parse(run('plan', 'counts.ts', '--json').stdout)).toMatchObject({
      job: 'counts',
      logs: [{ name: 'ledger' }],
    })
    expect(existsSync(out)).toBe(false)
  })

  test('ends with 3 where more events were quarantined than allowed', () => {
    writeFileSync(
      join(folder, 'strict.ts'),
      jobText('Opened: (account) => { account.events++ }', "unknown: 'quarantine'"),
    )
    const { exitCode, stdout, stderr } = run('rebuild', 'strict.ts', '--json', '--quiet', '--out', 'strict')
    expect(exitCode).toBe(3)
    const { quarantined } = (JSON.parse(stdout) as RebuildReport).views[0]!.counters
    expect(quarantined).toBeGreaterThan(0)
    expect(stderr).toContain('refold: counts was published without ')
    expect(run('rebuild', 'strict.ts', '--out', 'strict', '--max-exceptions', String(quarantined)).exitCode).toBe(0)
  })

  test.each([
    [['rebuild', 'none.ts'], 2, 'none.ts'],
    [['rebuild', 'counts.ts', '--view', 'sums'], 2, 'has no view'],
    [['rebuild', 'counts.ts', '--known-at', 'yesterday'], 2, 'yesterday'],
    [
      ['rebuild', 'counts.ts', '--vintages', 'quarter'],
      2,
      '--vintages: expected hour, day, week or month, found "quarter"',
    ],
  ] as const)('%j fails with its reason', (parameters, code, reason) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
    expect(stderr).toMatch(/^refold: /)
    expect(stderr).toContain(reason)
    expect(stderr).not.toContain('internal error')
  })

  test('--vintages publishes beside the view how it stood, where get finds any key', () => {
    const out = join(folder, 'vintages')
    const ran = run('rebuild', 'counts.ts', '--vintages', 'week', '--out', out, '--workers', '0', '--json')
    const { views } = JSON.parse(ran.stdout) as RebuildReport
    expect(views.map(({ view }) => view)).toEqual(['counts', 'counts-vintages'])
    const rowsOf = (...parameters: string[]) =>
      run(...parameters, '--out', out, '--format', 'ndjson')
        .stdout.trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    const now = rowsOf('show', 'counts', '--limit', '3')
    const last = rowsOf('show', 'counts-vintages', '--limit', '100000').at(-1)!['knownAt'] as string
    for (const { account_id, ...rest } of now) {
      const [found] = rowsOf('get', 'counts-vintages', last, account_id as string)
      expect(found).toEqual({ knownAt: last, account_id, ...rest })
    }
  })

  test('tells of a handler that throws, and where with --verbose', () => {
    writeFileSync(join(folder, 'broken.ts'), jobText("'*': () => { throw new Error('no such branch') }"))
    const short = run('rebuild', 'broken.ts', '--out', 'broken')
    expect(short).toMatchObject({ exitCode: 1, stdout: '' })
    expect(short.stderr).toContain('no such branch')
    expect(short.stderr).not.toContain('    at ')
    expect(run('rebuild', 'broken.ts', '--out', 'broken', '--verbose').stderr).toContain('    at ')
  })

  test('ends with 130 on Ctrl-C and leaves nothing published and nothing behind', async () => {
    const slow = "'*': (account) => { for (let i = 0; i < 3e7; i++) account.events += i & 1 }"
    writeFileSync(join(folder, 'slow.ts'), jobText(slow))
    const temporary = join(folder, 'temporary')
    const env = { ...process.env, TMPDIR: temporary }
    mkdirSync(temporary)
    const rebuild = spawn(process.execPath, [command, 'rebuild', 'slow.ts', '--out', 'slow', '--workers', '1'], {
      cwd: folder,
      env,
    })
    let stderr = ''
    rebuild.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    while (!existsSync(join(folder, 'slow', 'counts'))) await delay(20)
    rebuild.kill('SIGINT')
    const [code] = await once(rebuild, 'exit')
    expect(code).toBe(130)
    expect(stderr).toContain('refold: stopping; what is published stays as it is.')
    expect(existsSync(join(folder, 'slow/counts/_current.json'))).toBe(false)
    expect(readdirSync(temporary).filter((name) => name.startsWith('refold-job-'))).toEqual([])
  })
})

/** A rebuild that never ends by itself, once it has begun; its temporary folder is `temporary`. */
async function startEndless(workers: readonly string[], out: string, temporary: string) {
  writeFileSync(
    join(folder, 'endless.ts'),
    jobText("'*': (account) => { for (;;) account.events = (account.events + 1) | 0 }"),
  )
  mkdirSync(temporary, { recursive: true })
  const env = { ...process.env, TMPDIR: temporary }
  const rebuild = spawn(process.execPath, [command, 'rebuild', 'endless.ts', '--out', out, ...workers], {
    cwd: folder,
    env,
  })
  while (!existsSync(join(folder, out, 'counts'))) await delay(20)
  // Long enough for the first handler.
  await delay(700)
  return rebuild
}

describe('a rebuild without threads, busy in a handler', () => {
  test.each([
    ['SIGINT', 'one', []],
    ['SIGTERM', 'two', []],
    ['SIGINT', 'three', ['--workers', '0']],
  ] as const)('is ended by %s, run %s, %j', async (signal, name, workers) => {
    const temporary = join(folder, `temporary-${name}`)
    const rebuild = await startEndless(workers, name, temporary)
    rebuild.kill(signal)
    expect(await once(rebuild, 'exit')).toEqual([null, signal])
    expect(readdirSync(temporary).some((name) => name.startsWith('refold-job-'))).toBe(true)
    // What it left is cleared up by the next.
    expect(refold(['plan', 'counts.ts'], { cwd: folder, env: { ...process.env, TMPDIR: temporary } }).exitCode).toBe(0)
    expect(readdirSync(temporary).filter((name) => name.startsWith('refold-job-'))).toEqual([])
    expect(run('rebuild', 'counts.ts', '--out', name).exitCode).toBe(0)
    expect(readdirSync(join(folder, name, 'counts')).filter((name) => name.startsWith('_staging'))).toEqual([])
  })
})

test('refold inspect tells of the events of a job', () => {
  const { exitCode, stdout } = run('inspect', 'counts.ts')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('events of ledger\n')
  expect(stdout).toMatch(/^Deposited +[\d,]+$/m)
  expect(JSON.parse(run('inspect', 'counts.ts', '--json').stdout)).toMatchObject([
    { log: 'ledger', files: {}, events: {} },
  ])
})
