import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadJob } from '../../src/job/load.ts'
import { markPure } from '../../src/job/pure.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refold-fingerprint-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const original = {
  'job.ts': `import { defineJob, defineLog, defineView, int64, timestamp, dayOf } from 'refold'
import { limit, unrelated } from './rules.ts'
const files = 'data/' + 'ledger' + '/*.parquet'
export const ledger = defineLog({ name: 'ledger', files, columns: { id: 'id', key: 'k', recordedAt: 'at' }, fields: { amount: int64() },
  upcast: { Old: (e) => ({ type: 'New', amount: e.amount * 100 }) } })
export const balances = defineView({ name: 'balances', log: ledger, state: { balance: int64() }, on: {
  Deposited: (account, e) => {
    const next = account.balance + e.amount
    if (next < limit) account.balance = next
  },
} })
export const counts = defineView({ name: 'counts', log: ledger, state: { n: int64(), day: int64() }, on: { '*': (s, e) => { s.n += 1; s.day = dayOf(e.recordedAt) } } })
export default defineJob({ views: [balances, counts], schedule: '0 2 * * *' })
`,
  'rules.ts': `const base = 500_000
/** A limit. */
export const limit = base * 2
export function unrelated(): number { return 7 }
`,
}

type Files = Record<string, string>

let count = 0
async function fingerprints(files: Files): Promise<Record<string, string>> {
  const inside = join(mkdtempSync(join(folder, `${count++}-`)))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(inside, name), text)
  const job = await loadJob(join(inside, 'job.ts'))
  job.dispose()
  return Object.fromEntries(job.fingerprints)
}

function change(name: keyof typeof original, from: string, to: string): Files {
  expect(original[name]).toContain(from)
  return { ...original, [name]: original[name].replaceAll(from, to) }
}

