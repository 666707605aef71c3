import type { OrderReport } from './order-report.ts'

/**
 * A rebuild's options, what it reports while it runs and what it returns. Plain data: it can be printed as
 * JSON as it is.
 */

/** What a vintage ends with: an hour, day, week or month of the log's zone. */
export type VintageLength = 'hour' | 'day' | 'week' | 'month'

export const vintageLengths: readonly VintageLength[] = ['hour', 'day', 'week', 'month']

/**
 * Where a view's events are folded. `in-place`: where they are read, as the log keeps a key's events in one partition.
 * `combine`: where they are read, and states of one key are merged. `shuffle`: events travel to their key.
 */
export type Strategy = 'in-place' | 'combine' | 'shuffle'

export interface RebuildOptions {
  /** Names of the views to rebuild. Absent: all of the job. */
  readonly views?: readonly string[]
  /** Folder that holds the views. */
  readonly out: string
  /**
   * Number of worker threads; 0 runs everything in the calling thread. Absent: one for each processor, or none where the
   * logs are so small that starting threads would take longer than the work.
   */
  readonly workers?: number
  /** By log: the files or globs to read instead of those that the log's definition names. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Publishes also where files that the published generation was built from are no longer there, with rows that are in no other
   * file of the log. Absent: such a rebuild fails.
   */
  readonly allowMissingInputs?: boolean
  /**
   * Publishes also views that another job published before, which belong to this job from then on. Absent: a rebuild of such a view
   * fails, unless the other job's file is no longer there.
   */
  readonly takeOver?: boolean
  /** ISO 8601 moment, or a day, which means its end in the log's zone: keep only events recorded up to it. */
  readonly knownAt?: string
  /** ISO 8601 moment, or a day: keep only events that occurred up to it. */
  readonly asOf?: string
  /**
   * Publishes beside each view another, `<view>-vintages`: its rows as they were known at the end of every hour, day, week or
   * month in which the log recorded an event.
   */
  readonly vintages?: VintageLength
  /** Memory that the rebuild may use, in bytes; beyond its share of it, events on their way are spilled. Absent: half the machine's. */
  readonly memoryBytes?: number
  /** Folder for what is spilled; it must exist. Absent: `out`. */
  readonly spillFolder?: string
  /** For tests and measurements: how every view is folded, in place of what the plan would choose. */
  readonly strategy?: Strategy
  readonly onProgress?: (progress: Progress) => void
  /**
   * Called once, before the work begins, with the number of worker threads. With 0 the calling thread is busy from then
   * on, and neither timers nor signal handlers run.
   */
  readonly onThreads?: (threads: number) => void
  /** Aborts the rebuild; what is published stays as it was. */
  readonly signal?: AbortSignal
}

export interface Progress {
  readonly stage: 'plan' | 'identify' | 'map' | 'reduce' | 'correct' | 'commit'
  /** Both in `unit`. `total` is 0 while it isn't known. */
  readonly done: number
  readonly total: number
  readonly unit: 'events' | 'parts' | 'views'
  /** Bytes of input that this stage has read so far. */
  readonly bytes: number
}

/** Events of one view: `read` is the sum of the others. */
export interface Counters {
  readonly read: number
  readonly applied: number
  readonly filtered: number
  readonly duplicate: number
  readonly late: number
  readonly quarantined: number
}

/** An event that was read and not applied. */
export interface ExceptionRow {
  readonly eventId: string
  readonly type: string
  readonly reason: string
  readonly detail: string
  /** Of a view of several logs: which of them the event is of. */
  readonly log?: string
}

export interface ViewReport {
  readonly view: string
  readonly generation: string
  /** `unchanged`: the rebuild produced the bytes that were published already. */
  readonly outcome: 'published' | 'unchanged'
  readonly rows: number
  readonly keys: number
  readonly counters: Counters
  /** Hash of what was published, lower-case hexadecimal. */
  readonly digest: string
  /** Hash of the view's logic and options, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Folder of the generation. */
  readonly path: string
  /** Size of the view's files. */
  readonly bytes: number
  /** Number of events in the generation's list of exceptions. */
  readonly exceptions: number
  /** Number of notices in the generation: figures that were published before and have changed. */
  readonly corrections: number
  /** What was found of the order of its events; null where its result doesn't depend on it, and of vintages, whose view says it. */
  readonly order: OrderReport | null
}

export interface RebuildReport {
  readonly job: string
  readonly views: readonly ViewReport[]
  readonly stages: readonly { readonly stage: string; readonly seconds: number }[]
  /** Events read from the logs, each counted once however many views it went into. */
  readonly events: number
  readonly seconds: number
  readonly bytesRead: number
  readonly workers: number
  /** Notes, in sentences, such as that a log had recorded nothing by known-at. */
  readonly notes: readonly string[]
}
