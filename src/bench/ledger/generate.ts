/**
 * Makes a bank ledger of any size, the same bytes for the same options: a log to try Refold on and to measure it with.
 *
 * How partitions are made independently of each other, and yet fit together: everything about event number i (0 … events
 * − 1) but one thing is a pure function of the seed and i (model.ts). The number is the event's id; the moment of
 * recording grows with it, so ids are global positions. A worker that makes a partition goes through all numbers, which
 * costs some nanoseconds each, keeps those whose account (or day) is its own, and counts the events of each account on the
 * way: that is the one thing, an event's position in its account's stream. It then puts the events in the order of
 * delivery and writes them. Nothing passes between workers, and how many there are shows nowhere.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ConfigurationError } from '../../model/errors.ts'
import type { OutputCodec } from '../../parquet/write.ts'
import { requireLocal } from '../../storage/local-path.ts'
import { type PartitionSummary, type PartitionTask, writePartition } from './partition.ts'
import type { Payload } from './row-group.ts'

export interface LedgerOptions {
  /** Folder of the ledger; made where it isn't there. */
  readonly out: string
  /** Different events. Default 1,000,000. */
  readonly events?: number
  /** Accounts at most; one that no event chose doesn't exist. Default 100,000. */
  readonly accounts?: number
  /** Partitions by account. Default 8. */
  readonly partitions?: number
  /** `account` (default): folders p=00 …, an account's events in one of them. `day`: folders day=2026-01-01 …, by recording. */
  readonly partitionBy?: 'account' | 'day'
  /** Files in each partition. Default 1. */
  readonly files?: number
  /** Days from 2026-01-01 that events are recorded on. Default 90. */
  readonly days?: number
  /** Share of the events that are delivered twice: one more row with the same values, later in its partition. Default 0.02. */
  readonly duplicates?: number
  /** Share of the events recorded later than they occurred, by hours to weeks. Default 0.05. */
  readonly late?: number
  /** Share of the events that are later in their file than others recorded after them. Default 0.01. */
  readonly outOfOrder?: number
  /** Share of all events that are on account AC0000000001. Default 0: as much as its low number gives it. */
  readonly skew?: number
  /** `column` (default): a column `amount`. `json`: a JSON column `payload` with the amount in it. */
  readonly payload?: Payload
  /** Default SNAPPY. */
  readonly codec?: OutputCodec
  /** Whether types and branches are written as codes and a dictionary, as most writers do. Default true. */
  readonly dictionary?: boolean
  /** Rows in a row group. Default 131,072. */
  readonly rowGroupRows?: number
  /** Default 42. */
  readonly seed?: number
  /** Replace the ledger that `out` holds already. Default false. */
  readonly force?: boolean
  /** Threads. Default: one for each processor. */
  readonly workers?: number
}

export interface LedgerSummary {
  readonly folder: string
  readonly files: readonly { readonly path: string; readonly rows: number; readonly bytes: number }[]
  /** Different events. */
  readonly events: number
  /** Rows of all files: events and duplicates. */
  readonly rows: number
  readonly duplicates: number
  readonly late: number
  readonly displaced: number
  readonly bytes: number
  readonly seconds: number
}

/** A clone runs its TypeScript as it is; the published package has JavaScript. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

const codecs: readonly OutputCodec[] = ['SNAPPY', 'ZSTD', 'UNCOMPRESSED', 'GZIP']
const partitionFolder = /^(p=\d+|day=\d{4}-\d\d-\d\d)$/

/**
 * Writes a ledger to `options.out`.
 *
 * @throws ConfigurationError for options that make no ledger, or where `out` has content and `force` isn't set.
 */
export async function generateLedger(options: LedgerOptions): Promise<LedgerSummary> {
  const started = performance.now()
  const tasks = planTasks(options)
  clearFolder(requireLocal(options.out, 'make a ledger in'), options.force ?? false)
  const { workers = availableParallelism() } = options
  const parts = workers === 1 ? tasks.map(writePartition) : await runOnThreads(tasks, Math.min(workers, tasks.length))
  const files = parts.flatMap((part) => part.files)
  const total = (count: (part: PartitionSummary) => number): number => parts.reduce((sum, part) => sum + count(part), 0)
  return {
    folder: options.out,
    files,
    events: total((part) => part.events),
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    duplicates: total((part) => part.duplicates),
    late: total((part) => part.late),
    displaced: total((part) => part.displaced),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    seconds: (performance.now() - started) / 1000,
  }
}

