import { isPresent } from '../model/column.ts'
import type { Place } from '../model/errors.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { TimeUnit } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { partitionName } from '../plan/files.ts'
import { readBatch } from '../scan/batch.ts'
import type { Batch } from '../scan/event-batch.ts'
import { typesOf } from '../scan/types.ts'
import { type Calendar, makeCalendar } from '../time/calendar.ts'
import { type Duration, formatDuration } from '../time/duration.ts'
import { addLateCounts, type LateCounts, lateCounts } from '../time/lateness.ts'
import { mapperOf, originOf } from '../trace/find-events.ts'
import type { TraceShare } from '../trace/plan-trace.ts'
import { ClockSurvey } from './survey-clock.ts'

/** Whose lateness is asked for: a view with windows, or a log of whose views none has any. */
export interface LatenessSubject {
  readonly view: string | null
  /** Types that the view has handlers for; null for all. */
  readonly types: ReadonlySet<string> | null
  readonly window: { readonly every: string; readonly zone: string } | null
  readonly thresholds: readonly Duration[]
  /** What the view tolerates now. */
  readonly allowedLateness: string | null
  /** How a view with `filter`, `keyBy` or upcast events selects its events; null where its types decide. */
  readonly trace: TraceShare | null
  /** Whether the log may hold an event several times, and each counts. */
  readonly countsRepeated: boolean
}

/** What several thresholds would mean for the events there are. A repeated event counts as often as it is in the log. */
export interface LatenessSurvey {
  readonly view: string | null
  readonly every: string | null
  readonly zone: string | null
  readonly allowedLateness: string | null
  /** See `LatenessSubject`. */
  readonly countsRepeated: boolean
  readonly unit: TimeUnit
  readonly events: number
  /** Events recorded before they occurred, and the place of the first. */
  readonly early: { readonly events: number; readonly first: Place | null }
  readonly thresholds: readonly ThresholdSurvey[]
}

export interface ThresholdSurvey {
  readonly threshold: string
  readonly late: number
  /** Of all events; null where there are none. */
  readonly share: number | null
  /** Windows of which the log shows when they became final, and how long after their end; null where there are none. */
  readonly provisional: { readonly windows: number; readonly median: bigint; readonly longest: bigint } | null
}

/**
 * Reads when each event occurred and was recorded.
 *
 * @param idleTimeout In the log's unit.
 */
export function surveyLateness(
  log: LogPlan,
  subjects: readonly LatenessSubject[],
  idleTimeout: bigint,
  open: (file: FilePlan) => ParquetFile,
): LatenessSurvey[] {
  const { occurredAt, recordedAt, type } = log.roles
  const needed = new Set([occurredAt, recordedAt, type, ...log.roles.id].filter((slot) => slot >= 0))
  const counts = subjects.map((subject) => new SubjectCount(log, subject))
  const recorded = new Map<string, BigInt64Array[]>()
  const clock = new ClockSurvey(log)
  for (const split of log.splits) {
    const file = log.files[split.file]!
    const partition = partitionName(file.path)
    for (const { index } of split.rowGroups) {
      const batch = readBatch(log, file, open, index, needed)
      const pieces = recorded.get(partition) ?? []
      recorded.set(partition, pieces)
      const moments = presentMoments(batch, recordedAt)
      pieces.push(moments)
      clock.add(file.partition, moments)
      for (const count of counts) count.addAll(batch)
    }
  }
  for (const count of counts) count.addMapped(open)
  const { end } = clock
  // Windows become final by what is not ahead.
  const partitions = [...recorded.values()]
    .map((pieces) => sorted(pieces).filter((moment) => moment <= end!))
    .filter(({ length }) => length > 0)
  return counts.map((count) => count.result(partitions, idleTimeout))
}

class SubjectCount {
  readonly #log: LogPlan
  readonly #subject: LatenessSubject
  readonly #calendar: Calendar | null
  readonly #windows = new Set<number>()
  #counts: LateCounts
  #firstEarly: Place | null = null

  constructor(log: LogPlan, subject: LatenessSubject) {
    this.#log = log
    this.#subject = subject
    this.#calendar = subject.window === null ? null : makeCalendar({ ...subject.window, unit: log.timeUnit })
    this.#counts = { events: 0, early: 0, late: subject.thresholds.map(() => 0) }
  }

