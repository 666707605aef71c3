import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import {
  defineJob,
  defineLog,
  defineView,
  type InputError,
  int64,
  loadDefinition,
  openView,
  planRebuild,
  type RebuildOptions,
  type RebuildReport,
  rebuild,
  string,
  timestamp,
} from 'refold'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { changesOfInputs, type InputFile } from '../../src/plan/input-changes.ts'
import { scratch, writeRows } from '../support/logs.ts'
import { refold } from '../support/refold.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('inputs')
  home = folder.path
})
afterEach(() => folder.remove())

const dayMicroseconds = 86_400_000_000
const fields = { id: string(), recorded_at: timestamp(), amount: int64() }

/** Writes a file of one event for each day of recording that is given. */
function write(path: string, ...days: readonly number[]): void {
  writeRows(
    join(home, path),
    fields,
    days.map((day) => ({ id: `${day}`, recorded_at: day * dayMicroseconds, amount: day })),
  )
}

function remove(path: string): void {
  rmSync(join(home, path), { recursive: true })
}

interface Given extends Partial<RebuildOptions> {
  readonly log?: string
  readonly files?: string
}

function jobOf({ log: name = 'events', files = 'log' }: Given) {
  const log = defineLog({
    name,
    files: join(home, files),
    columns: { id: 'id', key: 'id', recordedAt: 'recorded_at' },
    fields: { amount: int64() },
  })
  const view = defineView({
    name: 'sums',
    log,
    state: { sum: int64() },
    on: {
      '*': (state, e) => {
        state.sum += e.amount
      },
    },
  })
  return loadDefinition(defineJob({ views: [view] }))
}

async function run(given: Given = {}): Promise<RebuildReport> {
  const { log: _, files: __, ...options } = given
  return rebuild(await jobOf(given), { out: join(home, 'views'), workers: 0, ...options })
}

async function rowsOf(): Promise<number> {
  const view = await openView(join(home, 'views'), 'sums')
  try {
    return view.manifest.rows
  } finally {
    view.close()
  }
}

describe('a rebuild from fewer files than the published generation', () => {
  beforeEach(async () => {
    for (const day of [1, 2, 3]) write(`log/${day}.parquet`, day)
    await run()
  })

  test('fails, names them, and says how to go on', async () => {
    remove('log/2.parquet')
    const error: InputError = await run().then(
      () => expect.unreachable(),
      (reason) => reason,
    )
    expect(error.message).toBe(
      `Cannot rebuild view sums: expected a log that only grows. 1 of the 3 files that generation ${(await openView(join(home, 'views'), 'sums')).generation} of view sums was built from is gone or changed: ${join(home, 'log/2.parquet')} (1 row); the log has 2 rows now, and had 3. Restore the files; or, where they were removed or replaced on purpose, allow it with --allow-missing-inputs (allowMissingInputs of rebuild()).`,
    )
    expect(error.place).toEqual({ view: 'sums', file: join(home, 'log/2.parquet') })
    expect(await rowsOf()).toBe(3)
  })

  test('fails with known-at and as-of, other inputs, another glob, another log name, and where files grew besides', async () => {
    await expect(run({ inputs: { events: join(home, 'log/1.parquet') } })).rejects.toThrow('2 of the 3 files')
    await expect(run({ files: 'log/[12].parquet' })).rejects.toThrow('1 of the 3 files')
    await expect(run({ files: 'log/[12].parquet', log: 'other' })).rejects.toThrow('1 of the 3 files')
    remove('log/1.parquet')
    await expect(run({ knownAt: '1970-01-03' })).rejects.toThrow('1 of the 3 files')
    await expect(run({ vintages: 'day' })).rejects.toThrow('1 of the 3 files')
    // As many rows as before, all of them later: the oldest file was dropped.
    write('log/4.parquet', 4, 5, 6)
    await expect(run()).rejects.toThrow(
      /they held events recorded from 1970-01-02T00:00:00.000000000Z to .*, and the new files hold such from 1970-01-05/,
    )
  })

  test('is published where that is allowed, and says so', async () => {
    remove('log/2.parquet')
    const report = await run({ allowMissingInputs: true })
    expect(report.views[0]).toMatchObject({ outcome: 'published', rows: 2 })
    expect(report.notes.join()).toMatch(
      /1 of the 3 files .* was built from is gone .*was built without them, as was allowed/,
    )
    // From now on that is what is compared with.
    expect((await run()).notes).toEqual([])
  })

  test('is reported by plan and history', async () => {
    remove('log/2.parquet')
    const { changedInputs } = await planRebuild(await jobOf({}), { out: join(home, 'views') })
    expect(changedInputs).toMatchObject([{ view: 'sums', files: 3, rowsBefore: 3, rowsNow: 2 }])
    expect(changedInputs[0]!.gone.map(({ path }) => path)).toEqual([join(home, 'log/2.parquet')])
    expect(changedInputs[0]!.loss).toBe('the log has 2 rows now, and had 3')
    await run({ allowMissingInputs: true })
    const view = await openView(join(home, 'views'), 'sums')
    const [first, second] = await view.history()
    view.close()
    expect(first).toMatchObject({ inputs: 3, goneInputs: null, lostInputs: null })
    expect(second).toMatchObject({
      inputs: 2,
      goneInputs: [{ path: join(home, 'log/2.parquet'), rows: 1 }],
      lostInputs: 'the log has 2 rows now, and had 3',
    })
    expect(refold(['history', 'sums', '--out', join(home, 'views')]).stdout).toContain('2 files, 1 lost')
  })

  test('is compared with nothing where the published manifest is damaged', async () => {
    remove('log/2.parquet')
    const view = await openView(join(home, 'views'), 'sums')
    view.close()
    writeFileSync(join(home, 'views/sums', view.generation, '_manifest.json'), '')
    expect((await run()).views[0]).toMatchObject({ outcome: 'published', rows: 2 })
  })
})