/** One task for each partition, the same for any number of workers. */
function planTasks(options: LedgerOptions): PartitionTask[] {
  const { events = 1_000_000, accounts = 100_000, days = 90, seed = 42, partitionBy = 'account', files = 1 } = options
  const { duplicates = 0.02, late = 0.05, outOfOrder = 0.01, skew = 0, rowGroupRows = 131_072 } = options
  const { payload = 'column', codec = 'SNAPPY', dictionary = true } = options
  for (const [name, value] of Object.entries({ duplicates, late, 'out-of-order': outOfOrder, skew })) {
    requireOption(value >= 0 && value <= 1, name, 'a share from 0 to 1', value)
  }
  const partitions = partitionBy === 'day' ? days : (options.partitions ?? 8)
  const counts = { events, accounts, days, partitions, files, 'row-group': rowGroupRows, workers: options.workers ?? 1 }
  for (const [name, value] of Object.entries(counts)) {
    requireOption(
      Number.isInteger(value) && value >= 1 && value < 2 ** 32,
      name,
      'a whole number from 1 to 2^32 - 1',
      value,
    )
  }
  requireOption(Number.isSafeInteger(seed), 'seed', 'a whole number', seed)
  requireOption(codecs.includes(codec), 'codec', codecs.join(', '), codec)
  requireOption(payload === 'column' || payload === 'json', 'payload', 'column or json', payload)
  requireOption(partitionBy === 'account' || partitionBy === 'day', 'partition-by', 'account or day', partitionBy)
  const shape = { events, accounts, days, duplicates, late, outOfOrder, skew, seed }
  return Array.from({ length: partitions }, (_, partition) => ({
    shape,
    by: partitionBy,
    partition,
    partitions,
    folder: join(options.out, partitionBy === 'day' ? dayFolder(partition) : accountFolder(partition, partitions)),
    files,
    rowGroupRows,
    codec,
    dictionary,
    payload,
  }))
}

function requireOption(isSound: boolean, option: string, expected: string, found: unknown): void {
  if (isSound) return
  throw new ConfigurationError(`Cannot generate a ledger: expected --${option} to be ${expected}, found ${found}.`)
}

function accountFolder(partition: number, partitions: number): string {
  return `p=${String(partition).padStart(Math.max(2, String(partitions - 1).length), '0')}`
}

function dayFolder(day: number): string {
  return `day=${new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)}`
}

/** Removes an earlier ledger only, never anything else that lies in the folder. */
function clearFolder(folder: string, force: boolean): void {
  const names = existsSync(folder) ? readdirSync(folder) : []
  if (names.length === 0) return
  if (!force) {
    throw new ConfigurationError(
      `Cannot generate a ledger in ${folder}: expected an empty folder, found ${names.slice(0, 3).join(', ')}` +
        `${names.length > 3 ? ', …' : ''}. Pass --force to replace a ledger.`,
    )
  }
  for (const name of names.filter((name) => partitionFolder.test(name))) {
    rmSync(join(folder, name), { recursive: true })
  }
}

/** Results in the order of the tasks. The first failure ends all threads. */
async function runOnThreads(tasks: readonly PartitionTask[], count: number): Promise<PartitionSummary[]> {
  const results: PartitionSummary[] = []
  let next = 0
  const threads = Array.from({ length: count }, () => new Worker(workerUrl))
  const work = (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let current = 0
      const send = (): void => {
        if (next === tasks.length) {
          resolve()
          return
        }
        current = next++
        thread.postMessage(tasks[current])
      }
      thread.on('message', (summary: PartitionSummary) => {
        results[current] = summary
        send()
      })
      thread.on('error', reject)
      send()
    })
  try {
    await Promise.all(threads.map(work))
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
  return results
}