  /** Counts the events of a row group that are of the view's types, where these decide. */
  addAll(batch: Batch): void {
    if (this.#subject.trace === null) this.#add(batch, this.#rowsOf(batch))
  }

  /** Counts what the view takes of the log, by the code that maps events in a rebuild. */
  addMapped(open: (file: FilePlan) => ParquetFile): void {
    const { trace } = this.#subject
    if (trace === null) return
    const mapper = mapperOf(trace, trace.log, trace.traced)
    for (const split of trace.log.splits.keys()) {
      mapper.watch(split, [], open, (_group, _ordinal, batch, { keyed }) =>
        this.#add(batch, eventsOf(batch, keyed!.rows)),
      )
    }
  }

  #add(batch: Batch, rows: readonly number[]): void {
    const { occurredAt, recordedAt } = this.#log.roles
    const occurred = momentsAt(batch, occurredAt, rows)
    const recorded = momentsAt(batch, recordedAt, rows)
    const counts = lateCounts(occurred, recorded, this.#subject.thresholds, this.#calendar ?? this.#log.timeUnit)
    this.#counts = addLateCounts(this.#counts, counts)
    if (counts.early > 0 && this.#firstEarly === null) {
      const row = rows[occurred.findIndex((moment, i) => recorded[i]! < moment)]!
      const at = originOf(batch, row)
      this.#firstEarly = { file: batch.file, rowGroup: batch.rowGroup, row: at, eventId: batch.eventIdAt(at) }
    }
    if (this.#calendar !== null) for (const moment of occurred) this.#windows.add(this.#calendar.indexOf(moment))
  }

  /** Events of the view's types that have both moments. */
  #rowsOf(batch: Batch): number[] {
    const { types } = this.#subject
    const { codes, names } = typesOf(this.#log, batch)
    const taken = names.map((name) => types === null || types.has(name))
    const moments = [this.#log.roles.occurredAt, this.#log.roles.recordedAt].map((slot) => batch.columns[slot]!)
    const rows: number[] = []
    for (let row = 0; row < batch.rows; row++) {
      if (taken[codes[row]!] && moments.every((column) => isPresent(column, row))) rows.push(row)
    }
    return rows
  }

  result(partitions: readonly BigInt64Array[], idleTimeout: bigint): LatenessSurvey {
    const { view, window, thresholds, allowedLateness, countsRepeated } = this.#subject
    const { events, early, late } = this.#counts
    return {
      ...{
        view,
        every: window?.every ?? null,
        zone: window?.zone ?? null,
        allowedLateness,
        countsRepeated,
        unit: this.#log.timeUnit,
        events,
      },
      early: { events: early, first: this.#firstEarly },
      thresholds: thresholds.map((threshold, i) => ({
        threshold: formatDuration(threshold),
        late: late[i]!,
        share: events === 0 ? null : late[i]! / events,
        provisional: this.#provisional(threshold, partitions, idleTimeout),
      })),
    }
  }

  #provisional(threshold: Duration, partitions: readonly BigInt64Array[], idleTimeout: bigint) {
    const calendar = this.#calendar
    if (calendar === null) return null
    const waits: bigint[] = []
    for (const index of this.#windows) {
      const final = finalSince(calendar.deadlineOf(index, threshold), partitions, idleTimeout)
      if (final !== null) waits.push(final - calendar.endOf(index))
    }
    if (waits.length === 0) return null
    waits.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    return { windows: waits.length, median: waits[waits.length >> 1]!, longest: waits.at(-1)! }
  }
}

/** One row for each event, however many keys it has, or new events its upcaster made of it. */
function eventsOf(batch: Batch, rows: Int32Array): number[] {
  return [...rows].filter((row, i) => i === 0 || originOf(batch, row) !== originOf(batch, rows[i - 1]!))
}

/**
 * The moment at which the watermark passed a deadline, or null where it hasn't: when every partition that there was had
 * recorded something later, or when any had recorded something so much later that the others counted as silent.
 *
 * @param partitions When each recorded its events, ascending.
 */
function finalSince(deadline: bigint, partitions: readonly BigInt64Array[], idleTimeout: bigint): bigint | null {
  const there = partitions.filter((moments) => moments[0]! <= deadline)
  const passed = there.map((moments) => firstAfter(moments, deadline))
  const beyondSilence = least(partitions.map((moments) => firstAfter(moments, deadline + idleTimeout)))
  const byAll =
    there.length === 0
      ? least(partitions.map((moments) => firstAfter(moments, deadline)))
      : passed.reduce<bigint | null>((a, b) => (a === null || b === null ? null : a > b ? a : b), passed[0]!)
  return least([byAll, beyondSilence])
}

function least(moments: readonly (bigint | null)[]): bigint | null {
  return moments.reduce<bigint | null>((a, b) => (a === null || (b !== null && b < a) ? b : a), null)
}

/** The first of ascending moments that is later; null where none is. */
function firstAfter(moments: BigInt64Array, moment: bigint): bigint | null {
  let low = 0
  let high = moments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (moments[middle]! > moment) high = middle
    else low = middle + 1
  }
  return low === moments.length ? null : moments[low]!
}

function momentsAt(batch: Batch, slot: number, rows: readonly number[]): BigInt64Array {
  const column = batch.columns[slot]
  if (column?.kind !== 'int64') throw new Error('moments lie in an int64 column')
  return BigInt64Array.from(rows, (row) => column.values[row]!)
}

function presentMoments(batch: Batch, slot: number): BigInt64Array {
  const column = batch.columns[slot]!
  return momentsAt(
    batch,
    slot,
    [...Array(batch.rows).keys()].filter((row) => isPresent(column, row)),
  )
}

function sorted(pieces: readonly BigInt64Array[]): BigInt64Array {
  const all = new BigInt64Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all.sort()
}
