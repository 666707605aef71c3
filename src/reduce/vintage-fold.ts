import type { VintageBoundary } from '../map/timelines.ts'
import type { MomentClock } from '../time/moment-clock.ts'
import { NO_HANDLER, type PackedFold } from '../view/fold.ts'
import { typeCodeOf } from '../view/row-layout.ts'
import type { StateStore } from '../view/state.ts'
import type { Bucket } from './bucket.ts'
import type { LateOf } from './late.ts'
import { type FoldedRows, Replay } from './replay.ts'
import { rowsBySlot } from './rows-by-slot.ts'
import type { VintagePart } from './vintage-part.ts'

/**
 * Folds a bucket once more, cut by cut: all events of one period, then a snapshot of every key they changed. A key whose
 * order differs from that in which its events were recorded would then be folded in a wrong order; such a key is folded
 * again for each cut.
 */
export interface VintageFold {
  readonly bucket: Bucket
  readonly fold: PackedFold
  readonly handlerOf: Uint8Array
  readonly clock: MomentClock
  readonly states: StateStore | unknown[]
  readonly keyOf: (slot: number) => unknown
  /** First word of the period in a packed row. */
  readonly periodWord: number
  readonly cuts: readonly VintageBoundary[]
  readonly lateOf: LateOf | null
  /** Whether a key's events have an order of their own. */
  readonly ordered: boolean
  readonly part: VintagePart
  /** The states, where a copy of numbers and strings is a whole copy of one. */
  readonly flatStates: StateStore | null
  /** Sets one key's state back to what it was before its first event. */
  resetKey(slot: number): void
  /** Takes an error that a handler threw at a row of the bucket; throws where the event may not be left out. */
  refuse(row: number, error: unknown): void
}

export function foldVintages(given: VintageFold): void {
  const { bucket, part, states, fold } = given
  fold.bindState(states)
  fold.bindRows(bucket.words, bucket.strings)
  part.bind(states)
  const first = part.addKeys(bucket.table)
  const cutOfRow = cutsOfRows(given)
  const disordered = given.ordered ? disorderedKeys(bucket, cutOfRow) : null
  foldInOrder(given, first, cutOfRow, disordered)
  if (disordered !== null) foldAnew(given, first, cutOfRow, disordered)
}

function cutsOfRows({ bucket: { rows, rowAt, words }, periodWord, cuts: boundaries }: VintageFold): Int32Array {
  const cutOf = new Map(boundaries.map(({ period }, cut) => [period, cut]))
  const cuts = new Int32Array(rows)
  for (let row = 0; row < rows; row++) cuts[row] = cutOf.get(words[rowAt[row]! + periodWord]!)!
  return cuts
}

/** Keys with an event that was recorded in an earlier period than the one before it; null where there are none. */
function disorderedKeys({ rows, slotOf, table }: Bucket, cutOfRow: Int32Array): Uint8Array | null {
  const latest = new Int32Array(table.size).fill(-1)
  let disordered: Uint8Array | null = null
  for (let row = 0; row < rows; row++) {
    const slot = slotOf[row]!
    if (cutOfRow[row]! >= latest[slot]!) {
      latest[slot] = cutOfRow[row]!
    } else {
      disordered ??= new Uint8Array(table.size)
      disordered[slot] = 1
    }
  }
  return disordered
}

function foldInOrder(given: VintageFold, first: number, cutOfRow: Int32Array, disordered: Uint8Array | null): void {
  const { bucket, cuts, part } = given
  const { rows, starts } = rowsByCut(bucket, cutOfRow, cuts.length, disordered)
  const replay = new Replay(foldedRows(given, rows))
  const keys = makeKeys(given)
  for (let cut = 0; cut < cuts.length; cut++) {
    const from = starts[cut]!
    const to = starts[cut + 1]!
    if (from === to) continue
    replay.run(from, to)
    for (let i = from; i < to; i++) if (replay.failed.size === 0 || !replay.failed.has(i)) keys.note(rows[i]!)
    for (const slot of keys.take()) part.add(first, slot, cut, keys.late[slot]!)
  }
}

/**
 * Folds keys whose order goes back in time: for each cut again all events up to it, unless those it adds come after all
 * that were folded already.
 */
