import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generationFolder, keptLogicPath, manifestPath } from '../../src/storage/generations.ts'
import { type CaseEvent, correctedView } from '../support/corrected-view.ts'
import { scratch } from '../support/logs.ts'
import { type Ran, refold } from '../support/refold.ts'

const folder = scratch('corrections')
afterAll(folder.remove)

const early: CaseEvent[] = [
  { id: 'a1', region: 'a', day: 1, recordedDay: 2, cases: 5 },
  { id: 'b1', region: 'b', day: 1, recordedDay: 2, cases: 7 },
  { id: 'c1', region: 'c', day: 2, recordedDay: 2, cases: 1 },
]
const late: CaseEvent[] = [
  { id: 'a2', region: 'a', day: 1, recordedDay: 3, cases: 2 },
  { id: 'd1', region: 'd', day: 3, recordedDay: 3, cases: 4 },
]
const view = correctedView(join(folder.path, 'cases'))
const generations: string[] = []

beforeAll(async () => {
  view.setLog(early)
  generations.push((await view.publish(1)).generation)
  view.setLog([...early.slice(0, 2), ...late])
  // One of the early events was withdrawn.
  generations.push((await view.publish(1, { allowMissingInputs: true })).generation)
  generations.push((await view.publish(2)).generation)
})

function run(...parameters: readonly string[]): Ran {
  return refold([...parameters, '--out', view.out])
}

