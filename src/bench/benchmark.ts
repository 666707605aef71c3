import { rmSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { type Contender, contenders, yardstick } from './contender.ts'
import { Contestant } from './contest.ts'
import { measureFloor } from './floor.ts'
import { installedVersion, ownVersion } from './installed.ts'
import { type BenchLedger, prepareLedger, warmLedger } from './ledgers.ts'
import { type BenchResult, type Entry, meansOf, spreadOf, type WorkloadResult } from './result.ts'
import { type SizeName, sizes } from './sizes.ts'
import { type Workload, type WorkloadName, workloadNames, workloadOf } from './workloads.ts'

export interface BenchOptions {
  readonly size: SizeName
  /** Absent: all. */
  readonly workloads?: readonly WorkloadName[]
  /** Names of contenders. Absent: all. */
  readonly contenders?: readonly string[]
  readonly rounds: number
  /** Folder for the logs and for what contenders write. */
  readonly data: string
  readonly seed: number
  /** Called with what is done next, in a few words. */
  readonly onStep?: (step: string) => void
  readonly signal?: AbortSignal
}

/** Runs all contenders over the same logs, in turn, each round in a process of its own. */
export async function runBenchmark(options: BenchOptions): Promise<BenchResult> {
  const chosen = contenders.filter(({ name }) => options.contenders?.includes(name) ?? true)
  const facts = chosen.map(({ name, summary, package: source }) => ({
    name,
    summary,
    version: (source === undefined ? ownVersion() : installedVersion(source)) ?? null,
  }))
  const machine = describeMachine()
  const startedAt = new Date().toISOString()
  const missing = new Set(facts.filter(({ version }) => version === null).map(({ name }) => name))
  const workloads: WorkloadResult[] = []
  for (const name of workloadNames.filter((name) => options.workloads?.includes(name) ?? true)) {
    workloads.push(await runWorkload(workloadOf(name), chosen, missing, options))
  }
  const { size, seed, rounds } = options
  const { events } = sizes[size]
  return { startedAt, size, events, seed, rounds, machine, contenders: facts, workloads, means: meansOf(workloads) }
}

function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0]!,
  }
}

async function runWorkload(
  workload: Workload,
  chosen: readonly Contender[],
  missing: ReadonlySet<string>,
  options: BenchOptions,
): Promise<WorkloadResult> {
  const { size, seed, data, rounds, signal } = options
  const { events } = sizes[size]
  const contestants = chosen.map(
    (contender) => new Contestant(contender, workload, excuseOf(contender, workload, events, missing)),
  )
  const ledgers = await prepareLedgers(workload, contestants, options)
  const scratch = join(data, `${size}-${seed}`, 'out')
  try {
    await takeTurns(contestants, ledgers, scratch, workload, options)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  signal?.throwIfAborted()
  const measured = contestants.find(({ contender }) => contender.name === yardstick)
  const entries = contestants.map((contestant) => contestant.entry(measured, events))
  return {
    workload: workload.name,
    summary: workload.summary,
    logBytes: ledgers.encoded.bytes,
    floor: await floorOf(workload, ledgers.encoded, rounds),
    entries,
    agreed: haveSameRows(entries),
  }
}

/** The same rows twice: for all contenders, and for one that knows no dictionaries, where one takes part. */
interface Ledgers {
  readonly encoded: BenchLedger
  readonly plain: BenchLedger | undefined
}

async function prepareLedgers(
  { ledger: kind }: Workload,
  contestants: readonly Contestant[],
  { size, seed, data, onStep }: BenchOptions,
): Promise<Ledgers> {
  const prepare = async (dictionary: boolean): Promise<BenchLedger> => {
    const ledger = await prepareLedger({ kind, size, seed, dictionary }, data, () => {
      onStep?.(`making the log ${kind} of ${sizes[size].events.toLocaleString('en')} events`)
    })
    warmLedger(ledger)
    return ledger
  }
  const needsPlain = contestants.some(({ contender, stopped }) => !stopped && !contender.readsDictionaries)
  return { encoded: await prepare(true), plain: needsPlain ? await prepare(false) : undefined }
}

/** A, B, C, A, B, C, …: whatever else the machine does in the meantime meets them all. */
async function takeTurns(
  contestants: readonly Contestant[],
  ledgers: Ledgers,
  scratch: string,
  workload: Workload,
  { rounds, signal, onStep }: BenchOptions,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of contestants) {
      if (contestant.stopped) continue
      onStep?.(`${workload.name}, round ${round} of ${rounds}: ${contestant.contender.name}`)
      await contestant.run(contestant.contender.readsDictionaries ? ledgers.encoded : ledgers.plain!, scratch, signal)
    }
  }
}

function excuseOf(
  contender: Contender,
  workload: Workload,
  events: number,
  missing: ReadonlySet<string>,
): string | null {
  if (missing.has(contender.name)) return `not installed (${contender.package})`
  if (events > contender.eventsMax) return `not beyond ${contender.eventsMax.toLocaleString('en')} events`
  return contender.excused[workload.name] ?? null
}

/** What must be done in any case, for one workload to compare with: most others read the same columns. */
async function floorOf(workload: Workload, ledger: BenchLedger, rounds: number) {
  if (workload.name !== 'balances') return null
  return spreadOf(await measureFloor(ledger.files, workload.reads, rounds))
}

function haveSameRows(entries: readonly Entry[]): boolean {
  return new Set(entries.flatMap(({ hashes }) => hashes)).size <= 1
}
