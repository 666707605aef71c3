import type { MomentClock } from '../time/moment-clock.ts'
import type { PackedFold } from '../view/fold.ts'
import { guarded } from '../view/purity.ts'
import type { StateStore } from '../view/state.ts'
import { type RowsBySlot, rowsBySlot } from './rows-by-slot.ts'

/** Rows that are folded one after the other, and what happens to those that fail. */
export interface FoldedRows {
  readonly fold: PackedFold
  readonly handlerOf: Uint8Array
  readonly clock: MomentClock
  readonly keyOf: (slot: number) => unknown
  /** First word of each row, in the order in which they are folded. */
  readonly rowAt: Int32Array
  readonly slotOf: Int32Array
  readonly rows: number
  readonly slots: number
  /** States that can be saved and restored key by key; null where one can't be copied. */
  readonly flatStates: StateStore | null
  /** Sets a key's state to what it was before the first of the rows. */
  resetKey(slot: number): void
  /** Takes what a handler threw at a row; throws where the event may not be left out. */
  refuse(row: number, error: unknown): void
}

/**
 * Folds rows and leaves out those whose handler throws, as if they had never been: what a handler did to the state
 * before it threw is undone, by restoring the state or by folding the key's earlier rows once more.
 */
export class Replay {
  /** Rows that failed so far. */
  readonly failed: Set<number>
  readonly #given: FoldedRows
  #bySlot: RowsBySlot | null = null

  /** @param failed Rows that failed before, in an earlier fold of the same rows. */
  constructor(given: FoldedRows, failed = new Set<number>()) {
    this.#given = given
    this.failed = failed
  }

  /** Folds rows `from … to`; those before them are folded already. */
  run(from: number, to: number): void {
    const { fold, rowAt, slotOf, handlerOf, keyOf } = this.#given
    guarded(() => {
      try {
        fold.run(rowAt, slotOf, from, to, handlerOf, keyOf)
      } catch (error) {
        const row = fold.at()
        this.#fails(row, error)
        this.#refold(row)
        // More may fail, so the others are folded one by one.
        for (let next = row + 1; next < to; next++) this.#step(next)
      }
    }, this.#given.clock)
  }

  /** Folds one row; those before it are folded already. @returns What its handler threw; null where it did not throw. */
  step(row: number): { readonly error: unknown } | null {
    return guarded(() => this.#step(row), this.#given.clock)
  }

  #step(row: number): { readonly error: unknown } | null {
    const { slotOf, flatStates } = this.#given
    const saved = flatStates?.save(slotOf[row]!)
    try {
      this.#foldOne(row)
      return null
    } catch (error) {
      this.#fails(row, error)
      if (saved !== undefined) flatStates!.restore(slotOf[row]!, saved)
      else this.#refold(row)
      return { error }
    }
  }

  #foldOne(row: number): void {
    const { fold, rowAt, slotOf, handlerOf, keyOf } = this.#given
    fold.run(rowAt, slotOf, row, row + 1, handlerOf, keyOf)
  }

  #fails(row: number, error: unknown): void {
    this.#given.refuse(row, error)
    this.failed.add(row)
  }

  /** Folds the key of a failed row again up to that row. */
  #refold(until: number): void {
    const { slotOf, rows, slots, resetKey } = this.#given
    this.#bySlot ??= rowsBySlot(slotOf, rows, slots)
    const slot = slotOf[until]!
    resetKey(slot)
    for (let i = this.#bySlot.starts[slot]!; i < this.#bySlot.starts[slot + 1]!; i++) {
      const row = this.#bySlot.rows[i]!
      if (row < until && !this.failed.has(row)) this.#foldOne(row)
    }
  }
}