function objects({ exitCode, stdout }: Ran): Record<string, unknown>[] {
  expect(exitCode).toBe(0)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('refold diff', () => {
  test('compares the current generation with the one before, column by column and key by key', () => {
    const { exitCode, stdout, stderr } = run('diff', 'cases', '1', '2')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      `cases, generation ${generations[0]} → generation ${generations[1]}`,
      '1 row added, 1 removed, 1 changed, 1 unchanged',
    ])
    const lines = stdout.split('\n').map((line) => line.trimEnd())
    expect(lines).toContain('total                  1')
    expect(lines.some((line) => /^~ {2}1970-01-02 {2}a .* 5 → 7 +1 → 2/.test(line))).toBe(true)
    expect(lines.some((line) => /^\+ {2}1970-01-04 {2}d .* 4 +1/.test(line))).toBe(true)
    expect(lines.some((line) => /^− {2}1970-01-03 {2}c .* 1 +1/.test(line))).toBe(true)
  })

  test('prints a document of all that it found as --json, and lines as ndjson and csv', () => {
    const { exitCode, stdout } = run('diff', 'cases', '--json')
    expect(exitCode).toBe(0)
    const document = JSON.parse(stdout) as Record<string, unknown>
    expect(document).toMatchObject({
      before: `generation ${generations[1]}`,
      rows: { added: 0, removed: 0, changed: 3, unchanged: 0 },
      columns: [{ name: 'total', rows: 3 }, { name: 'reports', rows: 0 }, { name: 'status' }, { name: 'lateEvents' }],
    })
    expect(document['changes']).toHaveLength(3)
    expect(objects(run('diff', 'cases', '1', '2', '--format', 'ndjson'))).toContainEqual({
      change: 'changed',
      key: { day: '1970-01-02', region: 'a' },
      row: 0,
      old: { total: 5, reports: 1 },
      new: { total: 7, reports: 2 },
    })
    const csv = run('diff', 'cases', '1', '2', '--format', 'csv', '--limit', '1')
    expect(csv.stdout).toMatch(/^change,day,region,row,column,old,new\r\n/)
    expect(csv.stderr).toContain('1 row added, 1 removed, 1 changed, 1 unchanged.')
  })

  test('compares what two moments knew, and a moment with what is published', () => {
    const moments = run('diff', 'cases', '--known-at', '1970-01-03', '--known-at', '1970-01-04', '--json', '--quiet')
    expect(JSON.parse(moments.stdout)).toMatchObject({
      before: 'known at 1970-01-03',
      after: 'known at 1970-01-04',
      rows: { added: 1, removed: 0, changed: 1, unchanged: 1 },
    })
    const named = run('diff', 'cases', '1', '--known-at', '1970-01-04', '--json', '--quiet')
    expect(JSON.parse(named.stdout)).toMatchObject({
      before: `generation ${generations[0]}`,
      after: 'known at 1970-01-04',
    })
    const since = run('diff', 'cases', '--known-at', '1970-01-03', '--json', '--quiet')
    expect(JSON.parse(since.stdout)).toMatchObject({ rows: { added: 1, removed: 0, changed: 1, unchanged: 1 } })
  })

  test.each([
    [['diff', 'none'], 'Cannot read view none'],
    [['diff', 'cases', '9'], 'Cannot read generation 9 of view cases'],
    [['diff', 'cases', '1', '9'], 'Cannot read generation 9 of view cases'],
    [['diff', 'cases', '1', '2', '--known-at', '1970-01-03'], 'Cannot compare 3 things'],
    [['diff', 'cases', '--format', 'xml'], '--format: expected one of table, ndjson, csv, found xml'],
    [['diff', 'cases', '--known-at', 'soon', '--quiet'], '--known-at'],
    [['diff', 'cases', '--job', 'x.ts'], '--job'],
    [['corrections', 'none'], 'Cannot read view none'],
    [['corrections', 'cases', '--generation', '9'], 'Cannot read generation 9 of view cases'],
    [['corrections', 'cases', '--since', '9'], 'Cannot read generation 9 of view cases'],
    [['corrections', 'cases', '--since', '1', '--generation', '2'], '--generation and --since exclude each other'],
    [['notify', 'none', '--file', 'x.jsonl'], 'Cannot read view none'],
    [['notify', 'cases'], 'Expected one of --file, --command and --webhook, found none'],
    [['notify', 'cases', '--file', 'x', '--command', 'y'], 'found --file and --command'],
    [['notify', 'cases', '--webhook', 'example.org'], '--webhook: expected an address such as'],
    [['notify', 'cases', '--webhook', 'ftp://example.org'], '--webhook: expected an address such as'],
    [['notify', 'cases', '--webhook', 'https://a:b@example.org'], 'without a user and password'],
    [
      ['notify', 'cases', '--file', 'x', '--retries', 'many'],
      '--retries: expected a whole number from 0 to 1000, found',
    ],
  ])('%j is refused', (parameters, message) => {
    const { exitCode, stdout, stderr } = run(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('tells that the first generation has none before it', async () => {
    const own = correctedView(join(folder.path, 'first'))
    own.setLog(early)
    await own.publish(1)
    const { exitCode, stderr } = refold(['diff', 'cases', '--out', own.out])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('is the first. Name two generations')
    rmSync(own.home, { recursive: true })
  })
})

describe('refold corrections', () => {
  test('lists the notices of the current generation, of another, or of several', () => {
    expect(objects(run('corrections', 'cases', '--json')).map(({ cause }) => cause)).toEqual(
      Array.from({ length: 3 }, () => 'changed logic'),
    )
    const second = objects(run('corrections', 'cases', '--generation', '2', '--format', 'ndjson'))
    expect(second.map(({ id, column, old, new: now }) => [id, column, old, now])).toEqual(
      second.map(({ column, old, new: now }, row) => [`cases/${generations[1]}/${row}`, column, old, now]),
    )
    expect(new Set(second.map(({ cause }) => cause))).toEqual(new Set(['late data', 'upstream correction']))
    expect(objects(run('corrections', 'cases', '--since', 'all', '--json'))).toHaveLength(second.length + 3)
    expect(objects(run('corrections', 'cases', '--since', '3', '--json'))).toHaveLength(3)
  })

  test('prints a table and says where there are none', () => {
    const { stdout } = run('corrections', 'cases', '--generation', '3')
    expect(stdout.split('\n')[0]).toMatch(
      /^day +region +column +change +old +new +cause +was_final +first_published_at +events/,
    )
    expect(stdout.split('\n')[1]).toMatch(/^1970-01-\d\d +[a-d] +total +changed +\d+ +\d+ +changed logic/)
    const since = run('corrections', 'cases', '--since', 'all')
    expect(since.stdout.split('\n')[0]).toMatch(/^generation +day +region +column +change +old/)
    expect(since.stdout).toContain(`${generations[1]}  1970-01-03  c       total    vanished`)
    const none = run('corrections', 'cases', '--generation', '1')
    expect(none).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `No published figure of view cases was corrected by generation ${generations[0]}.\n`,
    })
    const csv = run('corrections', 'cases', '--generation', '1', '--format', 'csv')
    expect(csv.stdout).toMatch(/^id,generation,key,row,column,change,old,new,cause,steps,detail,/)
    expect(run('corrections', 'cases', '--generation', '1', '--format', 'arrow').exitCode).toBe(0)
  })
})

