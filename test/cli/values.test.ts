import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openView } from '../../src/index.ts'
import { date, int64, nullable, string, timestamp } from '../../src/model/types.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

const { path: folder, remove } = scratch('cli-values')
afterAll(remove)

const run = (...parameters: readonly string[]) => refold(parameters, { cwd: folder })

const columns = { id: string(), note: nullable(string()), reply: nullable(string()), at: timestamp(), amount: int64() }
const notes = [null, '', 'null', '"', 'word']

const job = (least: number) => `import { defineJob, defineLog, defineView, int64, nullable, string } from 'refold'
const log = defineLog({ name: 'log', files: 'log.parquet', columns: { id: 'id', recordedAt: 'at' },
  fields: { amount: int64(), note: nullable(string()), reply: nullable(string()) } })
export const notes = defineView({ name: 'notes', log, key: { note: nullable(string()) }, keyBy: (e) => ({ note: e.note }),
  state: { amount: int64(), reply: nullable(string()) }, on: { Event: (s, e) => { s.amount += e.amount; s.reply = e.reply } },
  columns: { amount: int64(), reply: nullable(string()) }, row: (s) => (s.amount >= ${least} ? s : null) })
export default defineJob({ views: [notes] })
`

beforeAll(() => {
  const rows = notes.map((note, i) => ({ id: `e${i}`, note, reply: notes[4 - i]!, at: i, amount: i + 1 }))
  writeRows(join(folder, 'log.parquet'), columns, rows)
  writeFileSync(join(folder, 'notes.ts'), job(1))
  expect(run('rebuild', 'notes.ts')).toMatchObject({ exitCode: 0 })
})

describe('a null, an empty text and the word null', () => {
  test('differ in tables, and in what is compared', () => {
    expect(run('show', 'notes').stdout.split('\n').slice(1, -1)).toEqual([
      '           1  word',
      '""         2  "\\""',
      '"\\""       4  ""',
      'null       3  null',
      'word       5',
    ])
    expect(run('trace', 'notes', 'null').stdout).toContain('e0     1970-01-01  Event ')
  })

  test.each([
    ['null', 1],
    ['', 2],
    ['""', 2],
    ['"null"', 3],
    ['"\\""', 4],
    ['word', 5],
    ['"word"', 5],
  ])('can each be asked for: %j', (written, amount) => {
    const { stdout, stderr } = run('get', 'notes', written, '--json')
    expect({ stderr, amount: JSON.parse(stdout).amount }).toEqual({ stderr: '', amount })
    expect(JSON.parse(run('trace', 'notes', written, '--json').stdout)).toMatchObject({ total: 1, rows: [{ amount }] })
  })

  test('are what they are to a program', async () => {
    const view = await openView(join(folder, 'views'), 'notes')
    for (const [i, note] of notes.entries()) expect(await view.get([note])).toMatchObject([{ note, amount: i + 1 }])
    expect(await view.get({ note: '""' })).toEqual([])
    view.close()
  })

  test('a text whose quotes do not close is refused', () => {
    expect(run('get', 'notes', '"word')).toMatchObject({
      exitCode: 2,
      stderr: 'refold: Key column note: expected a text, or one in double quotes as JSON has it, found "word.\n',
    })
  })
})

test('diff counts rows, not keys that have none', () => {
  writeFileSync(join(folder, 'notes.ts'), job(3))
  expect(run('rebuild', 'notes.ts')).toMatchObject({ exitCode: 0 })
  const { stdout } = run('diff', 'notes')
  expect(stdout.split('\n')[1]).toBe('0 rows added, 2 removed, 0 changed, 3 unchanged')
  expect(stdout).toContain('−  ""    2       "\\""\n')
  expect(JSON.parse(run('diff', 'notes', '--json').stdout)).toMatchObject({
    keys: { added: 0, removed: 2, changed: 0 },
    rows: { added: 0, removed: 2, changed: 0, unchanged: 3 },
  })
})

describe('inspect', () => {
  const days = { id: string(), day: date(), seen: date() }
  const source = (files: string, extra = '') => `import { date, defineJob, defineLog, defineView, int32 } from 'refold'
const log = defineLog({ name: 'days', files: '${files}', zone: 'Asia/Taipei', columns: { id: 'id', key: 'id', occurredAt: 'day', recordedAt: 'seen' }${extra} })
export default defineJob({ views: [defineView({ name: 'v', log, state: { n: int32() }, on: { Event: (s) => { s.n++ } } })] })
`

  test('prints days as days, in the zone of the log', () => {
    writeRows(join(folder, 'days/a.parquet'), days, [
      { id: 'a', day: 18_000, seen: 18_002 },
      { id: 'b', day: 18_001, seen: 18_003 },
    ])
    writeFileSync(join(folder, 'days.ts'), source('days/*.parquet'))
    const { stdout } = run('inspect', 'days.ts')
    expect(stdout).toContain('  occurred    from 2019-04-14 to 2019-04-15\n')
    expect(stdout).toContain('  recorded    from 2019-04-16 to 2019-04-17\n')
    expect(stdout).toContain('  complete    up to 2019-04-17\n')
  })

  test('names the partition that holds the watermark back, unless it is idle', () => {
    for (const [name, seen] of [
      ['ahead', 18_010],
      ['behind', 18_008],
    ] as const) {
      writeRows(join(folder, `parts/p=${name}/a.parquet`), days, [{ id: name, day: 18_000, seen }])
    }
    writeFileSync(join(folder, 'parts.ts'), source('parts/**/*.parquet', ", idleTimeout: '7 days'"))
    expect(run('inspect', 'parts.ts').stdout).toContain(
      '  complete    up to 2019-04-22, held back by partition p=behind\n',
    )
    expect(JSON.parse(run('inspect', 'parts.ts', '--json').stdout)[0].events.progress).toMatchObject({
      heldBackBy: 'p=behind',
    })
    writeFileSync(join(folder, 'parts.ts'), source('parts/**/*.parquet', ", idleTimeout: '1 day'"))
    expect(run('inspect', 'parts.ts').stdout).toContain('  complete    up to 2019-04-23\n')
  })
})
