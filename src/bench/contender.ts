import { type Runner, threads } from './runner.ts'
import type { WorkloadName } from './workloads.ts'

/** One way to get from a log to views. */
export interface Contender {
  readonly name: string
  readonly summary: string
  /** The package that does the work; undefined for Refold itself. */
  readonly package: string | undefined
  /** Larger logs are not given to it. */
  readonly eventsMax: number
  /** Why it doesn't take part in some workloads. */
  readonly excused: Readonly<Partial<Record<WorkloadName, string>>>
  /** Whether it can read columns as codes and a dictionary. Else it is given the same rows without. */
  readonly readsDictionaries: boolean
  /**
   * Whether it keeps all it needs as objects: its heap then may take most of the machine's memory, and one round is enough
   * where that takes longer than `patienceSeconds`, since more won't change what the table says.
   */
  readonly isScript: boolean
  load(): Promise<Runner>
}

export const patienceSeconds = 20

const everything = Number.POSITIVE_INFINITY

const refold = (workers: number): Contender => ({
  name: `refold-${workers}`,
  summary: `Refold, ${workers} worker${workers === 1 ? '' : 's'}`,
  package: undefined,
  eventsMax: everything,
  excused: {},
  readsDictionaries: true,
  isScript: false,
  load: async () => (await import('./contenders/refold.ts')).refoldRunner(workers),
})

const duckdb = (name: string, ordered: boolean): Contender => ({
  name,
  summary: `DuckDB, ${threads} threads, ${ordered ? 'rows ordered by key' : 'rows in any order'}`,
  package: '@duckdb/node-api',
  eventsMax: everything,
  excused: {},
  readsDictionaries: true,
  isScript: false,
  load: async () => (await import('./contenders/duckdb.ts')).duckdbRunner(ordered),
})

/** The contender that times are compared with. */
export const yardstick = 'duckdb'

/** All contenders, in the order they take turns in. */
export const contenders: readonly Contender[] = [
  duckdb(yardstick, true),
  duckdb('duckdb-unordered', false),
  refold(2),
  refold(1),
  {
    name: 'polars',
    summary: `nodejs-polars, ${threads} threads, rows ordered by key`,
    package: 'nodejs-polars',
    eventsMax: everything,
    excused: {
      overdraft: 'no fold in order',
      five: 'no fold in order',
    },
    readsDictionaries: true,
    isScript: false,
    load: async () => (await import('./contenders/polars.ts')).polarsRunner,
  },
  {
    name: 'hyparquet',
    summary: 'a script with a Map, over hyparquet and hyparquet-writer',
    package: 'hyparquet',
    // A Map ends at 2^24 entries.
    eventsMax: 10_000_000,
    excused: {},
    readsDictionaries: true,
    isScript: true,
    load: async () => (await import('./contenders/hyparquet.ts')).hyparquetRunner,
  },
  {
    name: 'parquetjs-lite',
    summary: 'the same script over parquetjs-lite',
    package: 'parquetjs-lite',
    eventsMax: 100_000,
    excused: { zstd: 'reads no ZSTD' },
    readsDictionaries: false,
    isScript: true,
    load: async () => (await import('./contenders/parquetjs-lite.ts')).parquetjsRunner,
  },
]