describe('the fingerprint of a view', () => {
  let before: Record<string, string>
  beforeAll(async () => {
    before = await fingerprints(original)
  })

  test('is its own', () => {
    expect(before['balances']).not.toBe(before['counts'])
  })

  test.each<[string, () => Files]>([
    ['the folder the job lies in', () => original],
    ['a comment', () => change('job.ts', '  Deposited:', '  /* what\n comes in */ Deposited: // x\n')],
    ['layout', () => change('job.ts', ', ', ' ,\n\n   ')],
    ['the name of a variable in a handler', () => change('job.ts', 'next', 'wxyzBalance')],
    [
      "the names of a handler's parameters",
      () => ({
        ...original,
        'job.ts': original['job.ts']
          .replace('(account, e)', '(zustand, ereignis)')
          .replaceAll('account.', 'zustand.')
          .replace('+ e.amount', '+ ereignis.amount'),
      }),
    ],
    ['the name of a variable in what it imports', () => change('rules.ts', 'base', 'qqqqqq')],
    ['a comment in what it imports', () => change('rules.ts', 'A limit.', 'The greatest balance.')],
    ['the spelling of a number', () => change('rules.ts', '500_000', '500000')],
    [
      'the order of imported names',
      () =>
        change(
          'job.ts',
          'defineJob, defineLog, defineView, int64, timestamp, dayOf',
          'timestamp, dayOf, int64, defineView, defineLog, defineJob',
        ),
    ],
    [
      'needless parentheses',
      () =>
        change(
          'job.ts',
          "(e) => ({ type: 'New', amount: e.amount * 100 })",
          "((e) => (({ type: 'New', amount: ((e.amount) * 100) })))",
        ),
    ],
    ['quotes', () => change('job.ts', "'ledger'", '"ledger"')],
    ['types', () => change('job.ts', 'const next =', 'const next: number =')],
    ['where the events lie', () => change('job.ts', "'data/'", "'elsewhere/'")],
    ['the schedule', () => change('job.ts', '0 2 * * *', '0 3 * * *')],
    ['the order of views in the job', () => change('job.ts', '[balances, counts]', '[counts, balances]')],
    ['code that it does not reach', () => change('rules.ts', 'return 7', 'return 8 + Math.max(1, 2, 3)')],
  ])('does not change with %s', async (_, files) => {
    expect(await fingerprints(files())).toEqual(before)
  })

  test.each<[string, () => Files]>([
    ['a constant in what it imports', () => change('rules.ts', '500_000', '400_000')],
    ['an operator in a handler', () => change('job.ts', 'next < limit', 'next <= limit')],
    ['the type of a state column', () => change('job.ts', 'balance: int64()', 'balance: timestamp()')],
    ['the name of a state column', () => change('job.ts', 'balance', 'saldo')],
    ['an option', () => change('job.ts', "name: 'balances',", "name: 'balances', onError: 'quarantine',")],
  ])('changes with %s, and other views keep theirs', async (_, files) => {
    const after = await fingerprints(files())
    const [balances, counts] = [Object.values(after).find((hash) => hash !== after['counts']), after['counts']]
    expect(balances).not.toBe(before['balances'])
    expect(counts).toBe(before['counts'])
  })

  test.each<[string, () => Files]>([
    ['a field of its log', () => change('job.ts', 'amount: int64()', 'amount: int64("sum")')],
    ['an upcaster of its log', () => change('job.ts', '* 100', '* 1000')],
    ['what breaks ties in its log', () => change('job.ts', "name: 'ledger',", "name: 'ledger', tieBreak: 'key',")],
    ['the order of its log', () => change('job.ts', "name: 'ledger',", "name: 'ledger', order: ['id'],")],
    ['the zone of its log', () => change('job.ts', "name: 'ledger',", "name: 'ledger', zone: 'Asia/Taipei',")],
    ['the silence its log allows', () => change('job.ts', "name: 'ledger',", "name: 'ledger', idleTimeout: '2 days',")],
  ])('changes with %s, for all views of the log', async (_, files) => {
    const after = await fingerprints(files())
    expect(after['balances']).not.toBe(before['balances'])
    expect(after['counts']).not.toBe(before['counts'])
  })

  test('of one view does not change with another view', async () => {
    const after = await fingerprints(
      change('job.ts', 's.n += 1', 's.n += quartz(2, 3)').valueOf() as Files & typeof original,
    ).catch(() => undefined)
    expect(after).toBeDefined()
    expect(after!['balances']).toBe(before['balances'])
    expect(after!['counts']).not.toBe(before['counts'])
  })

  test('of a view that is not exported covers the whole job', async () => {
    const hidden = change('job.ts', 'export const', 'const')
    const all = await fingerprints(hidden)
    const other = await fingerprints({ ...hidden, 'job.ts': hidden['job.ts']!.replace('s.n += 1', 's.n += 2') })
    expect(other['balances']).not.toBe(all['balances'])
    expect(other['counts']).not.toBe(all['counts'])
    expect(all['balances']).not.toBe(all['counts'])
    const elsewhere = await fingerprints({ ...hidden, 'job.ts': hidden['job.ts']!.replace('data/', 'elsewhere/') })
    expect(elsewhere).toEqual(all)
  })
})

describe('markPure()', () => {
  test('marks calls of what comes from refold, whatever it is called here', () => {
    expect(
      markPure("import { defineView as d, int64 } from 'refold'; export const v = d({ state: int64() }); other()"),
    ).toBe(
      "import { defineView as d, int64 } from 'refold'; export const v = (/* @__PURE__ */d({ state: (/* @__PURE__ */int64()) })); other()",
    )
    expect(markPure("import * as r from 'refold'\nr.defineLog({ name: 'l', files: r.x() })")).toBe(
      "import * as r from 'refold'\n(/* @__PURE__ */r.defineLog({ name: 'l', files:0 }))",
    )
  })

  test('leaves modules alone that do not import refold', () => {
    const code = "// refold\nimport { int64 } from 'elsewhere'; int64()"
    expect(markPure(code)).toBe(code)
  })
})