function foldAnew(given: VintageFold, first: number, cutOfRow: Int32Array, disordered: Uint8Array): void {
  const { bucket, part, resetKey } = given
  const { starts, rows } = rowsBySlot(bucket.slotOf, bucket.rows, bucket.table.size)
  for (let slot = 0; slot < bucket.table.size; slot++) {
    if (disordered[slot] === 0) continue
    const own = rows.subarray(starts[slot]!, starts[slot + 1]!)
    const cuts = Int32Array.from(new Set(own.map((row) => cutOfRow[row]!))).sort()
    let failed = new Set<number>()
    let folded = 0
    let known = nothingKnown
    let isWhole = true
    for (const cut of cuts) {
      const { upTo, added } = rowsUpTo(own, cutOfRow, cut)
      if (added < folded) {
        resetKey(slot)
        failed = new Set()
        folded = 0
      }
      new Replay(foldedRows(given, upTo), failed).run(folded, upTo.length)
      folded = upTo.length
      const failedRows = new Set(Array.from(failed, (i) => upTo[i]!))
      // Where events fail, each cut may have others that fail: then all are counted again.
      const goesOn = isWhole && failed.size === 0
      isWhole = failed.size === 0
      known = goesOn
        ? tally(
            given,
            own.filter((row) => cutOfRow[row] === cut),
            failedRows,
            known,
          )
        : tally(given, upTo, failedRows, nothingKnown)
      if (known.applied) part.add(first, slot, cut, known.late)
    }
  }
}

/** The rows of a key that were recorded up to a cut, and which is the first of the cut itself. */
function rowsUpTo(own: Int32Array, cutOfRow: Int32Array, cut: number): { upTo: Int32Array; added: number } {
  const upTo = new Int32Array(own.length)
  let count = 0
  let added = -1
  for (let i = 0; i < own.length; i++) {
    const at = cutOfRow[own[i]!]!
    if (at > cut) continue
    if (at === cut && added < 0) added = count
    upTo[count++] = own[i]!
  }
  return { upTo: upTo.subarray(0, count), added }
}

const nothingKnown = { applied: false, late: 0 }

/** Whether a key has a state after some more rows, and how many late events it had. */
function tally(
  { bucket, handlerOf, lateOf }: VintageFold,
  rows: Int32Array,
  failed: ReadonlySet<number>,
  before: typeof nothingKnown,
) {
  let { applied, late } = before
  for (const row of rows) {
    if (failed.has(row)) continue
    applied ||= handlerOf[typeCodeOf(bucket.words, bucket.rowAt[row]!)] !== NO_HANDLER
    if (lateOf !== null) late += lateOf(bucket, row)
  }
  return { applied, late }
}

/** The bucket's rows by their cut, in order within it. */
function rowsByCut({ rows, slotOf }: Bucket, cutOfRow: Int32Array, cuts: number, disordered: Uint8Array | null) {
  const starts = new Int32Array(cuts + 1)
  const isLeftOut = (row: number) => disordered !== null && disordered[slotOf[row]!] === 1
  for (let row = 0; row < rows; row++) if (!isLeftOut(row)) starts[cutOfRow[row]! + 1]!++
  for (let cut = 0; cut < cuts; cut++) starts[cut + 1]! += starts[cut]!
  const cursors = starts.slice()
  const sorted = new Int32Array(starts[cuts]!)
  for (let row = 0; row < rows; row++) if (!isLeftOut(row)) sorted[cursors[cutOfRow[row]!]!++] = row
  return { starts, rows: sorted }
}

/** The keys that were changed since the last cut, and what is known of all of them. */
function makeKeys({ bucket, handlerOf, lateOf }: VintageFold) {
  const { words, rowAt, slotOf, table } = bucket
  const late = new Int32Array(table.size)
  const applied = new Uint8Array(table.size)
  const changed = new Uint8Array(table.size)
  let slots: number[] = []
  return {
    late,
    note(row: number): void {
      const slot = slotOf[row]!
      if (handlerOf[typeCodeOf(words, rowAt[row]!)] !== NO_HANDLER) applied[slot] = 1
      if (lateOf !== null) late[slot]! += lateOf(bucket, row)
      if (changed[slot] === 0) {
        changed[slot] = 1
        slots.push(slot)
      }
    },
    /** Those of them that have a state: without an event that was applied a key is not in the view. */
    take(): number[] {
      const taken = slots.filter((slot) => applied[slot] === 1)
      for (const slot of slots) changed[slot] = 0
      slots = []
      return taken
    },
  }
}

/** Rows of the bucket in an order in which they are folded. */
function foldedRows(given: VintageFold, rows: Int32Array): FoldedRows {
  const { bucket, fold, handlerOf, clock, keyOf, flatStates, resetKey, refuse } = given
  return {
    ...{ fold, handlerOf, clock, keyOf, flatStates, resetKey },
    rowAt: rows.map((row) => bucket.rowAt[row]!),
    slotOf: rows.map((row) => bucket.slotOf[row]!),
    rows: rows.length,
    slots: bucket.table.size,
    refuse: (i, error) => refuse(rows[i]!, error),
  }
}
