import type { Counters, ExceptionRow } from '../model/report.ts'
import type { OccurringNames } from './occurring.ts'
import type { Triangle } from './triangle.ts'

type MutableCounters = { -readonly [Name in keyof Counters]: Counters[Name] }

/** What all batches of a split add to. */
export interface MapTotals {
  readonly counters: Record<string, MutableCounters>
  readonly exceptions: Record<string, ExceptionRow[]>
  /** Of views with windows. */
  readonly triangles: Record<string, Triangle>
  readonly occurring: OccurringNames
}
