import { withRoom } from '../columns/grow.ts'
import { type SlotColumn, widened, wordsOf } from '../columns/slot-column.ts'
import { type Int64Column, isPresent } from '../model/column.ts'
import { type OrderTerm, TIE } from '../model/order.ts'
import type { Slot } from '../model/slots.ts'
import { type PreparedGroup, ranksByCode } from '../view/view-set.ts'

/** Columns that events are ordered by, of one batch: one for each term of the order. */
export type OrderColumns = readonly SlotColumn[]

/**
 * The columns of a batch, or of gathered events, by which a group orders them.
 *
 * @param slots Of the log.
 * @param typeCodes By row: code of its type in the group.
 */
export function orderColumns(
  slots: readonly Slot[],
  group: PreparedGroup,
  columnOf: (slot: number) => SlotColumn,
  typeCodes: Uint16Array,
): OrderColumns {
  return group.plan.order.map((term): SlotColumn => {
    if (term.by === 'slot') {
      const column = columnOf(term.slot)
      return slots[term.slot]!.type.kind === 'uint64' && column.kind === 'int64' ? shifted(column) : column
    }
    const ranks = ranksByCode(group, term)
    const values = Int32Array.from(typeCodes, (code) => ranks[code]!)
    return { kind: 'int32', length: values.length, nullCount: 0, validity: null, values }
  })
}

/** Integers without a sign as integers with one, in the same order. */
function shifted(column: Int64Column): Int64Column {
  const values = column.values.slice()
  const words = wordsOf(values)
  for (let high = 1; high < words.length; high += 2) words[high]! ^= -0x80000000
  return { ...column, values }
}

const ENTRY = 3

/** By key: what is found of the order of its events. */
export interface KeyMarks {
  readonly disordered: Uint8Array
  readonly tied: Uint8Array
}

/**
 * Checks whether each key's events come in the log's order. Of each key it keeps the leading value of its latest event
 * and which event that was; the other values are compared only where the leading ones are equal.
 */
export class KeyOrder {
  /** By key: high and low word of the leading value, and the number of the event plus one. */
  #latest = new Int32Array(ENTRY << 12)
  #keys = 0
  readonly #batches: { readonly from: number; readonly columns: OrderColumns }[] = []
  readonly #terms: readonly OrderTerm[]
  #rows = 0
  #anyTies = false

  constructor(terms: readonly OrderTerm[]) {
    this.#terms = terms
  }

  /** Forgets all events. */
  clear(): void {
    this.#keys = 0
    this.#batches.length = 0
    this.#rows = 0
    this.#anyTies = false
  }

  /** Whether any key was found to have events that nothing declared tells apart. */
  get anyTies(): boolean {
    return this.#anyTies
  }

  /**
   * Takes a batch's events.
   *
   * @param keys How many keys there are by now.
   * @param found Gets 1 in `disordered` for each key with an event that belongs before an earlier one, and in `tied` for
   * each with events that nothing declared tells apart.
   * @returns Whether any was disordered.
   */
  take(
    columns: OrderColumns,
    batchRows: number,
    rows: Int32Array,
    slots: Int32Array,
    keys: number,
    { disordered, tied }: KeyMarks,
  ): boolean {
    this.#reserve(keys)
    const from = this.#rows
    this.#batches.push({ from, columns })
    this.#rows += batchRows
    const latest = this.#latest
    const leading = leadingWords(columns[0]!)
    let any = false
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const at = slots[i]! * ENTRY
      const high = leading[2 * row + 1]!
      const low = leading[2 * row]!
      const before = latest[at + 2]!
      if (before !== 0) {
        let order = compareWords(latest[at]!, latest[at + 1]!, high, low)
        if (order === 0) {
          order = this.#compare(before - 1, columns, row)
          if (order === TIE || order === -TIE) {
            tied[slots[i]!] = 1
            this.#anyTies = true
          }
        }
        if (order > 0) {
          disordered[slots[i]!] = 1
          any = true
          continue
        }
      }
      latest[at] = high
      latest[at + 1] = low
      latest[at + 2] = from + row + 1
    }
    return any
  }

  #compare(event: number, columns: OrderColumns, row: number): number {
    let first = 0
    let last = this.#batches.length - 1
    while (first < last) {
      const middle = (first + last + 1) >> 1
      if (this.#batches[middle]!.from <= event) first = middle
      else last = middle - 1
    }
    const batch = this.#batches[first]!
    return compareEvents(this.#terms, batch.columns, event - batch.from, columns, row)
  }

  #reserve(keys: number): void {
    this.#latest = withRoom(this.#latest, keys * ENTRY)
    this.#latest.fill(0, this.#keys * ENTRY, keys * ENTRY)
    this.#keys = keys
  }
}

