import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Contender, contenders } from '../../src/bench/contender.ts'
import { digestRows, type RowsDigest } from '../../src/bench/digest.ts'
import { installedVersion } from '../../src/bench/installed.ts'
import { generateLedger } from '../../src/bench/ledger/generate.ts'
import { type LedgerKind, ledgerKinds } from '../../src/bench/ledgers.ts'
import type { Task } from '../../src/bench/runner.ts'
import { type Workload, workloadNames, workloadOf } from '../../src/bench/workloads.ts'

let folder: string
const files = new Map<string, readonly string[]>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refold-contenders-'))
  const small = { events: 6000, accounts: 400, partitions: 3, rowGroupRows: 1024, workers: 1 }
  for (const [kind, options] of Object.entries(ledgerKinds)) {
    for (const dictionary of [true, false]) {
      const out = ledgerFolder(kind as LedgerKind, dictionary)
      const made = await generateLedger({ ...small, ...options, dictionary, out })
      files.set(
        out,
        made.files.map(({ path }) => path),
      )
    }
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function ledgerFolder(kind: LedgerKind, dictionary: boolean): string {
  return join(folder, `${kind}-${dictionary}`)
}

async function rowsOf(contender: Contender, workload: Workload): Promise<RowsDigest> {
  const ledger = ledgerFolder(workload.ledger, contender.readsDictionaries)
  const out = mkdtempSync(join(folder, 'out-'))
  const task: Task = { contender: contender.name, workload: workload.name, ledger, files: files.get(ledger)!, out }
  const work = await (await contender.load()).prepare(task, workload)
  return digestRows(workload.views, await work())
}

/** Those that take part, as far as they are installed. How many workers Refold has is tested elsewhere. */
function contendersOf(workload: Workload): Contender[] {
  return contenders.filter(
    ({ name, package: source, excused }) =>
      name !== 'refold-1' &&
      excused[workload.name] === undefined &&
      (source === undefined || installedVersion(source) !== undefined),
  )
}

describe('all contenders come to the same rows', () => {
  test.each(workloadNames)('in %s', async (name) => {
    const workload = workloadOf(name)
    const found: Record<string, RowsDigest> = {}
    for (const contender of contendersOf(workload)) found[contender.name] = await rowsOf(contender, workload)
    const [expected] = Object.values(found)
    expect(expected!.rows).toBeGreaterThan(100)
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['duckdb', 'refold-2', 'hyparquet']))
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((contender) => [contender, expected])))
  })
})
