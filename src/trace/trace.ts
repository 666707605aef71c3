import { noteRecorded, noteRun, type RecordedRuns } from '../map/periods.ts'
import type { Place } from '../model/errors.ts'
import type { ExceptionRow } from '../model/report.ts'
import type { LogView } from '../model/view.ts'
import { type OpenFile, openInTurn } from '../parquet/open-in-turn.ts'
import { readBatch } from '../scan/batch.ts'
import { LogClock, type PartitionRun } from '../time/clock-skew.ts'
import { leastKnown, watermarkOf } from '../time/watermark.ts'
import { type Applied, applyEvents, joined } from './apply-events.ts'
import { type EventText, isAbsent, mapperOf, type RowGroupEvents, readEvents, seekRows } from './find-events.ts'
import type { Outcome } from './key-trace-types.ts'
import { foldPassbook, type KeyRows, type StatesKept, type Step, type StoredState } from './passbook.ts'
import { type Key, keyBytes, type TracePlan, type TraceShare } from './plan-trace.ts'
import { noChanges, type StoredChanges } from './state-changes.ts'

/** An event of the key and what became of it. One that was upcast to several is here as often. */
export interface TracedEvent extends EventText {
  readonly place: Place
  readonly outcome: Outcome
  /** Why it was not applied; of one that was applied though it was late, how late. */
  readonly reason: string | null
  /** The state before and after; null where the event wasn't folded, or states are not kept. */
  readonly before: StoredState | null
  readonly after: StoredState | null
  /** Names of properties that are left out of `before` and `after`. */
  readonly omitted: readonly string[]
  /** What the event changed of a free-form state, place by place; of a typed one nothing is listed. */
  readonly changes: StoredChanges
}

/** A trace whose events are folded as they are asked for. */
export interface OpenTrace {
  /** How many events there are. */
  readonly count: number
  /**
   * The events in the order in which they are folded; those that were not applied where they would have been. Then what the key
   * is in the view: its rows, none where no event was applied. May be called once.
   */
  events(): Generator<TracedEvent, KeyRows>
  /** Events of the key recorded after known-at or occurred after as-of. */
  readonly outside: number
  readonly rowGroups: { readonly read: number; readonly skipped: number }
}

export interface TraceOutput {
  /** How much of the states is kept; absent: all. */
  readonly kept?: StatesKept
  /** Called for each row group: its rows and bytes. */
  readonly onProgress?: (rows: number, bytes: number) => void
}

const everything: StatesKept = { steps: Number.POSITIVE_INFINITY, characters: Number.POSITIVE_INFINITY }

/** The passbook of one key: find its events → map them as a rebuild does → fold them one at a time, as they are asked for. */
export function openTrace(plan: TracePlan, key: Key, { kept, onProgress }: TraceOutput = {}): OpenTrace {
  const wanted = keyBytes(plan, key)
  return openInTurn(plan.files, (open) => {
    const logs = plan.shares.map((share) => traceLog(share, key, wanted, open, onProgress ?? (() => {})))
    const sent = logs.flatMap(({ applied }) => applied.sent)
    const words = joined(logs.map(({ applied }) => applied.words))
    const watermark = plan.window === null ? null : leastKnown(plan.shares.map((share) => watermarkFor(share, open)))
    const passbook = foldPassbook(plan, { sent, words }, watermark, kept ?? everything)
    const missing = logs.flatMap(({ missing }) => missing).sort(compareOrders)
    const sum = (of: (log: TracedLog) => number) => logs.reduce((total, log) => total + of(log), 0)
    return {
      count: passbook.count + missing.length,
      events: () => inOrder(plan, passbook.steps(), missing),
      outside: sum(({ outside }) => outside),
      rowGroups: { read: sum(({ read }) => read), skipped: sum(({ skipped }) => skipped) },
    }
  })
}

/** What one log has of a key. */
interface TracedLog {
  readonly applied: Applied
  readonly missing: readonly TracedEvent[]
  readonly outside: number
  readonly read: number
  readonly skipped: number
}

function traceLog(
  share: TraceShare,
  key: Key,
  wanted: Uint8Array,
  open: OpenFile,
  onProgress: (rows: number, bytes: number) => void,
): TracedLog {
  const { found, skipped } = findEvents(share, key, wanted, open, onProgress)
  const applied = applyEvents(share, found, wanted, open)
  return {
    applied,
    missing: notApplied(share, found, applied),
    outside: found.flatMap(({ events }) => events).filter(({ isOutside }) => isOutside).length,
    read: share.log.splits.length - skipped,
    skipped,
  }
}

/** All that a generator gives, and what it ends in. */
export function drained<Item, End>(items: Generator<Item, End>): { readonly items: Item[]; readonly end: End } {
  const collected: Item[] = []
  let next = items.next()
  for (; !next.done; next = items.next()) collected.push(next.value)
  return { items: collected, end: next.value }
}

