import { columnFromValues, jsonOf, MisfitError } from '../columns/from-values.ts'
import { copyInto, grown, resized } from '../columns/grow.ts'
import { KeyHeapBuilder } from '../columns/key-heap.ts'
import { sortKeys } from '../columns/sort-keys.ts'
import { takeRows } from '../columns/take-rows.ts'
import type { VintageBoundary } from '../map/timelines.ts'
import type { Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import type { FoldedLog } from '../model/plan.ts'
import { ParquetEncoder, rowGroupRowsDefault } from '../parquet/write.ts'
import type { KeyTable } from '../shuffle/key-table.ts'
import type { WrittenFile } from '../storage/store.ts'
import { compileStateCursor, type StateCursor } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { allocate, type StateColumn, type StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { outputFields, outputSchema, type PreparedView, vintageColumn } from '../view/view-set.ts'
import { cellOf, keyAt, keyColumns, rowColumn, shapeRows } from './part.ts'
import { NOTHING_KNOWN, type StatusColumns } from './status.ts'

/**
 * A view's vintages of one part. A key's state is kept once for each cut at which it changed; the rows of a cut are those
 * of the latest change of every key, and are put together when the part is written.
 */
export class VintagePart {
  readonly #log: FoldedLog
  readonly #view: PreparedView
  readonly #cuts: readonly VintageBoundary[]
  readonly #rows: EntryRows
  readonly #keys = new KeyHeapBuilder()
  /** Of each entry: its key, its cut, how many late events there were by then. In the order of cuts for each key. */
  #entries = 0
  #keyOf = new Int32Array(1 << 10)
  #cutOf = new Int32Array(1 << 10)
  #late = new Int32Array(1 << 10)

  constructor(log: FoldedLog, view: PreparedView, cuts: readonly VintageBoundary[]) {
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

  /** Writes the part's rows into a file, row group by row group. */
  finish(status: StatusColumns | null, write: (chunks: Iterable<Uint8Array>) => WrittenFile): VintageFile {
    const schema = [vintageColumn(this.#log), ...outputSchema(this.#log, this.#view.definition)]
    const encoder = new ParquetEncoder(schema, { sorting: 1 + this.#view.codec.names.length })
    const { heap } = this.#keys
    const { starts, entries } = groupByPlace(placesOf(sortKeys(heap)), this.#keyOf, this.#entries)
    const cuts = picked(this.#cutOf, entries)
    const walk = new RowWalk({ cuts: this.#cuts.length, starts, entries, cutOf: cuts, rowStarts: this.#rows.starts() })
    const columnsOf = this.#columns(status)
    const written = write(encode(encoder, walk, columnsOf))
    return { ...written, rows: walk.rows, keys: walk.keys }
  }

  /** Makes the columns of some rows out of those of keys, entries and cuts. */
  #columns(status: StatusColumns | null): (walk: RowWalk, count: number) => Column[] {
    const { heap } = this.#keys
    const keys = keyColumns(
      this.#view,
      heap,
      Int32Array.from({ length: heap.count }, (_, key) => key),
    )
    const columns = this.#rows.finish((entry) => keyAt(this.#view, heap, this.#keyOf[entry]!))
    const { type } = vintageColumn(this.#log)
    const cutKeys = columnFromValues(
      type,
      this.#cuts.map((cut) => cut.key),
      'handler',
    )
    const watermarks = BigInt64Array.from(this.#cuts, (cut) => cut.watermark ?? NOTHING_KNOWN)
    return (walk, count) => {
      const cutOf = walk.cutOf.subarray(0, count)
      const entryOf = walk.entryOf.subarray(0, count)
      const keyOf = picked(this.#keyOf, entryOf)
      const rowOf = walk.rowOf.subarray(0, count)
      const taken = [
        takeRows(cutKeys, cutOf),
        ...keys.map((column) => takeRows(column, keyOf)),
        ...columns.map((column) => takeRows(column, rowOf)),
      ]
      if (status === null) return taken
      const watermark = new BigInt64Array(count)
      for (let row = 0; row < count; row++) watermark[row] = watermarks[cutOf[row]!]!
      const lateEvents = picked(this.#late, entryOf)
      return [...taken, ...status({ rows: count, windows: taken[1]!, watermark, lateEvents })]
    }
  }
}

/** A file of vintages, as it was written. */
export interface VintageFile extends WrittenFile {
  readonly rows: number
  readonly keys: number
}

/** The entries of a part, those of each key together and the keys in their order, so that a walk reads them in sequence. */
interface SortedEntries {
  readonly cuts: number
  /** By place of a key: where its entries begin; and the end of the last. */
  readonly starts: Int32Array
  readonly entries: Int32Array
  /** Of each of `entries`: its cut. */
  readonly cutOf: Int32Array
  /** By entry: its first row; and the end of the last. */
  readonly rowStarts: Int32Array
}

/**
 * Goes through the cuts, and for each through the keys in their order, each with its latest entry: one row group's rows at
 * a time.
 */
class RowWalk {
  rows = 0
  /** Keys of all cuts. */
  keys = 0
  /** Of the rows that `next` went through: their cut, their entry, and which of all rows of entries they are. */
  readonly cutOf = new Int32Array(rowGroupRowsDefault)
  readonly entryOf = new Int32Array(rowGroupRowsDefault)
  readonly rowOf = new Int32Array(rowGroupRowsDefault)
  readonly #sorted: SortedEntries
  readonly #places: number
  /** By place of a key: where its latest entry is among `entries`; before its first where it has none yet. */
  readonly #latest: Int32Array
  #cut = 0
  #place = 0
  /** The next row of the current entry, and where the entry ends. */
  #row = 0
  #end = 0
  #entry = 0

  constructor(sorted: SortedEntries) {
    this.#sorted = sorted
    this.#places = sorted.starts.length - 1
    this.#latest = sorted.starts.slice(0, this.#places)
    for (let place = 0; place < this.#places; place++) this.#latest[place]!--
  }

  /** @returns How many rows it went through; 0 at the end. */
  next(): number {
    let count = 0
    while (count < rowGroupRowsDefault && (this.#row < this.#end || this.#advance())) {
      this.cutOf[count] = this.#cut
      this.entryOf[count] = this.#entry
      this.rowOf[count] = this.#row++
      count++
    }
    this.rows += count
    return count
  }

  /** Finds the next entry that has rows. */
  #advance(): boolean {
    const { cuts, starts, entries, cutOf, rowStarts } = this.#sorted
    for (;;) {
      if (this.#place === this.#places) {
        if (this.#cut + 1 >= cuts) return false
        this.#cut++
        this.#place = 0
        continue
      }
      const place = this.#place++
      const end = starts[place + 1]!
      let at = this.#latest[place]!
      while (at + 1 < end && cutOf[at + 1]! <= this.#cut) at++
      this.#latest[place] = at
      if (at < starts[place]!) continue
      this.keys++
      this.#entry = entries[at]!
      this.#row = rowStarts[this.#entry]!
      this.#end = rowStarts[this.#entry + 1]!
      if (this.#row < this.#end) return true
    }
  }
}

function* encode(
  encoder: ParquetEncoder,
  walk: RowWalk,
  columnsOf: (walk: RowWalk, count: number) => Column[],
): Generator<Uint8Array> {
  for (let count = walk.next(); count > 0; count = walk.next()) yield* encoder.writeRowGroup(columnsOf(walk, count))
  yield* encoder.finish()
}

function picked(values: Int32Array, places: Int32Array): Int32Array {
  const taken = new Int32Array(places.length)
  for (let i = 0; i < places.length; i++) taken[i] = values[places[i]!]!
  return taken
}

/** By key: its place in an order of keys. */
function placesOf(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length)
  for (let place = 0; place < order.length; place++) places[order[place]!] = place
  return places
}

/** The entries of the key at each place, in their order: `entries[starts[place] … starts[place + 1])`. */
function groupByPlace(
  places: Int32Array,
  keyOf: Int32Array,
  count: number,
): { starts: Int32Array; entries: Int32Array } {
  const starts = new Int32Array(places.length + 1)
  for (let entry = 0; entry < count; entry++) starts[places[keyOf[entry]!]! + 1]!++
  for (let place = 0; place < places.length; place++) starts[place + 1]! += starts[place]!
  const cursors = starts.slice()
  const entries = new Int32Array(count)
  for (let entry = 0; entry < count; entry++) entries[cursors[places[keyOf[entry]!]!]!++] = entry
  return { starts, entries }
}

/** What the snapshots of states become: the rows of each, and those rows' columns. */
interface EntryRows {
  bind(states: StateStore | readonly unknown[]): void
  /** The state in a slot, as the next entry. */
  add(slot: number, keyOf: () => Record<string, unknown>): void
  /** The first row of each entry, and after the last the number of rows. */
  starts(): Int32Array
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

  starts(): Int32Array {
    return Int32Array.from({ length: this.#count + 1 }, (_, entry) => entry)
  }

  finish(): Column[] {
    return this.#columns.map((column) => storeColumn(column, null, this.#count))
  }

  #grow(): void {
    this.#capacity = Math.max(1 << 10, this.#capacity * 2)
    for (const column of this.#columns) {
      column.values = copyInto(column.values, allocate(column.type, this.#capacity))
      if (column.type.nullable) column.nulls = resized(column.nulls ?? new Uint8Array(0), this.#capacity)
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
    this.#cursor = compileStateCursor(view.state, false)
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
    const rows = shapeRows(this.#view, shape, this.#cursor, key)
    for (const row of rows) {
      this.#names.forEach((name, i) => {
        const value = cellOf(this.#view, fields, name, row, key)
        // A document may be changed after the snapshot.
        this.#values[i]!.push(fields[name]!.kind === 'json' && value !== null ? structuredClone(value) : value)
      })
    }
    this.#starts.push(this.#starts.at(-1)! + rows.length)
  }

  starts(): Int32Array {
    return Int32Array.from(this.#starts)
  }

  finish(keyOf: (entry: number) => Record<string, unknown>): Column[] {
    const fields = outputFields(this.#view.definition)
    const entryOf = (row: number) => this.#starts.findIndex((start) => start > row) - 1
    return this.#names.map((name, i) =>
      rowColumn(this.#view, fields, name, this.#values[i]!, (row) => keyOf(entryOf(row))),
    )
  }
}