/**
 * The events of each key in the log's order; events that compare equal keep their order.
 *
 * @param slots Key of each event, below `keys`.
 * @returns Numbers of the events, those of a key consecutive.
 */
export function sortByKey(
  terms: readonly OrderTerm[],
  columns: OrderColumns,
  slots: Int32Array,
  keys: number,
): Int32Array {
  const ends = new Int32Array(keys + 1)
  for (let i = 0; i < slots.length; i++) ends[slots[i]! + 1]!++
  for (let key = 0; key < keys; key++) ends[key + 1]! += ends[key]!
  const events = new Int32Array(slots.length)
  for (let i = 0; i < slots.length; i++) events[ends[slots[i]!]!++] = i
  const leading = leadingWords(columns[0]!)
  const compare = (a: number, b: number) =>
    compareWords(leading[2 * a + 1]!, leading[2 * a]!, leading[2 * b + 1]!, leading[2 * b]!) ||
    compareEvents(terms, columns, a, columns, b) ||
    a - b
  for (let key = 0, from = 0; key < keys; key++) {
    const to = ends[key]!
    if (to - from > INSERTION_EVENTS_MAX) events.subarray(from, to).sort(compare)
    else if (to - from > 1) sortByInsertion(events, from, to, compare)
    from = to
  }
  return events
}

/** Most keys have few events, and few of those are out of order. */
const INSERTION_EVENTS_MAX = 48

function sortByInsertion(
  events: Int32Array,
  from: number,
  to: number,
  compare: (a: number, b: number) => number,
): void {
  for (let i = from + 1; i < to; i++) {
    const event = events[i]!
    let at = i
    for (; at > from && compare(events[at - 1]!, event) > 0; at--) events[at] = events[at - 1]!
    events[at] = event
  }
}

function compareWords(highA: number, lowA: number, highB: number, lowB: number): number {
  if (highA !== highB) return highA < highB ? -1 : 1
  return lowA === lowB ? 0 : lowA >>> 0 < lowB >>> 0 ? -1 : 1
}

/** A column of integers as 64-bit words; others get equal words, and are compared in full afterwards. */
function leadingWords(column: SlotColumn): Int32Array {
  if (hasNulls(column)) return new Int32Array(column.length * 2)
  if (column.kind === 'int64') return wordsOf(column.values)
  return column.kind === 'int32' ? wordsOf(widened(column).values) : new Int32Array(column.length * 2)
}

/** As `CompareRows` does of packed rows. */
export function compareEvents(
  terms: readonly OrderTerm[],
  a: OrderColumns,
  rowA: number,
  b: OrderColumns,
  rowB: number,
): number {
  for (let i = 0; i < terms.length; i++) {
    const order = compareValues(a[i]!, rowA, b[i]!, rowB)
    if (order !== 0) return terms[i]!.isDeclared ? order : order * TIE
  }
  return 0
}

/** Null first; integers, and strings by their UTF-8 bytes. */
function compareValues(a: SlotColumn, rowA: number, b: SlotColumn, rowB: number): number {
  if (hasNulls(a) || hasNulls(b)) {
    const [isNullA, isNullB] = [!isPresent(a, rowA), !isPresent(b, rowB)]
    if (isNullA || isNullB) return Number(isNullB) - Number(isNullA)
  }
  if (a.kind === 'bool' && b.kind === 'bool') return bitAt(a.bits, rowA) - bitAt(b.bits, rowB)
  if (a.kind === 'int64' && b.kind === 'int64') {
    const [wordsA, wordsB] = [wordsOf(a.values), wordsOf(b.values)]
    return compareWords(wordsA[2 * rowA + 1]!, wordsA[2 * rowA]!, wordsB[2 * rowB + 1]!, wordsB[2 * rowB]!)
  }
  if (a.kind === 'float64' && b.kind === 'float64') return Math.sign(a.values[rowA]! - b.values[rowB]!)
  if (a.kind === 'int32' && b.kind === 'int32') return Math.sign(a.values[rowA]! - b.values[rowB]!)
  return Buffer.compare(bytesAt(a, rowA), bytesAt(b, rowB))
}

function bytesAt(column: SlotColumn, row: number): Uint8Array {
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') throw new Error(`events are ordered by integers and strings, not by ${column.kind}`)
  const entry = column.kind === 'dictionary' ? column.codes[row]! : row
  return bytes.data.subarray(bytes.offsets[entry]!, bytes.offsets[entry + 1]! - bytes.gap)
}

function hasNulls({ nullCount, validity }: SlotColumn): boolean {
  return nullCount > 0 && validity !== null
}

function bitAt(bits: Uint8Array, row: number): number {
  return (bits[row >> 3]! >> (row & 7)) & 1
}
