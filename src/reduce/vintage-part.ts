import type { Cut } from '../map/timelines.ts'
import type { Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import type { Type } from '../model/type.ts'
import { ParquetEncoder, rowGroupRowsDefault } from '../parquet/write.ts'
import type { LogPlan } from '../plan/plan.ts'
import { grown, type KeyTable } from '../shuffle/key-table.ts'
import { compileStateCursor, type StateCursor } from '../view/fold.ts'
import { columnFromValues, jsonOf, MisfitError } from '../view/from-values.ts'
import { showKey } from '../view/key-codec.ts'
import { allocate, type StateColumn, type StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { outputFields, outputSchema, type PreparedView, vintageColumn } from '../view/view-set.ts'
import { cellOf, copied, keyAt, keyColumns, rowColumn, shapeRows } from './part.ts'
import { type KeyHeap, sortKeys } from './sort.ts'
import type { StatusColumns } from './status.ts'
import { takeRows } from './take-rows.ts'

/**
 * A view's vintages of one part. A key's state is kept once for each cut at which it changed; the rows of a cut are those
 * of the latest change of every key, and are put together when the part is written.
 */
export class VintagePart {
  readonly #log: LogPlan
  readonly #view: PreparedView
  readonly #cuts: readonly Cut[]
  readonly #rows: EntryRows
  readonly #keys = new KeyList()
  /** Of each entry: its key, its cut, how many late events there were by then. In the order of cuts for each key. */
  #entries = 0
  #keyOf = new Int32Array(1 << 10)
  #cutOf = new Int32Array(1 << 10)
  #late = new Int32Array(1 << 10)

  constructor(log: LogPlan, view: PreparedView, cuts: readonly Cut[]) {
    this.#log = log
    this.#view = view
    this.#cuts = cuts
    this.#rows = view.definition.row === undefined ? new StateRows(view) : new ShapedRows(view)
  }

  /** Begins a bucket: its keys. @returns The number of the first. */
  addKeys(table: KeyTable): number {
    return this.#keys.add(table)
  }

  /** The states that `add` takes snapshots of. */
  bind(states: StateStore | readonly unknown[]): void {
    this.#rows.bind(states)
  }

  /**
   * A key's state as it is now is that of a cut.
   *
   * @param first What `addKeys` gave for the bucket.
   */
  add(first: number, slot: number, cut: number, late: number): void {
    if (this.#entries === this.#keyOf.length) {
      this.#keyOf = grown(this.#keyOf)
      this.#cutOf = grown(this.#cutOf)
      this.#late = grown(this.#late)
    }
    const entry = this.#entries++
    this.#keyOf[entry] = first + slot
    this.#cutOf[entry] = cut
    this.#late[entry] = late
    this.#rows.add(slot, () => keyAt(this.#view, this.#keys.heap, first + slot))
  }

  /** The file's bytes, as they are made, and how much it holds. */
  finish(status: StatusColumns | null): { rows: number; keys: number; chunks: Iterable<Uint8Array> } {
    const placed = this.#placeRows()
    const keys = keyColumns(this.#view, this.#keys.heap, sequence(this.#keys.heap.count))
    const columns = this.#rows.finish((entry) => keyAt(this.#view, this.#keys.heap, this.#keyOf[entry]!))
    const { type } = vintageColumn(this.#log)
    const entryAt = (rows: Int32Array) => rows.map((row) => placed.entry[row]!)
    const columnsOf = (from: number, to: number): Column[] => {
      const all = sequence(to - from).map((row) => from + row)
      const entries = entryAt(all)
      const cuts = all.map((row) => placed.cut[row]!)
      const keyOf = entries.map((entry) => this.#keyOf[entry]!)
      const taken = [
        cutColumn(type, cuts, this.#cuts),
        ...keys.map((column) => takeRows(column, keyOf)),
        ...columns.map((column) =>
          takeRows(
            column,
            all.map((row) => placed.row[row]!),
          ),
        ),
      ]
      if (status === null) return taken
      const watermark = BigInt64Array.from(cuts, (cut) => this.#cuts[cut]!.watermark)
      const lateEvents = entries.map((entry) => this.#late[entry]!)
      return [...taken, ...status({ rows: to - from, windows: taken[1]!, watermark, lateEvents })]
    }
    const schema = [vintageColumn(this.#log), ...outputSchema(this.#log, this.#view.definition)]
    const encoder = new ParquetEncoder(schema, { sorting: 1 + this.#view.codec.names.length })
    return { rows: placed.rows, keys: placed.keys, chunks: encode(encoder, placed.rows, columnsOf) }
  }

  /** Goes through the cuts, and for each through the keys in their order, each with its latest entry. */
  #placeRows(): PlacedRows {
    const { heap } = this.#keys
    const order = sortKeys(heap)
    const { starts, entries } = groupByKey(this.#keyOf, this.#entries, heap.count)
    const cursors = starts.slice(0, heap.count).map((start) => start - 1)
    const placed = new PlacedRows(this.#entries)
    for (let cut = 0; cut < this.#cuts.length; cut++) {
      for (const key of order) {
        let at = cursors[key]!
        while (at + 1 < starts[key + 1]! && this.#cutOf[entries[at + 1]!]! <= cut) at++
        cursors[key] = at
        if (at < starts[key]!) continue
        placed.keys++
        const entry = entries[at]!
        for (let row = this.#rows.startOf(entry); row < this.#rows.startOf(entry + 1); row++)
          placed.add(cut, entry, row)
      }
    }
    return placed
  }
}

/** The rows of a file in their order: of which cut, of which entry, and which row of all that entries became. */
class PlacedRows {
  rows = 0
  keys = 0
  cut: Int32Array
  entry: Int32Array
  row: Int32Array

  constructor(expected: number) {
    this.cut = new Int32Array(Math.max(16, expected))
    this.entry = new Int32Array(this.cut.length)
    this.row = new Int32Array(this.cut.length)
  }

  add(cut: number, entry: number, row: number): void {
    if (this.rows === this.cut.length) {
      this.cut = grown(this.cut)
      this.entry = grown(this.entry)
      this.row = grown(this.row)
    }
    this.cut[this.rows] = cut
    this.entry[this.rows] = entry
    this.row[this.rows] = row
    this.rows++
  }
}

/** Row groups are put together one by one, when the file is written. */
function* encode(
  encoder: ParquetEncoder,
  rows: number,
  columnsOf: (from: number, to: number) => Column[],
): Generator<Uint8Array> {
  for (let from = 0; from < rows; from += rowGroupRowsDefault) {
    yield* encoder.writeRowGroup(columnsOf(from, Math.min(rows, from + rowGroupRowsDefault)))
  }
  yield* encoder.finish()
}

function cutColumn(type: Type, cuts: Int32Array, all: readonly Cut[]): Column {
  return columnFromValues(
    type,
    Array.from(cuts, (cut) => all[cut]!.key),
    'handler',
  )
}

function sequence(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => index)
}

/** The entries of each key, in their order: those of key k are `entries[starts[k] … starts[k + 1])`. */
function groupByKey(keyOf: Int32Array, count: number, keys: number): { starts: Int32Array; entries: Int32Array } {
  const starts = new Int32Array(keys + 1)
  for (let entry = 0; entry < count; entry++) starts[keyOf[entry]! + 1]!++
  for (let key = 0; key < keys; key++) starts[key + 1]! += starts[key]!
  const cursors = starts.slice()
  const entries = new Int32Array(count)
  for (let entry = 0; entry < count; entry++) entries[cursors[keyOf[entry]!]!++] = entry
  return { starts, entries }
}

/** The keys of a part's buckets, their bytes one behind the other. */
class KeyList {
  #count = 0
  #used = 0
  #bytes = new Uint8Array(1 << 16)
  #starts = new Int32Array(1 << 10)
  #lengths = new Int32Array(1 << 10)

  get heap(): KeyHeap {
    return { count: this.#count, bytes: this.#bytes, starts: this.#starts, lengths: this.#lengths }
  }

  /** @returns The number of the first. */
  add(table: KeyTable): number {
    const first = this.#count
    this.#reserve(table)
    const bytes = new Uint8Array(table.words.buffer, table.words.byteOffset, table.words.byteLength)
    for (let slot = 0; slot < table.size; slot++) {
      const start = table.starts[slot]! * 4
      const length = table.lengths[slot]!
      for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = bytes[start + i]!
      this.#starts[this.#count] = this.#used
      this.#lengths[this.#count] = length
      this.#used += length
      this.#count++
    }
    return first
  }

  #reserve({ size, words }: KeyTable): void {
    while (this.#count + size > this.#starts.length) {
      this.#starts = grown(this.#starts)
      this.#lengths = grown(this.#lengths)
    }
    if (this.#used + words.byteLength > this.#bytes.length) {
      this.#bytes = copied(this.#bytes, new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + words.byteLength)))
    }
  }
}

/** What the snapshots of states become: the rows of each, and those rows' columns. */
interface EntryRows {
  bind(states: StateStore | readonly unknown[]): void
  /** The state in a slot, as the next entry. */
  add(slot: number, keyOf: () => Record<string, unknown>): void
  /** The first row of an entry; of the one behind the last, the number of rows. */
  startOf(entry: number): number
  finish(keyOf: (entry: number) => Record<string, unknown>): Column[]
}

/** Typed states that are rows as they are: their columns are copied. */
class StateRows implements EntryRows {
  readonly #view: PreparedView
  readonly #columns: StateColumn[]
  #from: readonly StateColumn[] = []
  #count = 0
  #capacity = 0

  constructor(view: PreparedView) {
    this.#view = view
    this.#columns = Object.entries(view.state!).map(([name, type]) => ({
      name,
      // A document may be changed after the snapshot, so its text is kept.
      type: type.kind === 'json' ? { kind: 'string', nullable: type.nullable } : type,
      values: [],
      nulls: null,
    }))
  }

  bind(states: StateStore | readonly unknown[]): void {
    this.#from = (states as StateStore).columns
  }

  add(slot: number, keyOf: () => Record<string, unknown>): void {
    if (this.#count === this.#capacity) this.#grow()
    const entry = this.#count++
    for (let index = 0; index < this.#from.length; index++) {
      const from = this.#from[index]!
      const column = this.#columns[index]!
      if (column.nulls !== null) column.nulls[entry] = from.nulls![slot]!
      const value = from.values[slot]
      const isDocument = from.type.kind === 'json' && from.nulls?.[slot] !== 1
      ;(column.values as unknown[])[entry] = isDocument ? documentText(this.#view, from.name, value, keyOf) : value
    }
  }

  startOf(entry: number): number {
    return entry
  }

  finish(): Column[] {
    return this.#columns.map((column) => storeColumn(column, null, this.#count))
  }

  #grow(): void {
    this.#capacity = Math.max(1 << 10, this.#capacity * 2)
    for (const column of this.#columns) {
      column.values = copied(column.values as Int32Array, allocate(column.type, this.#capacity) as Int32Array)
      if (column.type.nullable) column.nulls = copied(column.nulls ?? new Uint8Array(0), new Uint8Array(this.#capacity))
    }
  }
}

function documentText(view: PreparedView, name: string, value: unknown, keyOf: () => unknown): string {
  try {
    return jsonOf(value, 0)
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    throw new ViewError(`View ${view.name}, for key ${showKey(keyOf())}: state "${name}": ${error.message}.`, {
      view: view.name,
      column: name,
    })
  }
}

/** States of which `row` makes rows: at once, as a free-form state can't be copied. */
class ShapedRows implements EntryRows {
  readonly #view: PreparedView
  readonly #cursor: StateCursor
  readonly #names: readonly string[]
  readonly #values: unknown[][]
  readonly #starts = [0]

  constructor(view: PreparedView) {
    this.#view = view
    this.#cursor = compileStateCursor(view.state)
    this.#names = Object.keys(outputFields(view.definition))
    this.#values = this.#names.map(() => [])
  }

  bind(states: StateStore | readonly unknown[]): void {
    this.#cursor.bindState(states)
  }

  add(slot: number, keyOf: () => Record<string, unknown>): void {
    const fields = outputFields(this.#view.definition)
    const shape = this.#view.definition.row as unknown as (state: unknown, key: unknown) => unknown
    const key = keyOf()
    this.#cursor.seek(slot)
    const rows = shapeRows(this.#view, shape, this.#cursor.state, key)
    for (const row of rows) {
      this.#names.forEach((name, i) => {
        const value = cellOf(this.#view, fields, name, row, key)
        // A document may be changed after the snapshot.
        this.#values[i]!.push(fields[name]!.kind === 'json' && value !== null ? structuredClone(value) : value)
      })
    }
    this.#starts.push(this.#starts.at(-1)! + rows.length)
  }

  startOf(entry: number): number {
    return this.#starts[entry]!
  }

  finish(keyOf: (entry: number) => Record<string, unknown>): Column[] {
    const fields = outputFields(this.#view.definition)
    const entryOf = (row: number) => this.#starts.findIndex((start) => start > row) - 1
    return this.#names.map((name, i) =>
      rowColumn(this.#view, fields, name, this.#values[i]!, (row) => keyOf(entryOf(row))),
    )
  }
}
