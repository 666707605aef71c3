/**
 * Times the sum of one leaf of a file that has 250, by Refold and by DuckDB, each run in a process of its own, and compares
 * the sums. The file is made where it isn't there yet.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { renderTable } from '../src/cli/table.ts'
import { defineJob, defineLog, defineView, int64, json, nullable } from '../src/index.ts'
import { loadedFromDefinition } from '../src/job/load.ts'
import type { Type } from '../src/model/type.ts'
import { rebuild } from '../src/rebuild.ts'

const help = `Times the sum of one leaf of a file that has 250, by Refold and by DuckDB.

node scripts/bench-nested.ts [options]

  --rows 50000                  rows, each with a list of 0 to 4 structs of 240 fields
  --rounds 3                    medians of these are shown
  --data data/generated/nested  where the file is made and kept`

/** Leaves of a list of structs, of a map and of a struct. */
const FIELDS = 240

interface Query {
  readonly name: string
  /** What DuckDB sums, by row. */
  readonly sql: string
  readonly field: Type
  readonly sum: (value: unknown) => number
}

const numbers = (value: unknown) => ((value ?? []) as (number | null)[]).reduce<number>((sum, n) => sum + (n ?? 0), 0)
const one = (value: unknown) => Number(value ?? 0)

const queries: readonly Query[] = [
  {
    name: 'items.*.f7',
    sql: 'list_sum([x.f7 for x in items])',
    field: nullable(json('items.*.f7')),
    sum: numbers,
  },
  { name: 'items.0.f7', sql: 'items[1].f7', field: nullable(int64('items.0.f7')), sum: one },
  { name: 's.b', sql: 's.b', field: nullable(int64('s.b')), sum: one },
  { name: 'm.k.x', sql: "m['k'].x", field: nullable(int64('m.k.x')), sum: one },
]

interface Task {
  readonly contender: 'refold' | 'duckdb'
  readonly query: number
  readonly file: string
}

interface Result {
  readonly seconds: number
  readonly megabytes: number
  readonly sum: number
}

async function generate(file: string, rows: number): Promise<void> {
  const fields = Array.from({ length: FIELDS }, (_, n) => `'f${n}': (i * ${n + 3} + j) % 1000`).join(', ')
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (SELECT i AS id, i % 100 AS k,
      CASE WHEN i % 9 = 0 THEN NULL ELSE list_transform(range(i % 5), j -> {${fields}}) END AS items,
      {'a': i, 'b': i % 77, 'c': 'text ' || i, 'd': i / 3.0, 'e': i % 2 = 0} AS s, MAP {'k': {'x': i % 13, 'y': i}} AS m
    FROM range(0, ${rows}) t(i)) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`)
  connection.closeSync()
}

async function runRefold({ query, file }: Task): Promise<Result> {
  const { field, sum } = queries[query]!
  const log = defineLog({ name: 'wide', files: file, columns: { id: 'id', key: int64('k') }, fields: { n: field } })
  const view = defineView({
    name: 'sums',
    log,
    orderFree: true,
    state: { total: int64() },
    on: {
      Event: (s: { total: number }, e: { n: unknown }) => {
        s.total += sum(e.n)
      },
    },
  } as never)
  const out = mkdtempSync(join(tmpdir(), 'refold-bench-nested-'))
  try {
    const begin = performance.now()
    const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
    const measured = measure(begin)
    const connection = await (await DuckDBInstance.create()).connect()
    const files = join(report.views[0]!.path, '*.parquet')
    const reader = await connection.runAndReadAll(`SELECT sum(total)::DOUBLE AS n FROM '${files}'`)
    return { ...measured, sum: Number(reader.getRowObjects()[0]!['n']) }
  } finally {
    rmSync(out, { recursive: true })
  }
}

async function runDuckdb({ query, file }: Task): Promise<Result> {
  const begin = performance.now()
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const reader = await connection.runAndReadAll(
    `SELECT sum(total)::DOUBLE AS n FROM (SELECT k, sum(${queries[query]!.sql}) AS total FROM '${file}' GROUP BY k)`,
  )
  return { ...measure(begin), sum: Number(reader.getRowObjects()[0]!['n']) }
}

function measure(begin: number): Omit<Result, 'sum'> {
  return { seconds: (performance.now() - begin) / 1000, megabytes: process.resourceUsage().maxRSS / 1024 }
}

async function run(task: Task): Promise<Result> {
  const child = fork(import.meta.filename, ['--child'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.send(task)
  const [result] = (await once(child, 'message')) as [Result]
  child.disconnect()
  await once(child, 'exit')
  return result
}

async function runAsChild(): Promise<void> {
  const [task] = (await once(process, 'message')) as [Task]
  process.send!(await (task.contender === 'refold' ? runRefold(task) : runDuckdb(task)))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

async function compare(file: string, rounds: number): Promise<string[][]> {
  const rows: string[][] = []
  for (const [query, { name }] of queries.entries()) {
    const results = { refold: [] as Result[], duckdb: [] as Result[] }
    for (let round = 0; round < rounds; round++)
      for (const contender of ['refold', 'duckdb'] as const)
        results[contender].push(await run({ contender, query, file }))
    const sums = new Set([...results.refold, ...results.duckdb].map(({ sum }) => sum))
    if (sums.size > 1) throw new Error(`${name}: expected one sum, found ${[...sums].join(', ')}`)
    const shown = (of: readonly Result[]) => [
      median(of.map(({ seconds }) => seconds)).toFixed(2),
      median(of.map(({ megabytes }) => megabytes)).toFixed(0),
    ]
    rows.push([name, ...shown(results.refold), ...shown(results.duckdb)])
  }
  return rows
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '50000' },
      rounds: { type: 'string', default: '3' },
      data: { type: 'string', default: 'data/generated/nested' },
      child: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.child) return runAsChild()
  if (values.help) {
    process.stdout.write(`${help}\n`)
    return
  }
  mkdirSync(values.data, { recursive: true })
  const file = join(values.data, `${Number(values.rows)}.parquet`)
  if (!existsSync(file)) await generate(file, Number(values.rows))
  process.stdout.write(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB\n`)
  const header = ['leaf', 'Refold s', 'MB', 'DuckDB s', 'MB'].map((name) => ({ header: name }))
  process.stdout.write(`${renderTable(header, await compare(file, Number(values.rounds)))}\n`)
}

await main()
