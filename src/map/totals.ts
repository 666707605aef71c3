import type { Counters, ExceptionRow } from '../model/report.ts'

type MutableCounters = { -readonly [Name in keyof Counters]: Counters[Name] }

/** What all batches of a split add to. */
export interface MapTotals {
  readonly counters: Record<string, MutableCounters>
  readonly exceptions: Record<string, ExceptionRow[]>
}
