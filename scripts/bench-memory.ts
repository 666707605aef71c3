/**
 * Measures how much memory rebuilds take that have more events, keys or events of one key than memory has room for, and
 * that every budget gives the same bytes. The logs are made where they aren't there yet.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateLedger, type LedgerOptions } from '../src/bench/ledger/generate.ts'
import { parseBytes } from '../src/cli/options.ts'
import { renderTable } from '../src/cli/table.ts'
import { loadJob } from '../src/job/load.ts'
import { ConfigurationError } from '../src/model/errors.ts'
import { rebuild } from '../src/rebuild.ts'

const help = `Measures the memory of large rebuilds, each in a process of its own.

node scripts/bench-memory.ts [options]

  --events 100000000            events of the large logs
  --memory 2GB                  budget; may be given several times: the bytes must be the same
  --case skew                   only this case; may be given several times
  --workers 2
  --data data/generated/memory  where the logs are made and kept: 4 GB each of 100 M events

The small log, with which times are compared, has a tenth of the events.`

type LedgerName = 'small' | 'plain' | 'duplicates' | 'keys' | 'skew'

/** What is special about each log; they have ten events an account, as far as nothing else is said. */
const ledgers: Readonly<Record<LedgerName, (events: number) => Omit<LedgerOptions, 'out'>>> = {
  small: (events) => ({ events: events / 10, accounts: events / 100, duplicates: 0 }),
  plain: (events) => ({ events, accounts: events / 10, duplicates: 0 }),
  duplicates: (events) => ({ events, accounts: events / 10, duplicates: 0.02 }),
  // About half of them have an event.
  keys: (events) => ({ events, accounts: events, duplicates: 0 }),
  skew: (events) => ({ events, accounts: events / 10, duplicates: 0, skew: 0.2 }),
}

interface Case {
  readonly ledger: LedgerName
  /** File in src/bench/jobs. */
  readonly job: string
}

const cases: Readonly<Record<string, Case>> = {
  'small balances': { ledger: 'small', job: 'balances' },
  'small overdraft': { ledger: 'small', job: 'overdraft' },
  balances: { ledger: 'plain', job: 'balances' },
  overdraft: { ledger: 'plain', job: 'overdraft' },
  'duplicates by bits': { ledger: 'duplicates', job: 'dedupe' },
  'duplicates by hashes': { ledger: 'plain', job: 'hashed' },
  'a key every second event': { ledger: 'keys', job: 'balances' },
  'skew, in any order': { ledger: 'skew', job: 'balances' },
  'skew, in order': { ledger: 'skew', job: 'overdraft' },
}

interface Task {
  readonly job: string
  readonly files: string
  readonly out: string
  readonly memoryBytes: number
  readonly workers: number
}

interface Measured {
  readonly events: number
  readonly keys: number
  readonly digest: string
  readonly seconds: number
  readonly processorSeconds: number
  readonly peakBytes: number
}

if (process.send === undefined) await main()
else await measure(JSON.parse(process.argv[2]!) as Task)

/** The process of one rebuild. */
async function measure({ job: name, files, out, memoryBytes, workers }: Task): Promise<void> {
  const job = await loadJob(join(import.meta.dirname, `../src/bench/jobs/${name}.ts`))
  const report = await rebuild(job, { out, memoryBytes, workers, inputs: { ledger: files } })
  job.dispose()
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const { keys, digest } = report.views[0]!
  const measured: Measured = {
    events: report.events,
    keys,
    digest,
    seconds: report.seconds,
    processorSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: maxRSS * 1024,
  }
  process.send!(measured, () => process.exit())
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const several = { type: 'string', multiple: true } as const
  const { values } = parseArgs({
    options: { events: text, memory: several, case: several, workers: text, data: text, help: { type: 'boolean' } },
  })
  if (values.help) return console.log(help)
  const { events = '100000000', memory = ['2GB'], workers = '2', data = 'data/generated/memory' } = values
  const names = values.case ?? Object.keys(cases)
  const rows: string[][] = []
  for (const name of names) {
    const one = cases[name]
    if (one === undefined)
      throw new ConfigurationError(`--case: expected ${Object.keys(cases).join('; ')}, found ${name}.`)
    const files = await prepareLedger(one.ledger, Number(events), data)
    const digests = new Set<string>()
    for (const budget of memory) {
      console.error(`${name}, ${budget}`)
      const out = join(data, 'out')
      const memoryBytes = parseBytes('memory', budget)
      const measured = await runProcess({ job: one.job, files, out, memoryBytes, workers: Number(workers) })
      rmSync(out, { recursive: true })
      digests.add(measured.digest)
      rows.push([name, budget, ...describe(measured)])
    }
    if (digests.size > 1) throw new Error(`${name}: budgets differ in what they publish: ${[...digests].join(', ')}`)
  }
  const headers = ['case', 'budget', 'events', 'keys', 's', 'ns an event', 'CPU ns an event', 'peak MB', 'digest']
  const isText = new Set(['case', 'digest'])
  console.log(
    renderTable(
      headers.map((header) => ({ header, align: isText.has(header) ? 'left' : 'right' })),
      rows,
    ),
  )
}

function describe({ events, keys, digest, seconds, processorSeconds, peakBytes }: Measured): string[] {
  const count = (value: number) => value.toLocaleString('en')
  const perEvent = (value: number) => ((value * 1e9) / events).toFixed(0)
  return [
    ...[count(events), count(keys), seconds.toFixed(1), perEvent(seconds), perEvent(processorSeconds)],
    ...[(peakBytes / 1e6).toFixed(0), digest.slice(0, 12)],
  ]
}

/** @returns A glob of the log's files. All are read once, so that none is the first to come from the disk. */
async function prepareLedger(name: LedgerName, events: number, data: string): Promise<string> {
  const folder = join(data, `${name}-${events}`)
  const mark = join(folder, '_whole')
  if (!existsSync(mark)) {
    console.error(`making the log ${name} of ${events.toLocaleString('en')} events`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await generateLedger({ ...ledgers[name](events), out: folder })
    writeFileSync(mark, '')
  }
  const files = join(folder, '**/*.parquet')
  for (const path of globSync(files)) readFileSync(path)
  return files
}

async function runProcess(task: Task): Promise<Measured> {
  mkdirSync(task.out, { recursive: true })
  const child = fork(import.meta.filename, [JSON.stringify(task)])
  let measured: Measured | undefined
  child.on('message', (message) => {
    measured = message as Measured
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (measured === undefined) throw new Error(`${task.job} ended by ${signal ?? `exit code ${code}`}`)
  return measured
}
