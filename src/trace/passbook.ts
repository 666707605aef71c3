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
import { makeStates } from '../view/free-form.ts'
import { showKey } from '../view/key-codec.ts'
import { eventLayout } from '../view/packed-layout.ts'
import type { RowLayout } from '../view/row-layout.ts'
import { typeCodeOf } from '../view/row-layout.ts'
import { RuleError } from '../view/rule-error.ts'
import { StateStore } from '../view/state.ts'
import { describeThrown, reasonOf } from '../view/thrown.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Applied, SentEvent } from './apply-events.ts'
import type { TracePlan } from './plan-trace.ts'
import { noChanges, StateCopy, type StoredChanges } from './state-changes.ts'

/**
 * A state by column, as values are stored: moments and decimals as integers, JSON as text. Of a free-form state its
 * properties, each as JSON.
 */
export type StoredState = Readonly<Record<string, unknown>>

/** A state as a passbook keeps it. */
interface Snapshot {
  readonly state: StoredState
  /** Properties of a free-form state that are too large to be kept of every event. */
  readonly omitted: readonly string[]
  /** What the event before it changed of a free-form state; of a typed one nothing is listed. */
  readonly changes: StoredChanges
}

/** An event and what it did to the state. */
export interface Step {
  readonly event: SentEvent
  readonly isApplied: boolean
  /** Null for steps whose states are not kept. */
  readonly before: StoredState | null
  readonly after: StoredState | null
  /** Names of properties that are left out of `before` and `after`. */
  readonly omitted: readonly string[]
  /** What the event changed of a free-form state, place by place; of a typed one nothing is listed. */
  readonly changes: StoredChanges
  /** What its handler threw, where the view says `onError: 'quarantine'`: the state is as it was before. */
  readonly failure: string | null
}

/** A key's rows in the view: key columns first. */
export interface KeyRows {
  readonly rows: number
  readonly columns: readonly Column[]
}

/** How much of the states a passbook keeps. */
export interface StatesKept {
  /** Of how many steps, the last. */
  readonly steps: number
  /** Properties of a free-form state whose JSON is longer than this are left out, in characters. */
  readonly characters: number
}

export interface Passbook {
  readonly count: number
  /** Folds the events one at a time, and makes the rows when all are folded. May be called once. */
  steps(): Generator<Step, KeyRows>
}

/**
 * Folds a key's events in the view's order, by the code that folds them in a rebuild, one at a time.
 *
 * @param watermark Up to when the log is taken to be known.
 */
export function foldPassbook(
  plan: TracePlan,
  { sent, words }: Pick<Applied, 'sent' | 'words'>,
  watermark: bigint | null,
  kept: StatesKept,
): Passbook {
  const { log, traced } = plan
  const [view] = traced.views as readonly [PreparedView]
  const { layout } = eventLayout(log, traced.plan)
  const bucket = new Bucket(layout, Number.POSITIVE_INFINITY)
  const block = {
    ...{ member: 0, split: 0, ordinal: 0, rows: sent.length, words: { kind: 'memory', words } as const },
    ...{ starts: Int32Array.of(0, words.length), strings: layout.slots.map(() => null) },
  }
  const reader = new RunReader([block], 1, 0, plan.files)
  bucket.open({ blocks: [block], bucket: 0, reader })
  bucket.next()
  const eventAt = new Map(Array.from(sent, (event, i) => [bucket.rowAt[i]!, event]))
  orderRows(bucket, compileCompare(layout, traced))
  const folder = new KeyFolder(plan, view, bucket, { layout, characters: kept.characters })
  return {
    count: bucket.rows,
    *steps() {
      for (let row = 0; row < bucket.rows; row++) {
        yield folder.step(row, eventAt.get(bucket.rowAt[row]!)!, row >= bucket.rows - kept.steps)
      }
      return folder.rows(watermark)
    },
  }
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
  readonly #characters: number
  /** As it was kept last; null where an event was folded since. */
  #kept: Snapshot | null = null
  /** A free-form state as it was when it was kept last. */
  #copy: StateCopy | null = null

  constructor(
    plan: TracePlan,
    view: PreparedView,
    bucket: Bucket,
    { layout, characters }: { readonly layout: RowLayout; readonly characters: number },
  ) {
    this.#characters = characters
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
      clock: view.clock,
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
        if (view.definition.onError !== 'quarantine' || error instanceof RuleError)
          throw this.#failure(row, this.#event!, error)
      },
    })
  }

  /** Folds the next event. */
  step(row: number, event: SentEvent, isKept: boolean): Step {
    const before = isKept ? (this.#kept ?? this.#snapshot()) : null
    this.#event = event
    const failed = this.#replay.step(row)
    const failure = failed === null ? null : reasonOf(failed.error)
    const after = isKept ? this.#snapshot() : null
    this.#kept = after
    // A late event that isn't applied comes this far, so that it can be counted.
    const isApplied = failure === null && this.#handlerOf(row) !== NO_HANDLER
    this.#isApplied ||= isApplied
    return {
      ...{ event, isApplied, failure },
      before: before?.state ?? null,
      after: after?.state ?? null,
      omitted: [...new Set([...(before?.omitted ?? []), ...(after?.omitted ?? [])])],
      changes: after?.changes ?? noChanges,
    }
  }

  /** @param watermark Up to when the log is taken to be known. */
  rows(watermark: bigint | null): KeyRows {
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
    const states = this.#store ?? makeStates(this.#view, 1)
    this.#store?.prepare(1)
    this.#fold.bindState(states)
    return states
  }

  #keyOf(): unknown {
    const { words, starts, lengths } = this.#bucket.table
    const start = starts[0]! * 4
    this.#key ??= Object.freeze(this.#view.codec.read(new Uint8Array(words.buffer), start, start + lengths[0]!))
    return this.#key
  }

  #snapshot(): Snapshot {
    if (this.#store !== null) return { state: this.#typed(this.#store), omitted: [], changes: noChanges }
    const [state] = this.#states as unknown[]
    const changes = this.#copy?.update(state) ?? noChanges
    this.#copy ??= new StateCopy(state)
    return { ...this.#copy.properties(this.#characters), changes }
  }

  #typed(store: StateStore): StoredState {
    const columns = store.columns.map(({ name, type, values, nulls }): [string, unknown] => {
      const value = values[0]
      if (nulls?.[0] === 1) return [name, null]
      if (type.kind === 'json') return [name, jsonOf(value, 0)]
      return [name, type.kind === 'bool' ? value === 1 : value]
    })
    return Object.fromEntries(columns)
  }

  #failure(row: number, event: SentEvent, error: unknown): ViewError {
    const { name, handlerNames } = this.#view
    const { log } = this.#plan.shares[event.member]!
    const handler = handlerNames[this.#handlerOf(row)] ?? '*'
    const { split, rowGroup, row: at } = event.place
    const file = log.files[log.splits[split]!.file]!.path
    const place = { file, rowGroup, row: at, eventId: event.eventId, view: name, handler }
    const who = `View ${name}, handler ${handler}, key ${showKey(this.#keyOf())}, at ${describePlace(place)}`
    return new ViewError(`${who}: ${describeThrown(error)}`, place, { cause: error })
  }
}