describe('files that are rewritten', () => {
  beforeEach(async () => {
    for (const day of [1, 2, 3]) write(`log/${day}.parquet`, day)
    await run()
  })

  test('are accepted where they hold as much, and reported', async () => {
    for (const day of [1, 2, 3]) remove(`log/${day}.parquet`)
    write('log/all.parquet', 1, 2, 3)
    const report = await run()
    expect(report.views[0]!.outcome).toBe('unchanged')
    expect(report.notes.join()).toMatch(
      /3 of the 3 files .*1 file has other contents\. They count as rewritten: no rows were lost/,
    )
    const { changedInputs } = await planRebuild(await jobOf({}), { out: join(home, 'views') })
    expect(changedInputs[0]!.loss).toBeNull()
  })

  test('are accepted under the same name with more rows, and refused with fewer', async () => {
    write('log/3.parquet', 3, 4)
    expect((await run()).notes.join()).toContain('count as rewritten')
    write('log/3.parquet', 4)
    await expect(run()).rejects.toThrow('the log has 3 rows now, and had 4')
  })

  test('are not even reported where they were moved, renamed or are named from another folder', async () => {
    mkdirSync(join(home, 'moved/deep'), { recursive: true })
    cpSync(join(home, 'log/2.parquet'), join(home, 'moved/deep/other.parquet'))
    for (const day of [1, 3]) renameSync(join(home, `log/${day}.parquet`), join(home, `moved/${day}.parquet`))
    expect((await run({ files: 'moved' })).notes).toEqual([])
    expect((await run({ inputs: { events: relative(process.cwd(), join(home, 'moved')) } })).notes).toEqual([])
  })
})

const input = (path: string, rows: number, footerSha256 = path): InputFile => ({
  path,
  rows,
  bytes: rows,
  footerSha256,
})

