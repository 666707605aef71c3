import { rawInteger } from '../columns/exact-json.ts'
import { jsonOf } from '../columns/from-values.ts'
import type { Column } from '../model/column.ts'
import { describePlace, ViewError } from '../model/errors.ts'
import { Bucket } from '../reduce/bucket.ts'
import { compileCompare } from '../reduce/compare-rows.ts'
import { countLate, makeLateOf } from '../reduce/late.ts'
import { orderRows } from '../reduce/order.ts'
import { Part } from '../reduce/part.ts'
import { Replay } from '../reduce/replay.ts'
import { makeStatusColumns } from '../reduce/status.ts'
import { RunReader } from '../shuffle/run-reader.ts'
import { compilePackedFold, NO_HANDLER, type PackedFold } from '../view/fold.ts'
import { eventFoldSpec } from '../view/fold-spec.ts'
import { showKey } from '../view/key-codec.ts'
import { eventLayout } from '../view/packed-layout.ts'
import { guarded, PurityError } from '../view/purity.ts'
import type { RowLayout } from '../view/row-layout.ts'
import { typeCodeOf } from '../view/row-layout.ts'
import { StateStore } from '../view/state.ts'
import { describeThrown } from '../view/thrown.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Applied, SentEvent } from './apply-events.ts'
import type { TracePlan } from './plan-trace.ts'

/**
 * A state by column, as values are stored: moments and decimals as integers, JSON as text. Of a free-form state its
 * properties, each as JSON.
 */
export type StoredState = Readonly<Record<string, unknown>>

/** An event and what it did to the state. */
export interface Step {
  readonly event: SentEvent
  readonly isApplied: boolean
  /** Null for steps whose states are not kept. */
  readonly before: StoredState | null
  readonly after: StoredState | null
  /** What its handler threw, where the view says `onError: 'quarantine'`: the state is as it was before. */
  readonly failure: string | null
}

export interface Passbook {
  readonly steps: readonly Step[]
  /** The key's rows in the view: key columns first. */
  readonly rows: { readonly rows: number; readonly columns: readonly Column[] }
}

/**
 * Folds a key's events in the log's order, by the code that folds them in a rebuild, one at a time.
 *
 * @param kept Of how many steps, the last, states are kept: states may be large.
 */
export function foldPassbook(
  plan: TracePlan,
  { sent, words }: Applied,
  watermark: bigint | null,
  kept: number,
): Passbook {
  const { log, traced } = plan
  const [view] = traced.views as readonly [PreparedView]
  const { layout } = eventLayout(log, traced.plan)
  const bucket = new Bucket(layout, Number.POSITIVE_INFINITY)
  const block = {
    ...{ split: 0, ordinal: 0, rows: sent.length, words: { kind: 'memory', words } as const },
    ...{ starts: Int32Array.of(0, words.length), strings: layout.slots.map(() => null) },
  }
  const reader = new RunReader([block], 1, 0, plan.files)
  bucket.open({ blocks: [block], bucket: 0, reader })
  bucket.next()
  const eventAt = new Map(Array.from(sent, (event, i) => [bucket.rowAt[i]!, event]))
  orderRows(bucket, compileCompare(layout, traced))
  const folder = new KeyFolder(plan, view, bucket, layout)
  const steps = Array.from({ length: bucket.rows }, (_, row) =>
    folder.step(row, eventAt.get(bucket.rowAt[row]!)!, row >= bucket.rows - kept),
  )
  return { steps, rows: folder.rows(watermark) }
}

/** The fold of the one key of a bucket. */
class KeyFolder {
  readonly #plan: TracePlan
  readonly #view: PreparedView
  readonly #bucket: Bucket
  readonly #fold: PackedFold
  readonly #store: StateStore | null
  readonly #replay: Replay
  /** The event of the row that is folded. */
  #event: SentEvent | null = null
  #states: StateStore | unknown[]
  #isApplied = false
  #key: unknown
  /** As it was kept last; null where an event was folded since. */
  #state: StoredState | null = null