function findEvents(
  share: TraceShare,
  key: Key,
  wanted: Uint8Array,
  open: OpenFile,
  onProgress: (rows: number, bytes: number) => void,
): { found: RowGroupEvents[]; skipped: number } {
  const { wholeLog } = share
  const seeker = mapperOf(share, wholeLog, share.seeking(key))
  const found: RowGroupEvents[] = []
  let skipped = 0
  for (const [index, split] of wholeLog.splits.entries()) {
    const file = wholeLog.files[split.file]!
    const parquet = open(file)
    if (isAbsent(share, file, parquet, parquet.rowGroups[split.rowGroups[0]!.index]!, key)) skipped++
    else {
      const rows = seekRows(seeker, index, wanted, open)
      if (rows.length > 0) found.push(readEvents(share, index, rows, open))
    }
    onProgress(split.rows, split.bytes)
  }
  return { found, skipped }
}

/** Up to when the log is taken to be known. */
function watermarkFor({ log }: TraceShare, open: OpenFile): bigint | null {
  const runs: PartitionRun[] = []
  for (const split of log.splits) {
    const file = log.files[split.file]!
    const [rowGroup] = split.rowGroups
    const own: RecordedRuns = new Map()
    const { recorded } = rowGroup!
    if (recorded === 'unread') {
      const recordedAt = new Set([log.roles.recordedAt])
      noteRecorded(log, readBatch(log, file, open, rowGroup!.index, recordedAt), null, own)
    } else if (recorded !== null) noteRun(own, 0, recorded, log.maxClockSkew)
    for (const run of own.get(0) ?? []) runs.push({ ...run, partition: file.partition })
  }
  const clock = new LogClock(log.maxClockSkew)
  clock.add(runs)
  return watermarkOf(clock.progress.values(), log.idleTimeout)
}

function tracedStep(plan: TracePlan, { event, isApplied, failure, ...states }: Step): TracedEvent {
  const { place, late, ...text } = event
  return {
    ...text,
    ...states,
    place: placeOf(plan.shares[event.member]!, place.split, place.row),
    outcome: failure !== null ? 'quarantined' : isApplied ? 'applied' : 'late',
    reason: failure !== null ? `handler failed: ${failure}` : late,
  }
}

function placeOf({ log }: TraceShare, split: number, row: number): Place {
  const { file, rowGroups } = log.splits[split]!
  return { file: log.files[file]!.path, rowGroup: rowGroups[0]!.index, row }
}

/** Events of the key that no handler was handed, though they lie within the moments asked for. */
function notApplied(share: TraceShare, found: readonly RowGroupEvents[], applied: Applied): TracedEvent[] {
  const nameOf = ({ split, row }: { split: number; row: number }) => `${split}:${row}`
  const sent = new Set(applied.sent.map(({ place }) => nameOf(place)))
  const repeated = new Set(applied.dropped.map(nameOf))
  const missing: TracedEvent[] = []
  for (const { split, events } of found) {
    for (const { row, isOutside, ...event } of events) {
      if (isOutside || sent.has(nameOf({ split, row }))) continue
      const why = repeated.has(nameOf({ split, row }))
        ? { outcome: 'duplicate' as const, reason: sameEvent(share) }
        : whyNot(share.view, event, applied.refused.get(split)!)
      missing.push({ ...event, ...why, ...noStates, place: placeOf(share, split, row) })
    }
  }
  return missing
}

function sameEvent({ log: { duplicates } }: TraceShare): string {
  return duplicates === null
    ? 'the same event is earlier in the log'
    : `another delivery of the event is kept, the ${duplicates.keep} by recordedAt`
}

const noStates = { before: null, after: null, omitted: [], changes: noChanges } as const

function whyNot(view: LogView, { eventId, type }: EventText, refused: readonly ExceptionRow[]) {
  const exception = refused.find((candidate) => candidate.eventId === eventId)
  if (exception !== undefined) {
    const { reason, detail } = exception
    return { outcome: reason === 'late' ? ('late' as const) : ('quarantined' as const), reason: detail || reason }
  }
  const reason =
    view.log.upcast[type] !== undefined
      ? 'its upcast made no event of it that the view takes'
      : view.on[type] === undefined && view.on['*'] === undefined
        ? 'the view has no handler for its type'
        : "the view's filter"
  return { outcome: 'filtered' as const, reason }
}

/** Folded events stay as they were folded; the others come where the view's order puts them, after what is equal. */
function* inOrder(
  plan: TracePlan,
  steps: Generator<Step, KeyRows>,
  missing: readonly TracedEvent[],
): Generator<TracedEvent, KeyRows> {
  let at = 0
  let next = steps.next()
  for (; !next.done; next = steps.next()) {
    const event = tracedStep(plan, next.value)
    while (at < missing.length && compareOrders(missing[at]!, event) < 0) yield missing[at++]!
    yield event
  }
  yield* missing.slice(at)
  return next.value
}

function compareOrders(a: TracedEvent, b: TracedEvent): number {
  for (const [i, value] of a.order.entries()) {
    const order = compareStored(value, b.order[i])
    if (order !== 0) return order
  }
  return 0
}

/** Values of columns that a log may be ordered by: null first, integers and flags, strings by their UTF-8 bytes. */
function compareStored(a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0
}
