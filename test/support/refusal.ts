import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { loadJob } from '../../src/job/load.ts'
import { RefoldError } from '../../src/model/errors.ts'
import type { RebuildOptions } from '../../src/model/report.ts'
import { int64, json, nullable, string, timestamp } from '../../src/model/types.ts'
import { rebuild } from '../../src/rebuild.ts'
import { type Row, writeRows } from './logs.ts'

/** The columns of the logs that are broken here. */
export const ledgerColumns = {
  event_id: string(),
  account_id: string(),
  type: string(),
  recorded_at: timestamp(),
  occurred_at: nullable(timestamp()),
  amount: int64(),
  note: nullable(string()),
  payload: nullable(json()),
}

const start = 1_621_641_600_000_000

/** The event of a number, as it stands in a file. */
export function ledgerRow(number: number, values: Row = {}): Row {
  return {
    event_id: `e${number}`,
    account_id: `a${number % 3}`,
    type: 'Deposited',
    recorded_at: start + number * 1_000_000,
    occurred_at: start,
    amount: number,
    ...values,
  }
}

export function ledgerRows(...numbers: readonly number[]): Row[] {
  return numbers.map((number) => ledgerRow(number))
}

export interface JobText {
  /** More properties of the log. */
  readonly log?: string
  /** In place of the log's columns. */
  readonly columns?: string
  readonly fields?: string
  /** In place of the view's properties. */
  readonly view?: string
  readonly files?: string
}

const soundView = `state: { balance: int64() }, on: { Deposited: (account, e) => { account.balance += e.amount } }`
const soundColumns = `id: 'event_id', key: 'account_id', type: 'type', recordedAt: 'recorded_at'`

/** Writes a job of one view, `balances`, over the files of its folder's `log`. */
export function writeJob(
  home: string,
  { log = '', columns = soundColumns, fields = '', view, files }: JobText = {},
): string {
  const path = join(home, 'job.ts')
  const pattern = JSON.stringify(files ?? join(home, 'log/**/*.parquet'))
  writeFileSync(
    path,
    `import { bigint, bool, dayOf, date, decimal, defineJob, defineLog, defineView, float64, int32, int64, json, nullable, string, timestamp } from 'refold'
const ledger = defineLog({ name: 'ledger', files: ${pattern}, columns: { ${columns} },
  fields: { amount: int64(), note: nullable(string()), ${fields} }, ${log} })
const balances = defineView({ name: 'balances', log: ledger, ${view ?? soundView} })
export default defineJob({ views: [balances] })
`,
  )
  return path
}

/** Publishes a generation that every later failure must leave alone. */
export async function publishSound(home: string): Promise<void> {
  writeRows(join(home, 'sound.parquet'), ledgerColumns, ledgerRows(1, 2, 3))
  await run(writeJob(home, { files: join(home, 'sound.parquet') }), home, { workers: 0 })
}

export async function run(jobPath: string, home: string, options: Partial<RebuildOptions>) {
  const job = await loadJob(jobPath)
  try {
    return await rebuild(job, { out: join(home, 'views'), workers: 0, ...options })
  } finally {
    job.dispose()
  }
}

/**
 * Rebuilds what can't be rebuilt, and checks that what was published before is as it was and nothing is left behind.
 *
 * @returns The error, its message without the path of `home`.
 */
export async function refusal(
  jobPath: string,
  home: string,
  options: Partial<RebuildOptions> = {},
): Promise<RefoldError> {
  const currentPath = join(home, 'views/balances/_current.json')
  const before = existsSync(currentPath) ? readFileSync(currentPath, 'utf8') : undefined
  // The log that is broken is another than the sound one.
  const error = await run(jobPath, home, { allowMissingInputs: true, ...options }).then(
    () => expect.unreachable('it was rebuilt'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof RefoldError)) throw error
  error.message = error.message.replaceAll(`${home}/`, '')
  expect(before).toBeDefined()
  expect(readFileSync(currentPath, 'utf8')).toBe(before)
  const left = readdirSync(join(home, 'views/balances')).filter((name) => name !== '_current.json')
  expect(left).toEqual([expect.stringMatching(/^000001-/)])
  return error
}
