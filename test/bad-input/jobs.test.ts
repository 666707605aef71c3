import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigurationError } from '../../src/model/errors.ts'
import { scratch } from '../support/logs.ts'
import { publishSound, refusal } from '../support/refusal.ts'

let folder: ReturnType<typeof scratch>
beforeEach(async () => {
  folder = scratch('jobs')
  await publishSound(folder.path)
})
afterEach(() => folder.remove())

const log = `import { defineJob, defineLog, defineView, int32, int64 } from 'refold'
const ledger = defineLog({ name: 'ledger', files: 'x', columns: { id: 'id', key: 'key', type: 'type', recordedAt: 'at' } })
const view = (name: string, more: object = {}) =>
  defineView({ name, log: ledger, state: { n: int32() }, on: { '*': (s) => { s.n++ } }, ...more })
`

const cases: Readonly<Record<string, readonly [string, string | RegExp]>> = {
  'that does not compile': ['const x = = 1', /^Cannot compile the job job\.ts: job\.ts:1:11: Unexpected "="\.$/],
  'that imports what is not there': [
    "import { x } from './none.ts'\nexport default x",
    /^Cannot compile the job job\.ts: job\.ts:1:\d+: Could not resolve "\.\/none\.ts"\.$/,
  ],
  'that exports none': [
    `${log}export const balances = view('balances')`,
    /^Cannot use the job job\.ts: expected a default export made by defineJob, found only the exports balances\./,
  ],
  'that exports a view': [
    `${log}export default view('balances')`,
    'Cannot use the job job.ts: expected a job made by defineJob, found a view',
  ],
  'that throws': [
    "throw new RangeError('no data today')\nexport default 1",
    'Cannot load the job job.ts: it threw while it was imported, at job.ts:1:7: RangeError: no data today',
  ],
  'with two views of one name': [
    `${log}export default defineJob({ views: [view('balances'), view('sums'), view('balances')] })`,
    'Cannot use the job job.ts: view "balances": expected one view of this name, found 2',
  ],
  'with an option that is none': [
    `${log}export default defineJob({ views: [view('balances', { unknown: 'ignore' })] })`,
    `Cannot use the job job.ts: view "balances", unknown: expected 'filter', 'quarantine' or 'fail', found "ignore"`,
  ],
  'with a name that is no folder': [
    `${log}export default defineJob({ views: [view('../balances')] })`,
    /^Cannot use the job job\.ts: view "\.\.\/balances": name: expected letters, digits/,
  ],
}

test.each(Object.entries(cases))('a job %s is refused', async (_, [text, message]) => {
  const path = join(folder.path, 'job.ts')
  writeFileSync(path, text)
  const error = await refusal(path, folder.path)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.exitCode).toBe(2)
  if (typeof message === 'string') expect(error.message).toBe(message)
  else expect(error.message).toMatch(message)
})
