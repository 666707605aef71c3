import type { Workload, WorkloadName } from './workloads.ts'

/** What a contender's process receives. Plain data. */
export interface Task {
  readonly contender: string
  readonly workload: WorkloadName
  /** Folder of the ledger, with one folder for each partition. */
  readonly ledger: string
  readonly files: readonly string[]
  /** An empty folder for what it writes. */
  readonly out: string
}

/** By view: the Parquet files that were written, in the order of their rows. */
export type Written = Readonly<Record<string, readonly string[]>>

/** The part of a contender that runs in its own process. */
export interface Runner {
  /** Gets ready; what it returns is the work that is timed, from opening the log's files to the last written byte. */
  prepare(task: Task, workload: Workload): Promise<() => Promise<Written>>
}

/** The threads that contenders with threads are given. */
export const threads = 2
