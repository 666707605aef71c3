import { withRoom } from '../columns/grow.ts'
import { idColumnText, joinId } from '../model/event-id.ts'
import { type FoldedLog, rolesOf } from '../model/plan.ts'
import type { ExceptionRow } from '../model/report.ts'
import { ONLY_TYPE } from '../model/slots.ts'
import { NO_HANDLER } from '../view/fold.ts'
import { makeStates, refuseSharedStates } from '../view/free-form.ts'
import { showKey } from '../view/key-codec.ts'
import { typeCodeOf } from '../view/row-layout.ts'
import { RuleError } from '../view/rule-error.ts'
import { StateStore } from '../view/state.ts'
import { reasonOf } from '../view/thrown.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Bucket, BucketSource } from './bucket.ts'
import { keyReader } from './bucket-keys.ts'
import { countLate, type LateOf } from './late.ts'
import type { Part } from './part.ts'
import type { ReduceSide, ViewFold } from './reduce-side.ts'
import { Replay } from './replay.ts'

/** What the accumulators of a group share. */
export interface GroupFold {
  readonly log: FoldedLog
  readonly side: ReduceSide
  readonly bucket: Bucket
  readonly lateOf: LateOf | null
  /** As `PreparedGroup` has it. */
  readonly memberOf: Uint8Array
  /** Whether the group has one view only, so that every row is of an event it takes. */
  readonly isAlone: boolean
}

/** A view's states of the keys of one bucket at a time. */
export class ViewAccumulator {
  readonly view: PreparedView
  readonly folding: ViewFold
  readonly #group: GroupFold
  readonly #store: StateStore | null
  states: StateStore | unknown[] = []
  /** Keys that have a state. */
  #keys = 0
  /** By key: whether an event was folded into it; null where one was into each. */
  #touched: Uint8Array | null = null
  /** By key: its late events; null where the view has no windows. */
  #late: Int32Array | null = null

  constructor(group: GroupFold, view: PreparedView, index: number) {
    this.#group = group
    this.view = view
    this.folding = group.side.foldOf(view, index)
    this.#store = view.state === undefined ? null : new StateStore(view.state)
    if (view.state === undefined) refuseSharedStates(view)
  }

  /** Begins a bucket, in which no key has a state yet. */
  begin(): void {
    this.states = this.#store ?? []
    this.#keys = 0
    this.#touched = null
    this.#late = null
  }

  /**
   * Folds the rows that the bucket has loaded.
   *
   * @param isWhole Whether those are all of the bucket's.
   * @param exceptions Gets the events that failed, where the view quarantines them.
   */
  foldPiece(source: BucketSource, isWhole: boolean, exceptions: ExceptionRow[]): void {
    const { bucket, side, lateOf } = this.#group
    const { fold, handlerOf } = this.folding
    const quarantines = this.view.definition.onError === 'quarantine'
    const saved = isWhole || !quarantines ? null : (this.#store?.copy(this.#keys) ?? null)
    this.#makeRoom(bucket.table.size)
    fold.bindState(this.states)
    fold.bindRows(bucket.words, bucket.strings)
    const replay = new Replay({
      fold,
      handlerOf,
      clock: this.view.clock,
      keyOf: side.keyArgument(keyReader(bucket, this.view)),
      rowAt: bucket.rowAt,
      slotOf: bucket.slotOf,
      rows: bucket.rows,
      slots: this.#keys,
      flatStates: this.flatStates,
      resetKey: (slot) => {
        if (saved !== null && slot < saved.keys) this.#store!.restoreFrom(saved, slot)
        else this.resetKey(slot)
      },
      refuse: (row, error) => {
        this.refuse(source, row, error)
        exceptions.push(this.#exceptionOf(row, error))
      },
    })
    replay.run(0, bucket.rows)
    if (lateOf !== null) this.#addLate(countLate(bucket, lateOf, replay.failed))
    this.#touch(replay.failed, isWhole)
  }

  /** Hands the bucket's states to the part. */
  addTo(part: Part): void {
    part.add(this.#group.bucket.table, this.states, this.#touched, this.#late)
  }

  /** Sets the states of all keys of the bucket to what they are before any event. */
  restart(): void {
    const keys = this.#group.bucket.table.size
    this.#store?.prepare(keys)
    this.folding.begin?.(0, keys)
    this.states = this.#store ?? makeStates(this.view, keys)
  }

  /** The states, where a copy of numbers and strings is a whole copy of one. */
  get flatStates(): StateStore | null {
    return this.#store?.isFlat ? this.#store : null
  }

  resetKey(slot: number): void {
    if (Array.isArray(this.states)) this.states[slot] = makeStates(this.view, 1)[0]
    else this.states.reset(slot)
  }

  /** Throws unless the view quarantines what failed at a row. */
  refuse(source: BucketSource, row: number, error: unknown): void {
    if (this.view.definition.onError === 'quarantine' && !(error instanceof RuleError)) return
    const { bucket, side } = this.#group
    const at = bucket.rowAt[row]!
    const handler = this.view.handlerNames[this.folding.handlerOf[typeCodeOf(bucket.words, at)]!] ?? '*'
    const key = showKey(keyReader(bucket, this.view)(bucket.slotOf[row]!))
    throw side.failure({ view: this.view.name, handler, key, bucket, source, at }, error)
  }

  #makeRoom(keys: number): void {
    if (keys === this.#keys) return
    if (Array.isArray(this.states)) {
      for (const state of makeStates(this.view, keys - this.#keys)) this.states.push(state)
    } else {
      this.states.extend(this.#keys, keys)
    }
    this.folding.begin?.(this.#keys, keys)
    this.#keys = keys
  }

  #addLate(counts: Int32Array): void {
    const before = this.#late
    if (before !== null) for (let slot = 0; slot < before.length; slot++) counts[slot]! += before[slot]!
    this.#late = counts
  }

  /** Notes which keys an event of this view was folded into. */
  #touch(failed: ReadonlySet<number>, isWhole: boolean): void {
    const { bucket, lateOf, isAlone } = this.#group
    if (isWhole && isAlone && failed.size === 0 && lateOf === null) return
    const { rows, rowAt, slotOf, words, table } = bucket
    const { handlerOf } = this.folding
    const touched = withRoom(this.#touched ?? new Uint8Array(0), table.size)
    for (let row = 0; row < rows; row++) {
      if (handlerOf[typeCodeOf(words, rowAt[row]!)] !== NO_HANDLER && !failed.has(row)) touched[slotOf[row]!] = 1
    }
    this.#touched = touched
  }

  #exceptionOf(row: number, error: unknown): ExceptionRow {
    const { bucket, log, memberOf } = this.#group
    const at = bucket.rowAt[row]!
    const member = memberOf[typeCodeOf(bucket.words, at) % memberOf.length]!
    const event = this.folding.fold.eventAt(at, member) as Record<string, unknown>
    const { id, type } = rolesOf(log, member)
    return {
      eventId: joinId(
        id.map((slot) => {
          const { name, type } = log.slots[slot]!
          return idColumnText(type, event[name])
        }),
      ),
      type: type < 0 ? ONLY_TYPE : String(event[log.slots[type]!.name]),
      reason: 'handler failed',
      detail: reasonOf(error),
      ...(log.sources !== undefined && { log: log.sources[member]!.name }),
    }
  }
}