  constructor(plan: TracePlan, view: PreparedView, bucket: Bucket, layout: RowLayout) {
    this.#plan = plan
    this.#view = view
    this.#bucket = bucket
    const { state } = view
    this.#fold = compilePackedFold(eventFoldSpec(plan.log, plan.traced.plan, view), layout)
    this.#store = state === undefined ? null : new StateStore(state)
    this.#fold.bindRows(bucket.words, bucket.strings)
    this.#states = this.#begin()
    this.#replay = new Replay({
      fold: this.#fold,
      handlerOf: view.handlerOf,
      keyOf: () => this.#keyOf(),
      rowAt: bucket.rowAt,
      slotOf: bucket.slotOf,
      rows: bucket.rows,
      slots: 1,
      flatStates: this.#store?.isFlat ? this.#store : null,
      resetKey: () => {
        this.#states = this.#begin()
      },
      refuse: (row, error) => {
        if (view.definition.onError !== 'quarantine' || error instanceof PurityError)
          throw this.#failure(row, this.#event!, error)
      },
    })
  }

  /** Folds the next event. */
  step(row: number, event: SentEvent, isKept: boolean): Step {
    const before = isKept ? (this.#state ?? this.#stored()) : null
    this.#event = event
    const failed = this.#replay.step(row)
    const failure = failed === null ? null : messageOf(failed.error)
    this.#state = isKept ? this.#stored() : null
    // A late event that isn't applied comes this far, so that it can be counted.
    const isApplied = failure === null && this.#handlerOf(row) !== NO_HANDLER
    this.#isApplied ||= isApplied
    return { event, isApplied, before, after: this.#state, failure }
  }

  /** @param watermark Up to when the log is taken to be known. */
  rows(watermark: bigint | null): { rows: number; columns: readonly Column[] } {
    const { log, traced } = this.#plan
    const part = new Part(this.#view)
    const lateOf = makeLateOf(traced, eventLayout(log, traced.plan))
    const late = lateOf === null ? null : countLate(this.#bucket, lateOf, this.#replay.failed)
    if (this.#isApplied) part.add(this.#bucket.table, this.#states, null, late)
    return part.finish(makeStatusColumns(log, this.#view), watermark)
  }

  #handlerOf(row: number): number {
    return this.#view.handlerOf[typeCodeOf(this.#bucket.words, this.#bucket.rowAt[row]!)]!
  }

  #begin(): StateStore | unknown[] {
    const { state } = this.#view.definition
    const states = this.#store ?? guarded(() => [(state as () => unknown)()])
    this.#store?.prepare(1)
    this.#fold.bindState(states)
    return states
  }

  #keyOf(): unknown {
    const { words, starts, lengths } = this.#bucket.table
    const start = starts[0]! * 4
    this.#key ??= this.#view.codec.read(new Uint8Array(words.buffer), start, start + lengths[0]!)
    return this.#key
  }

  #stored(): StoredState {
    if (this.#store === null) return storedObject((this.#states as unknown[])[0])
    const columns = this.#store.columns.map(({ name, type, values, nulls }): [string, unknown] => {
      const value = values[0]
      if (nulls?.[0] === 1) return [name, null]
      if (type.kind === 'json') return [name, jsonOf(value, 0)]
      return [name, type.kind === 'bool' ? value === 1 : value]
    })
    return Object.fromEntries(columns)
  }

  #failure(row: number, event: SentEvent, error: unknown): ViewError {
    const { name, handlerNames } = this.#view
    const { log } = this.#plan
    const handler = handlerNames[this.#handlerOf(row)] ?? '*'
    const { split, rowGroup, row: at } = event.place
    const file = log.files[log.splits[split]!.file]!.path
    const place = { file, rowGroup, row: at, eventId: event.eventId, view: name, handler }
    const who = `View ${name}, handler ${handler}, key ${showKey(this.#keyOf())}, at ${describePlace(place)}`
    return new ViewError(`${who}: ${describeThrown(error)}`, place, { cause: error })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A free-form state may hold anything; what JSON has no word for is shown as the arrays it can be made of. */
function storedObject(state: unknown): StoredState {
  const plain = (_name: string, value: unknown): unknown => {
    if (value instanceof Map || value instanceof Set) return [...value]
    return typeof value === 'bigint' ? rawInteger(value) : value
  }
  const entries =
    state instanceof Map || state instanceof Set || Array.isArray(state)
      ? [['', state]]
      : Object.entries(state as object)
  return Object.fromEntries(entries.map(([name, value]) => [name, JSON.stringify(value, plain) ?? 'null']))
}
