import type { Place } from '../model/errors.ts'
import type { ExceptionRow } from '../model/report.ts'
import type { ViewDefinition } from '../model/view.ts'
import { openParquet, type ParquetFile } from '../parquet/file.ts'
import type { FilePlan } from '../plan/plan.ts'
import { disk } from '../storage/disk.ts'
import { type Applied, applyEvents } from './apply-events.ts'
import { type EventText, isAbsent, mapperOf, type RowGroupEvents, readEvents, seekRows } from './find-events.ts'
import { foldPassbook, type Passbook, type StoredState } from './passbook.ts'
import { type Key, keyBytes, type TracePlan } from './plan-trace.ts'

export type Outcome = 'applied' | 'duplicate' | 'filtered' | 'late' | 'quarantined'

/** An event of the key and what became of it. One that was upcast to several stands here as often. */
export interface TracedEvent extends EventText {
  readonly place: Place
  readonly outcome: Outcome
  /** Why it was not applied. */
  readonly reason: string | null
  /** The state before and after; null where the event didn't come to be folded. */
  readonly before: StoredState | null
  readonly after: StoredState | null
}

export interface Trace {
  /** In the order in which they are folded; those that were not applied where they would have been. */
  readonly events: readonly TracedEvent[]
  /** What the key is in the view: its rows, none where no event was applied. */
  readonly rows: Passbook['rows']
  /** Events of the key recorded after known-at or occurred after as-of. */
  readonly outside: number
  readonly rowGroups: { readonly read: number; readonly skipped: number }
}

/**
 * The passbook of one key: find its events → map them as a rebuild does → fold them one at a time.
 *
 * @param onProgress Is told of each row group: its rows and bytes.
 */
export function traceKey(plan: TracePlan, key: Key, onProgress: (rows: number, bytes: number) => void): Trace {
  const wanted = keyBytes(plan, key)
  const opened = new OpenFile()
  try {
    const { found, skipped } = findEvents(plan, key, wanted, opened.open, onProgress)
    const applied = applyEvents(plan, found, wanted, opened.open)
    const passbook = foldPassbook(plan, applied)
    const all = found.flatMap(({ events }) => events)
    return {
      events: inOrder([...stepsOf(plan, passbook), ...notApplied(plan, found, applied)]),
      rows: passbook.rows,
      outside: all.filter(({ isOutside }) => isOutside).length,
      rowGroups: { read: plan.log.splits.length - skipped, skipped },
    }
  } finally {
    opened.close()
  }
}

/** One file is open at a time: row groups follow the files. */
class OpenFile {
  #parquet: ParquetFile | undefined

  readonly open = ({ path }: FilePlan): ParquetFile => {
    if (this.#parquet?.path === path) return this.#parquet
    this.close()
    this.#parquet = openParquet(disk.openForReading(path))
    return this.#parquet
  }

  close(): void {
    this.#parquet?.file.close()
    this.#parquet = undefined
  }
}

function findEvents(
  plan: TracePlan,
  key: Key,
  wanted: Uint8Array,
  open: (file: FilePlan) => ParquetFile,
  onProgress: (rows: number, bytes: number) => void,
): { found: RowGroupEvents[]; skipped: number } {
  const { wholeLog } = plan
  const seeker = mapperOf(plan, wholeLog, plan.seeking(key))
  const found: RowGroupEvents[] = []
  let skipped = 0
  for (const [index, split] of wholeLog.splits.entries()) {
    const file = wholeLog.files[split.file]!
    const parquet = open(file)
    if (isAbsent(plan, file, parquet, parquet.rowGroups[split.rowGroups[0]!.index]!, key)) skipped++
    else {
      const rows = seekRows(seeker, index, wanted, open)
      if (rows.length > 0) found.push(readEvents(plan, index, rows, open))
    }
    onProgress(split.rows, split.bytes)
  }
  return { found, skipped }
}

function stepsOf(plan: TracePlan, { steps }: Passbook): TracedEvent[] {
  return steps.map(({ event: { place, ...event }, before, after, failure }) => ({
    ...event,
    place: placeOf(plan, place.split, place.row),
    outcome: failure === null ? 'applied' : 'quarantined',
    reason: failure === null ? null : `handler failed: ${failure}`,
    before,
    after,
  }))
}

function placeOf({ log }: TracePlan, split: number, row: number): Place {
  const { file, rowGroups } = log.splits[split]!
  return { file: log.files[file]!.path, rowGroup: rowGroups[0]!.index, row }
}

/** Events of the key that no handler was handed, though they lie within the moments asked for. */
function notApplied(plan: TracePlan, found: readonly RowGroupEvents[], applied: Applied): TracedEvent[] {
  const nameOf = ({ split, row }: { split: number; row: number }) => `${split}:${row}`
  const sent = new Set(applied.sent.map(({ place }) => nameOf(place)))
  const repeated = new Set(applied.duplicates.flatMap((set) => set.slice(1).map(nameOf)))
  const missing: TracedEvent[] = []
  for (const { split, events } of found) {
    for (const { row, isOutside, ...event } of events) {
      if (isOutside || sent.has(nameOf({ split, row }))) continue
      const why = repeated.has(nameOf({ split, row }))
        ? { outcome: 'duplicate' as const, reason: 'the same event stands in the log before' }
        : whyNot(plan.view, event, applied.refused.get(split)!)
      missing.push({ ...event, ...why, place: placeOf(plan, split, row), before: null, after: null })
    }
  }
  return missing
}

function whyNot(view: ViewDefinition, { eventId, type }: EventText, refused: readonly ExceptionRow[]) {
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

/** Folded events stay as they were folded; the others come where the log's order puts them, behind what is equal. */
function inOrder(events: TracedEvent[]): TracedEvent[] {
  return events.sort((a, b) => {
    for (const [i, value] of a.order.entries()) {
      const order = compareStored(value, b.order[i])
      if (order !== 0) return order
    }
    return 0
  })
}

/** Values of columns that a log may be ordered by: integers, and strings by their UTF-8 bytes. */
function compareStored(a: unknown, b: unknown): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0
}
