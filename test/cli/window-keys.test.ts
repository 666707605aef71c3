import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { int64, string, timestamp } from '../../src/model/types.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { type Ran, refold } from '../support/refold.ts'

const { path: folder, remove } = scratch('window-keys')
afterAll(remove)

const columns = { id: string(), place: string(), at: timestamp(), known: timestamp(), cases: int64() }
const hour = 3_600_000_000

/** Recorded an hour later. */
const report = (at: string, number: number) => {
  const moment = Date.parse(at) * 1000
  return { id: `r${number}`, place: 'north', at: moment, known: moment + hour, cases: 1 }
}

const job = `import { defineJob, defineLog, defineView, int64 } from 'refold'
const reports = defineLog({
  name: 'reports',
  files: ${JSON.stringify(join(folder, 'log/*.parquet'))},
  columns: { id: 'id', key: 'place', occurredAt: 'at', recordedAt: 'known' },
  fields: { cases: int64() },
  zone: 'Europe/Berlin',
})
const on = { '*': (state, e) => { state.cases += e.cases } }
const of = (name, every, more = {}) =>
  defineView({ name, log: reports, window: { name: 'start', every, allowedLateness: '60 days' }, state: { cases: int64() }, on, ...more })
export default defineJob({ views: [
  of('hourly', 'hour'), of('daily', 'day'), of('monthly', 'month'),
  of('split', 'day', { columns: { cases: int64() }, row: (state) => [state, state] }),
] })
`

beforeAll(() => {
  mkdirSync(join(folder, 'log'))
  writeFileSync(join(folder, 'job.ts'), job)
  const moments = [
    '2021-03-15T12:00Z',
    '2021-03-28T00:30Z',
    '2021-04-30T10:00Z',
    '2021-05-01T10:00Z',
    '2021-05-20T10:00Z',
  ]
  writeRows(join(folder, 'log/a.parquet'), columns, moments.map(report))
  expect(run('rebuild', 'job.ts', '--vintages', 'month')).toMatchObject({ exitCode: 0 })
})

function run(...parameters: readonly string[]): Ran {
  return refold(parameters, { cwd: folder })
}

describe('a key of windows', () => {
  test('is no other day than the one that is named', () => {
    const message = 'Key column start: expected a day such as 2021-05-22, found 2021-04-31.\n'
    for (const verb of ['get', 'trace']) {
      const { exitCode, stderr } = run(verb, 'daily', '2021-04-31')
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) })
    }
  })

  test('is local time where it names no offset', () => {
    expect(run('get', 'hourly', '2021-03-28T01:00', '--json').stdout).toContain('"start":"2021-03-28T00:00:00.000000Z"')
    expect(JSON.parse(run('trace', 'hourly', '2021-03-28T01:00', '--json').stdout).events).toHaveLength(1)
  })

  test('that lies within a window is refused with the window that holds it', () => {
    expect(run('get', 'monthly', '2021-03-15')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/ has no row of 2021-03-15: 2021-03-15 is in the window 2021-03-01\.\n$/),
    })
    expect(run('trace', 'monthly', '2021-03-15')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(
        'View monthly can have no such key: windows are of 1 month, and 2021-03-15 is in the window 2021-03-01.\n',
      ),
    })
    expect(run('trace', 'hourly', '2021-03-28T01:30').stderr).toContain(
      '2021-03-28T01:30:00+01:00 is in the window 2021-03-28T01:00:00+01:00.\n',
    )
  })
})

describe('what is observed and expected', () => {
  test('reaches to the end of the last period', () => {
    expect(run('triangle', 'monthly').stderr).toContain('Observed through 2021-04-30; windows are every month')
  })

  test('is not told of each of several rows of a window', () => {
    const [first] = run('show', 'split', '--tier', 'live', '--json').stdout.split('\n')
    expect(Object.keys(JSON.parse(first!))).toContain('completeness')
    expect(first).not.toContain('estimate')
  })

  test('is one window where there is one', () => {
    expect(run('get', 'daily', '2021-05-20', '--tier', 'live').stderr).toContain('; the window is provisional.')
  })
})

describe('a view that is read anew', () => {
  test.each([
    ['trace', 'monthly-vintages', '2021-03-31', '2021-03-01'],
    ['diff', 'monthly-vintages', '--known-at', '2021-04-30'],
    ['show', 'monthly-vintages', '--known-at', '2021-04-30'],
  ])('is no view of vintages: %s', (...parameters) => {
    expect(run(...parameters)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('expected a view, found the vintages of one. Take the view itself'),
    })
  })

  test('asks for its job where that was moved', () => {
    renameSync(join(folder, 'job.ts'), join(folder, 'moved.ts'))
    expect(run('show', 'daily', '--known-at', '2021-04-30')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /job\.ts: there is no such file\. Generation 000001-\w+ of view daily was built from it; name the job with --job\.\n/,
      ),
    })
    expect(run('show', 'daily', '--known-at', '2021-04-30', '--job', 'moved.ts').exitCode).toBe(0)
    renameSync(join(folder, 'moved.ts'), join(folder, 'job.ts'))
  })

  test('is traced whole, and trace says so where the published generation knew less', () => {
    const out = ['--out', 'then']
    expect(run('rebuild', 'job.ts', '--known-at', '2021-04-30', ...out).exitCode).toBe(0)
    expect(run('trace', 'monthly', '2021-05-01', ...out).stderr).toMatch(
      /Generation 000001-\w+ knew up to 2021-04-30T21:59:59\.999999Z; this reads everything\.\n/,
    )
  })
})

test('an empty log is said to be empty', () => {
  mkdirSync(join(folder, 'nothing'))
  writeRows(join(folder, 'nothing/a.parquet'), columns, [])
  const input = ['--input', 'reports=nothing/*.parquet', '--out', 'none']
  expect(run('rebuild', 'job.ts', ...input).stdout).toContain(
    'Log reports has recorded no event, so its views have no rows.\n',
  )
  expect(run('triangle', 'daily', '--out', 'none')).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: 'No event of the log is known, so there is no triangle.\n',
  })
})