describe('changesOfInputs()', () => {
  test('finds a partition that lost rows, whatever others gained', () => {
    const before = [input('log/day=1/a', 10), input('log/day=2/b', 10)]
    expect(changesOfInputs(before, [input('log/day=2/b', 10), input('log/day=3/c', 10)]).loss).toBe(
      'partition day=1 has 0 rows now, and had 10',
    )
    expect(
      changesOfInputs(before, [input('log/day=1/a', 9, 'x'), input('log/day=2/b', 10), input('log/day=3/c', 9)]).loss,
    ).toBe('partition day=1 has 9 rows now, and had 10')
    expect(changesOfInputs(before, [input('log/day=1/x', 10), input('log/day=2/y', 10)]).loss).toBeNull()
  })

  test('compares only the whole log where it is laid out by other columns', () => {
    const before = [input('log/day=1/a', 10), input('log/day=2/b', 10)]
    expect(changesOfInputs(before, [input('log/month=1/x', 20)]).loss).toBeNull()
    expect(changesOfInputs(before, [input('log/month=1/x', 19)]).loss).toBe('the log has 19 rows now, and had 20')
  })

  test('counts a file with the same contents once', () => {
    const twice = [input('a', 5, 'same'), input('b', 5, 'same')]
    expect(changesOfInputs(twice, [input('c', 5, 'same')]).gone).toHaveLength(1)
    expect(changesOfInputs(twice, [input('c', 5, 'same'), input('d', 5, 'same')]).gone).toEqual([])
  })

  test('takes a newer generation of a view for the one that was read before', () => {
    const before = [input('views/sums/000001-9f86d081884c/part-00000.parquet', 10), input('log/a', 1)]
    const now = [input('views/sums/000002-41d0aa86d081/part-00000.parquet', 3), input('log/a', 1)]
    expect(changesOfInputs(before, now)).toMatchObject({ gone: [], added: [], loss: null })
    expect(changesOfInputs(before, now.slice(1)).loss).toBe('the log has 1 rows now, and had 11')
  })

  test('minds files without rows and without statistics', () => {
    expect(changesOfInputs([input('a', 0)], [])).toMatchObject({ loss: null, gone: [{ path: 'a' }] })
    const spanned = { ...input('a', 5), recordedFrom: '2021-01-01', recordedTo: '2021-01-02' }
    expect(changesOfInputs([spanned], [input('b', 5)]).loss).toBeNull()
    const wider = { ...input('b', 9), recordedFrom: '2021-01-01', recordedTo: '2021-01-05' }
    expect(changesOfInputs([spanned], [wider]).loss).toBeNull()
    expect(changesOfInputs([spanned], [{ ...wider, recordedTo: '2021-01-01' }]).loss).toContain('they held events')
  })
})

test('the command line refuses and allows it', () => {
  for (const day of [1, 2]) write(`log/${day}.parquet`, day)
  const job = join(home, 'job.ts')
  mkdirSync(dirname(job), { recursive: true })
  writeFileSync(
    job,
    `import { defineJob, defineLog, defineView, int64 } from 'refold'
const log = defineLog({ name: 'events', files: ${JSON.stringify(join(home, 'log'))}, columns: { id: 'id', key: 'id', recordedAt: 'recorded_at' }, fields: { amount: int64() } })
export const sums = defineView({ name: 'sums', log, state: { sum: int64() }, on: { '*': (state, e) => { state.sum += e.amount } } })
export default defineJob({ views: [sums] })`,
  )
  const out = ['--out', join(home, 'views')]
  expect(refold(['rebuild', job, ...out]).exitCode).toBe(0)
  remove('log/1.parquet')
  const plan = refold(['plan', job, ...out])
  expect(plan.exitCode).toBe(0)
  expect(plan.stdout).toMatch(/1 of the 2 files .*A rebuild fails, unless --allow-missing-inputs/)
  expect(JSON.parse(refold(['plan', job, ...out, '--json']).stdout).changedInputs).toHaveLength(1)
  const refused = refold(['rebuild', job, ...out])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('--allow-missing-inputs')
  const allowed = refold(['rebuild', job, ...out, '--allow-missing-inputs'])
  expect(allowed.exitCode).toBe(0)
  expect(allowed.stdout).toContain('built without them')
})
