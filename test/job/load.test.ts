import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defineJob, defineLog, defineView, int64, RefoldError } from '../../src/index.ts'
import { type LoadedJob, loadedFromDefinition, loadJob } from '../../src/job/load.ts'
import { positionInJob } from '../../src/job/position.ts'
import { ConfigurationError } from '../../src/model/errors.ts'
import type { LogView } from '../../src/model/view.ts'
import { disk } from '../../src/storage/disk.ts'
import { jobFolderPrefix } from '../../src/storage/temporary.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-load-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

async function refusal(path: string): Promise<ConfigurationError> {
  const error = await loadJob(path).then(
    (job) => {
      job.dispose()
      throw new Error('the job was loaded')
    },
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  expect((error as ConfigurationError).exitCode).toBe(2)
  return error as ConfigurationError
}

const log = `export const ledger = defineLog({ name: 'ledger', files: 'data/*.parquet', timeUnit: 'ms',
  columns: { id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at' }, fields: { amount: int64() } })`
const imports = `import { bool, defineJob, defineLog, defineView, decimal, float64, int64, json, string, timestamp, RefoldError } from 'refold'`
const sound = `${imports}
import { factor } from './factor.ts'
${log}
export const balances = defineView({ name: 'balances', log: ledger, state: { balance: int64() }, on: {
  Deposited: (account: { balance: number }, e) => {
    if (e.amount < 0) throw new RangeError('negative')
    account.balance += e.amount * factor
  },
} })
export { RefoldError }
export default defineJob({ views: [balances], schedule: '0 2 * * *' })`

/** A handler of the job's first view. */
function handlerOf({ definition }: LoadedJob, type: string) {
  return (definition.views[0] as LogView).on[type]!
}

describe('loadJob()', () => {
  test('bundles a TypeScript job with what it imports, and imports it', async () => {
    write('factor.ts', 'export const factor: number = 2')
    const path = write('balances.job.ts', sound)
    const job = await loadJob(path)
    expect(job).toMatchObject({ path, name: 'balances.job' })
    expect(job.definition.views.map((view) => view.name)).toEqual(['balances'])
    expect(job.definition.schedule).toBe('0 2 * * *')
    expect(job.fingerprints.get('balances')).toMatch(/^[0-9a-f]{64}$/)
    const state = { balance: 1 }
    handlerOf(job, 'Deposited')(state as never, { amount: 5 } as never, {} as never)
    expect(state.balance).toBe(11)
    job.dispose()
    expect(disk.exists(job.bundlePath!)).toBe(false)
  })

  test("the job's refold is the running one, here and in worker threads", async () => {
    write('factor.ts', 'export const factor: number = 2')
    const job = await loadJob(write('job.ts', sound))
    const bundle = await import(pathToFileURL(job.bundlePath!).href)
    expect(bundle.RefoldError).toBe(RefoldError)
    const index = new URL('../../src/index.ts', import.meta.url).href
    const code = `Promise.all([import(${JSON.stringify(pathToFileURL(job.bundlePath!).href)}), import(${JSON.stringify(index)})])
      .then(([bundle, refold]) => require('node:worker_threads').parentPort.postMessage(bundle.RefoldError === refold.RefoldError))`
    const same = await new Promise((resolve, reject) => {
      new Worker(code, { eval: true, execArgv: [] }).on('message', resolve).on('error', reject)
    })
    expect(same).toBe(true)
    job.dispose()
  })

  test('an error in a handler has its position in the TypeScript file', async () => {
    write('factor.ts', 'export const factor: number = 2')
    const path = write('job.ts', sound)
    const job = await loadJob(path)
    try {
      handlerOf(job, 'Deposited')({} as never, { amount: -1 } as never, {} as never)
      expect.unreachable()
    } catch (error) {
      expect(positionInJob(error, job.bundlePath!)).toBe(`${path}:7:29`)
      expect(positionInJob(new Error('from elsewhere'), job.bundlePath!)).toBeUndefined()
      expect(positionInJob('no error', job.bundlePath!)).toBeUndefined()
    }
    job.dispose()
  })

  test('packages are bundled, those in CommonJS that require Node’s modules too', async () => {
    write('node_modules/left/package.json', '{"name": "left", "main": "index.js"}')
    write(
      'node_modules/left/index.js',
      "const path = require('path'); module.exports = { pad: (s) => path.join('a', s) }",
    )
    write('factor.ts', "import left from 'left'\nexport const factor = left.pad('b').length")
    const job = await loadJob(write('job.ts', sound))
    const state = { balance: 0 }
    handlerOf(job, 'Deposited')(state as never, { amount: 5 } as never, {} as never)
    expect(state.balance).toBe(15)
    job.dispose()
  })

  test('a job may declare require itself', async () => {
    write('factor.ts', 'export const factor = 1')
    const job = await loadJob(
      write(
        'job.ts',
        `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const sep = require('node:path').sep\n${sound}`,
      ),
    )
    expect(job.definition.views).toHaveLength(1)
    job.dispose()
  })

  test('a missing file, a folder', async () => {
    const path = join(folder, 'none.ts')
    expect((await refusal(path)).message).toBe(
      `Cannot load the job ${path}: expected a TypeScript or JavaScript file, found no such file.`,
    )
    expect((await refusal(folder)).message).toContain('found a folder')
  })

  test('a file that does not compile is told with line and column, and without output of the compiler', async () => {
    const path = write('job.ts', 'const ä = 1;\nlet b: number = ;')
    expect((await refusal(path)).message).toBe(`Cannot compile the job ${path}: ${path}:2:17: Unexpected ";".`)
    const two = write('two.ts', 'import "nowhere"\nimport "./neither.ts"')
    expect((await refusal(two)).message).toBe(
      `Cannot compile the job ${two}:\n- ${two}:1:8: Could not resolve "nowhere".\n- ${two}:2:8: Could not resolve "./neither.ts".`,
    )
  })

  test('a job that throws while it is imported is told with its own line', async () => {
    const helper = write(
      'helper.ts',
      'interface Unused { a: 1 }\n\nexport function fail(): never { throw new TypeError("no rates") }',
    )
    const path = write('job.ts', 'import { fail } from "./helper.ts"\nfail()')
    const error = await refusal(path)
    expect(error.message).toBe(
      `Cannot load the job ${path}: it threw while it was imported, at ${helper}:3:39: TypeError: no rates`,
    )
    expect(error.cause).toBeInstanceOf(TypeError)
    const makers = write('makers.ts', `${imports}\ndefineView(undefined as never)`)
    expect((await refusal(makers)).message).toContain(`at ${makers}:2:1: TypeError: `)
  })

  test('a default export that is none of defineJob', async () => {
    const path = write('job.ts', `${imports}\n${log}`)
    expect((await refusal(path)).message).toBe(
      `Cannot use the job ${path}: expected a default export made by defineJob, found only the exports ledger. End the file with: export default defineJob({ views: […] })`,
    )
    expect((await refusal(write('a.ts', 'export default 5'))).message).toContain(
      ': expected a job made by defineJob, found 5',
    )
    const view = `${imports}\n${log}\nexport default ledger`
    expect((await refusal(write('b.ts', view))).message).toContain('expected a job made by defineJob, found a log')
  })
})

/** A job of one view; `view` and `log` are properties that replace the sound ones. */
function job(view: string, logProperties = '', more = ''): string {
  return `${imports}
const ledger = defineLog({ name: 'ledger', files: 'x', columns: { id: 'id', key: 'account', recordedAt: 'at' }, fields: { amount: int64() }, ${logProperties} })
${more}
export default defineJob({ views: [defineView({ name: 'balances', log: ledger, state: { balance: int64() }, on: { '*': () => {} }, ${view} })] })`
}

describe('loadJob() refuses', () => {
  test.each<[string, string, string]>([
    ['no views', `${imports}\nexport default defineJob({ views: [] })`, 'expected at least one view, found none'],
    [
      'two views of one name',
      `${imports}\n${log}\nconst view = () => defineView({ name: 'a', log: ledger, state: { n: int64() }, on: { '*': () => {} } })\nexport default defineJob({ views: [view(), view()] })`,
      'view "a": expected one view of this name, found 2',
    ],
    [
      'a bad name',
      job(`name: '../x'`),
      'view "../x": name: expected letters, digits, "-", "_" and ".", beginning with a letter or digit',
    ],
    ['no name', job(`name: undefined`), 'view number 1, name: expected a name, found nothing'],
    ['no log', job(`log: undefined`), 'view "balances", log: expected a log made by defineLog, found nothing'],
    [
      'what is no log',
      job(`log: balances`, '', 'const balances = { a: 1 }'),
      'view "balances", log: expected a log made by defineLog, found an object',
    ],
    [
      'a view without key',
      job('', `columns: { id: 'id', recordedAt: 'at' }`),
      'view "balances": it has no key: name the key column of log "ledger" in columns.key, or declare key and by',
    ],
    ['key without by', job('key: { day: string() }'), 'view "balances": key: declared without keyBy'],
    ['a json key', job('key: { day: json() }, keyBy: () => null'), `key column "day": a json value can't be a key`],
    [
      'a json key of the log',
      job('', `columns: { id: 'id', key: json('account'), recordedAt: 'at' }`),
      `log "ledger": columns.key: a json value can't be a key`,
    ],
    ['an empty key', job('key: {}, keyBy: () => null'), 'key: expected at least one column, found none'],
    [
      'a free-form state without row',
      job('state: () => ({})'),
      'state: a function makes it, so the view must say what rows it becomes: add row and columns',
    ],
    ['a free-form state without columns', job('state: () => ({}), row: () => null'), 'add columns'],
    ['columns without row', job('columns: { a: int64() }'), 'columns: declared without row'],
    [
      'a state column named as the key',
      job('key: { balance: string() }, keyBy: () => null'),
      'state column "balance": a key column has this name already',
    ],
    [
      'a state column named as the key of the log',
      job('', `columns: { id: 'id', key: 'balance', recordedAt: 'at' }`),
      'state column "balance": a key column has this name already',
    ],
    ['no handlers', job('on: {}'), `on: expected at least one handler, found none; '*' handles every type`],
    ['a handler that is none', job(`on: { A: 5 }`), 'view "balances", on.A: expected a function, found 5'],
    [
      'a handler of no type there is',
      job(`on: { Depositd: () => {} }`, `types: ['Deposited']`),
      'on.Depositd: log "ledger" has no such type, its types are Deposited',
    ],
    [
      'a field named as a role',
      job('', `fields: { occurredAt: timestamp() }`),
      `log "ledger": field "occurredAt": the name is kept for the event's own occurredAt`,
    ],
    [
      'an unknown order role',
      job('', `order: ['time']`),
      'order: expected some of sequence, recordedAt, occurredAt, id, found "time"',
    ],
    [
      'a scope that is none',
      job('', `sequenceScope: 'key'`),
      `log "ledger", sequenceScope: expected 'stream' or 'log', found "key"`,
    ],
    [
      'a tieBreak by a type there is none of',
      job('', `types: ['A'], tieBreak: { types: ['A', 'B'] }`).replace(`'*'`, 'A'),
      'tieBreak.types: the log has no type "B", its types are A',
    ],
    [
      'a tieBreak by what has no order',
      job('', `fields: { amount: int64(), note: json() }, tieBreak: ['note']`),
      'tieBreak: field "note" is of json, by which events can\'t be ordered',
    ],
    [
      'a tieBreak by digits',
      job('', `fields: { amount: int64(), wide: decimal(30, 2) }, tieBreak: 'wide'`),
      'tieBreak: field "wide" is of decimal(30, 2), by which events can\'t be ordered',
    ],
    [
      'an order by ids without one',
      job('', `order: ['id'], columns: { id: decimal(20, 0, 'id'), key: 'account', recordedAt: 'at' }`),
      "order: id is of decimal(20, 0), by which events can't be ordered",
    ],
    ['a tieBreak that is none', job('', `tieBreak: [{ type: 'A' }]`), 'log "ledger", tieBreak.0'],
    ['an order role the log lacks', job('', `order: ['sequence', 'id']`), 'order: the log has no sequence'],
    [
      'an unknown role',
      job('', `columns: { id: 'id', key: 'k', recorded: 'at' }`),
      'log "ledger", columns: unknown option "recorded"',
    ],
    ['an unknown option of a view', job('by: () => null'), 'view "balances": unknown option "by"'],
    [
      'an unknown option of a log',
      job('', `silentAfter: '1 day'`),
      'view "balances", log "ledger": unknown option "silentAfter"',
    ],
    [
      'events without an order',
      job('', `columns: { id: 'id', key: 'account', occurredAt: 'at' }`),
      'its events have no order: log "ledger" declares neither recordedAt nor sequence. Declare one of them in columns, or state that the order does not matter: orderFree: true',
    ],
    [
      '39 digits',
      job('', 'fields: { a: decimal(39, 2) }'),
      'field "a": expected a decimal of 1 to 38 digits, found 39',
    ],
    [
      'more digits after the point than in all',
      job('', 'fields: { a: decimal(4, 5) }'),
      'field "a": expected 0 to 4 digits after the point, found 5',
    ],
    [
      'a field that is no type',
      job('', 'fields: { a: Number }'),
      'log "ledger", fields.a: expected a declared type, such as int64(), found a function',
    ],
    [
      'a type maker that was not called',
      job('state: { a: int64 }'),
      'view "balances", state.a: expected a declared type, such as int64(), found a function',
    ],
    [
      'a unit that is none',
      job(`state: { a: timestamp('created_at' as never) }`),
      `state.a.unit: expected 'ms', 'us' or 'ns', found "created_at"`,
    ],
    [
      'a state column with a source',
      job(`state: { a: string('none') }`),
      'state column "a": it comes from no column, found "none"; to start with a value, write string(undefined, { initial: … })',
    ],
    [
      'a first value of another type',
      job(`state: { a: int64(undefined, { initial: '0' as never }) }`),
      'state column "a": initial: expected a value of int64(), found "0"',
    ],
    [
      'moments in another unit than the log has, in a state',
      job('state: { at: timestamp() }', `timeUnit: 'ms'`),
      `view "balances": state column "at": expected timestamp('ms'), as the moments of log "ledger" are, found timestamp('us'); declare it so, or set the log's timeUnit: 'us'`,
    ],
    [
      'moments in another unit than the log has, in a key',
      job(`key: { at: timestamp('ms') }, keyBy: () => null`),
      `key column "at": expected timestamp('us'), as the moments of log "ledger" are, found timestamp('ms')`,
    ],
    [
      'a number for when events were recorded',
      job('', `columns: { id: 'id', key: 'account', recordedAt: int64('at') }`),
      `log "ledger": columns.recordedAt: expected timestamp('us') or date(), found int64()`,
    ],
    [
      'JSON for when events occurred',
      job('', `columns: { id: 'id', key: 'account', recordedAt: 'at', occurredAt: json('x') }`),
      `log "ledger": columns.occurredAt: expected timestamp('us') or date(), found json()`,
    ],
    [
      'moments of events in another unit than the log has',
      job('', `columns: { id: 'id', key: 'account', recordedAt: timestamp('ms', 'at') }`),
      `columns.recordedAt: expected timestamp('us'), the log's timeUnit, found timestamp('ms'); name the column alone, whatever the unit in the files, or set timeUnit: 'ms'`,
    ],
    [
      'a zone that there is not',
      job('', `zone: 'Asia/Taipeh'`),
      `log "ledger": zone: expected a time zone, as 'Asia/Taipei', 'UTC' or '+05:30', found "Asia/Taipeh"`,
    ],
    [
      'a zone that is no name',
      job('', 'zone: 8'),
      `log "ledger", zone: expected a time zone, as 'Asia/Taipei', found 8`,
    ],
    [
      'a silence without a unit',
      job('', `idleTimeout: '7'`),
      `log "ledger": idleTimeout: expected a unit too, as '7 days', found "7"`,
    ],
    [
      'a silence of no certain length',
      job('', `idleTimeout: '1 month'`),
      `log "ledger": idleTimeout: expected weeks or a smaller unit, as a month has no length of its own, found '1 month'`,
    ],
    [
      'ids that are floating-point numbers',
      job('', `columns: { id: float64('x'), key: 'account', recordedAt: 'at' }`),
      `columns.id: a float64 can't distinguish events; take a column of integers or strings`,
    ],
    [
      'ids that are truth values',
      job('', `columns: { id: bool('x'), key: 'account', recordedAt: 'at' }`),
      `columns.id: a bool can't distinguish events`,
    ],
    ['no files', job('', 'files: []'), 'log "ledger", files: expected at least one, found an empty array'],
    [
      'two logs of one name',
      `${imports}
const log = (files: string) => defineLog({ name: 'l', files, columns: { id: 'id', key: 'k', recordedAt: 'at' } })
const view = (name: string, files: string) => defineView({ name, log: log(files), state: { n: int64() }, on: { '*': () => {} } })
export default defineJob({ views: [view('a', 'x'), view('b', 'y')] })`,
      'log "l": two logs of this name differ',
    ],
    [
      'a handler that is async',
      job(`on: { '*': async () => {} }`),
      'view "balances": handler *: expected a plain function, found an async one or a generator; a fold can\'t wait',
    ],
    [
      'a key that is made by a generator',
      job(`key: { day: string() }, keyBy: function* () {}`),
      'view "balances": keyBy: expected a plain function, found an async one or a generator',
    ],
  ])('%s', async (_, text, message) => {
    const path = write('job.ts', text)
    expect((await refusal(path)).message).toContain(message)
  })

  test('several faults at once, telling all of them', async () => {
    const path = write('job.ts', job(`name: '-', on: {}`))
    expect((await refusal(path)).message).toBe(
      `Cannot use the job ${path}, which has 2 faults:\n- view "-": name: expected letters, digits, "-", "_" and ".", beginning with a letter or digit\n- view "-": on: expected at least one handler, found none; '*' handles every type`,
    )
  })

  test('no unit that a field of the log has, and none of what row makes', async () => {
    const view = `state: { at: timestamp('ms') }, columns: { at: timestamp('ns') }, row: () => null`
    const path = write('job.ts', job(view, `fields: { amount: int64(), at: timestamp('ms') }`))
    const loaded = await loadJob(path)
    loaded.dispose()
  })

  test('nothing of a sound job with all there is', async () => {
    const path = write(
      'job.ts',
      job(
        `key: { day: string(), part: decimal(18, 18) }, keyBy: () => null, state: () => ({}), columns: { a: json() }, row: () => null, filter: () => true, merge: () => {}, unknown: 'fail', onError: 'quarantine'`,
        `types: ['A'], order: ['recordedAt'], tieBreak: 'key', uniqueIds: true, upcast: { B: () => null }, files: ['a', 'b']`,
      ).replace(`'*'`, 'A'),
    )
    const loaded = await loadJob(path)
    expect(loaded.definition.views).toHaveLength(1)
    loaded.dispose()
  })
})

test('the bundles of processes that were killed are removed, those of running ones are not', async () => {
  const ended = spawnSync(process.execPath, ['-e', '']).pid
  const [, host] = /^refold-job-([0-9a-f]{8})-/.exec(jobFolderPrefix())!
  const temporary = join(folder, 'temporary')
  const kept = [`refold-job-00000000-${ended}-aBc123`, `refold-job-${host}-${process.ppid}-aBc123`, 'refold-job-aBc123']
  for (const name of [...kept, `refold-job-${host}-${ended}-aBc123`]) write(`temporary/${name}/job.mjs`, '')
  const path = write('sound.ts', job('state: { n: int64() }'))
  vi.stubEnv('TMPDIR', temporary)
  try {
    const loaded = await loadJob(path)
    expect(readdirSync(temporary).sort()).toEqual([...kept, basename(dirname(loaded.bundlePath!))].sort())
    loaded.dispose()
    expect(readdirSync(temporary).sort()).toEqual([...kept].sort())
  } finally {
    vi.unstubAllEnvs()
  }
})

test('loadedFromDefinition() checks a definition that no file holds', () => {
  const ledger = defineLog({
    name: 'l',
    files: 'x',
    columns: { id: 'id', key: 'k', recordedAt: 'at' },
    fields: { a: int64() },
  })
  const view = (rate: number) =>
    defineView({
      name: 'v',
      log: ledger,
      state: { n: int64() },
      on: { '*': rate === 1 ? (s, e) => void Object.assign(s, { n: s.n + e.a }) : (s) => void s.n++ },
    })
  const loaded = loadedFromDefinition(defineJob({ views: [view(1)] }))
  expect(loaded.bundlePath).toBeUndefined()
  expect(loaded.fingerprints.get('v')).toMatch(/^[0-9a-f]{64}$/)
  expect(loadedFromDefinition(defineJob({ views: [view(1)] })).fingerprints).toEqual(loaded.fingerprints)
  expect(loadedFromDefinition(defineJob({ views: [view(2)] })).fingerprints).not.toEqual(loaded.fingerprints)
  expect(() => loadedFromDefinition(defineJob({ views: [] }))).toThrow(ConfigurationError)
})