describe('where something is gone or damaged', () => {
  let out: string
  let damages = 0
  beforeEach(() => {
    out = join(folder.path, `damaged-${damages++}`)
    cpSync(view.out, out, { recursive: true })
  })
  const inCopy = (...parameters: readonly string[]) => refold([...parameters, '--out', out])
  const folderOf = (index: number) => generationFolder(out, 'cases', generations[index]!)

  test('corrections and notify tell that they begin behind a generation that was removed', () => {
    rmSync(folderOf(1), { recursive: true })
    const gap = `A generation was removed: what generation ${generations[1]} of view cases and those before it corrected is not reported.\n`
    const listed = inCopy('corrections', 'cases', '--since', 'all', '--json')
    expect(objects(listed)).toHaveLength(3)
    expect(listed.stderr).toBe(gap)
    const file = join(out, 'notices.jsonl')
    expect(inCopy('notify', 'cases', '--file', file).stderr).toBe(`${gap}3 notices of view cases delivered.\n`)
    expect(inCopy('notify', 'cases', '--file', file).stderr).toBe('0 notices of view cases delivered.\n')
  })

  test('an older generation that is damaged ends the way back, and is to be removed', () => {
    writeFileSync(manifestPath(folderOf(1)), '{')
    const listed = inCopy('corrections', 'cases', '--since', 'all', '--json')
    expect(objects(listed)).toHaveLength(3)
    expect(listed.stderr).toContain(`Remove the folder ${folderOf(1)}: the current generation, ${generations[2]}, does`)
    expect(listed.stderr).toContain(
      `what generation ${generations[1]} of view cases and those before it corrected is not`,
    )
    const { exitCode, stderr } = inCopy('show', 'cases', '--generation', '2')
    expect(exitCode).toBe(1)
    expect(stderr).not.toContain('ebuild the view')
  })

  test('history lists a generation that is damaged as such, and all others', () => {
    writeFileSync(manifestPath(folderOf(1)), '{')
    const { exitCode, stdout, stderr } = inCopy('history', 'cases')
    expect(exitCode).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[2]).toMatch(new RegExp(`^cases +${generations[1]}  damaged`))
    expect(lines[3]).toMatch(/^cases +\* /)
    expect(stderr).toContain(`Remove the folder ${folderOf(1)}`)
    const entries = JSON.parse(inCopy('history', '--json').stdout) as { damaged: boolean; rows: number | null }[]
    expect(entries.map(({ damaged, rows }) => [damaged, rows === null])).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ])
    writeFileSync(join(out, 'cases/_current.json'), '')
    const none = inCopy('history', 'cases')
    expect(none.stdout).not.toContain('*')
    expect(none.stderr).toContain('Rebuild the view')
  })

  test('a file of notices is read only as it was published', () => {
    const path = join(folderOf(2), '_corrections/part-00000.parquet')
    const bytes = readFileSync(path)
    bytes[10]! ^= 1
    writeFileSync(path, bytes)
    const changed = inCopy('corrections', 'cases')
    expect(changed.exitCode).toBe(1)
    expect(changed.stderr).toMatch(
      /Cannot use .*part-00000\.parquet: expected \d+ bytes with the SHA-256 \w+, found the/,
    )
    rmSync(path)
    const { exitCode, stderr } = inCopy('notify', 'cases', '--file', join(out, 'notices.jsonl'))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^\d+ notices of view cases delivered before it stopped\.\nrefold: Cannot use .* found no such/,
    )
    expect(stderr).toContain(`Restore the file from a copy; or remove the folder ${folderOf(2)}`)
  })

  test('why causes could not be determined is printed below the table', async () => {
    const own = correctedView(join(folder.path, 'no-logic'))
    own.setLog(early)
    const { path } = await own.publish(1)
    writeFileSync(keptLogicPath(path), '')
    own.setLog([...early, ...late])
    await own.publish(2)
    const { stdout, stderr } = refold(['corrections', 'cases', '--out', own.out])
    expect(stdout).toContain('undetermined')
    expect(stderr.match(/Not all could be determined: Cannot run the logic of generation 000001/g)).toHaveLength(1)
  })
})

test.each([
  [['corrections', 'plain'], 'refold corrections: expected a view with windows, found plain, which has none'],
  [
    ['notify', 'plain', '--file', 'x.jsonl'],
    'refold notify: expected a view with windows, found plain, which has none',
  ],
])('%j is refused, as figures of a view without windows are never taken to be published', (parameters, message) => {
  const home = join(folder.path, 'plain')
  const out = join(home, 'views')
  cpSync(join(view.home, 'log'), join(home, 'log'), { recursive: true })
  const job = join(home, 'job.ts')
  writeFileSync(
    job,
    `import { defineJob, defineLog, defineView, int64, string } from 'refold'
const log = defineLog({ name: 'cases', files: ${JSON.stringify(join(home, 'log/**/*.parquet'))},
  columns: { id: 'id', key: 'region', recordedAt: 'recorded_at' }, fields: { cases: int64() } })
const plain = defineView({ name: 'plain', log, state: { total: int64() },
  on: { '*': (state, e) => { state.total += e.cases } } })
export default defineJob({ views: [plain] })
`,
  )
  expect(refold(['rebuild', job, '--out', out, '--workers', '0', '--quiet']).exitCode).toBe(0)
  const { exitCode, stdout, stderr } = refold([...parameters, '--out', out])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain(message)
})

test('refold notify delivers to a file and says how many', () => {
  const file = join(folder.path, 'notices.jsonl')
  const first = run('notify', 'cases', '--file', file)
  const count = readFileSync(file, 'utf8').trimEnd().split('\n').length
  expect(first).toEqual({ exitCode: 0, stdout: '', stderr: `${count} notices of view cases delivered.\n` })
  expect(run('notify', 'cases', '--file', file).stderr).toBe('0 notices of view cases delivered.\n')
  expect(existsSync(join(process.cwd(), 'x.jsonl'))).toBe(false)
})
