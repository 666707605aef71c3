import { columnFromValues, MisfitError } from '../columns/from-values.ts'
import { copyInto, resized } from '../columns/grow.ts'
import { type KeyHeap, KeyHeapBuilder } from '../columns/key-heap.ts'
import { sortKeys } from '../columns/sort-keys.ts'
import type { Column } from '../model/column.ts'
import { ViewError } from '../model/errors.ts'
import { isTextual } from '../model/slots.ts'
import type { Fields } from '../model/type.ts'
import type { KeyTable } from '../shuffle/key-table.ts'
import { compileStateCursor, type StateCursor } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { guarded } from '../view/purity.ts'
import { describeResult, refusePromise } from '../view/results.ts'
import { ValueError } from '../view/runtime.ts'
import { allocate, type StateColumn, type StateStore } from '../view/state.ts'
import { storeColumn } from '../view/state-column.ts'
import { describeThrown } from '../view/thrown.ts'
import { outputFields, type PreparedView } from '../view/view-set.ts'
import type { StatusColumns } from './status.ts'

/** A view's keys and states of one part, gathered bucket by bucket, and at the end the rows they become. */
export class Part {
  readonly #keys = new KeyHeapBuilder()
  /** Late events of each key, for views with windows. */
  #late = new Int32Array(1 << 10)
  readonly #objects: unknown[] = []
  readonly #columns: StateColumn[]
  readonly #view: PreparedView

  constructor(view: PreparedView) {
    this.#view = view
    this.#columns = Object.entries(view.state ?? {}).map(([name, type]) => ({
      name,
      type,
      values: allocate(type, 1 << 10),
      nulls: type.nullable ? new Uint8Array(1 << 10) : null,
    }))
  }

  get keys(): number {
    return this.#keys.count
  }

  /**
   * Takes over the states of a bucket's keys, those that any event was folded into.
   *
   * @param late How many late events each key had; null for views without windows.
   */
  add(
    table: KeyTable,
    states: StateStore | readonly unknown[],
    touched: Uint8Array | null,
    late: Int32Array | null,
  ): void {
    this.#reserve(table.size)
    const first = this.#keys.add(table, touched)
    if (late !== null) takeChosen(late, touched, table.size, this.#late, first)
    if (this.#view.state === undefined) {
      const objects = states as readonly unknown[]
      for (let slot = 0; slot < table.size; slot++)
        if (touched === null || touched[slot] === 1) this.#objects.push(objects[slot])
    } else {
      for (const [index, column] of this.#columns.entries()) {
        copyStates((states as StateStore).columns[index]!, column, first, table.size, touched)
      }
    }
  }

  #reserve(more: number): void {
    const capacity = this.#late.length
    const keys = this.#keys.count + more
    if (keys <= capacity) return
    const larger = Math.max(capacity * 2, keys)
    this.#late = resized(this.#late, larger)
    for (const column of this.#columns) {
      column.values = copyInto(column.values, allocate(column.type, larger))
      if (column.nulls !== null) column.nulls = resized(column.nulls, larger)
    }
  }

  /**
   * The part's rows, sorted by key: key columns first.
   *
   * @param status What a view with windows says of its rows, after them; else null.
   */
  finish(status: StatusColumns | null, watermark: bigint | null): { rows: number; columns: readonly Column[] } {
    const { keyOfRow, columns } = this.#columnsByKey()
    const rows = keyOfRow.length
    if (status === null) return { rows, columns }
    const lateEvents = keyOfRow.map((key) => this.#late[key]!)
    return { rows, columns: [...columns, ...status({ rows, windows: columns[0]!, watermark, lateEvents })] }
  }

  #columnsByKey(): { keyOfRow: Int32Array; columns: readonly Column[] } {
    const keys = this.#keys.heap
    const order = sortKeys(keys)
    if (this.#view.definition.row === undefined) {
      const columns = this.#columns.map((column) => stateColumn(this.#view, column, order, keys))
      return { keyOfRow: order, columns: [...keyColumns(this.#view, keys, order), ...columns] }
    }
    return this.#shape(keys, order)
  }

  #shape(keys: KeyHeap, order: Int32Array): { keyOfRow: Int32Array; columns: readonly Column[] } {
    const view = this.#view
    const fields = outputFields(view.definition)
    const names = Object.keys(fields)
    const values = names.map((): unknown[] => [])
    const rowKeys: number[] = []
    const cursor = this.#cursor()
    const shape = view.definition.row as unknown as (state: unknown, key: unknown) => unknown
    for (const slot of order) {
      cursor.seek(slot)
      const key = keyAt(view, keys, slot)
      const made = shapeRows(view, shape, cursor, key)
      for (const row of made) {
        names.forEach((name, i) => {
          values[i]!.push(cellOf(view, fields, name, row, key))
        })
        rowKeys.push(slot)
      }
    }
    const columns = names.map((name, i) =>
      rowColumn(view, fields, name, values[i]!, (row) => keyAt(view, keys, rowKeys[row]!)),
    )
    const keyOfRow = Int32Array.from(rowKeys)
    return { keyOfRow, columns: [...keyColumns(view, keys, keyOfRow), ...columns] }
  }

  #cursor(): StateCursor {
    const cursor = compileStateCursor(this.#view.state, true)
    cursor.bindState(
      this.#view.state === undefined ? this.#objects : ({ columns: this.#columns } as unknown as StateStore),
    )
    return cursor
  }
}

/** Appends the numbers of chosen keys to those of the keys before. */
function takeChosen(from: Int32Array, chosen: Uint8Array | null, count: number, to: Int32Array, first: number): void {
  let at = first
  for (let slot = 0; slot < count; slot++) if (chosen === null || chosen[slot] === 1) to[at++] = from[slot]!
}

function copyStates(
  from: StateColumn,
  to: StateColumn,
  first: number,
  count: number,
  touched: Uint8Array | null,
): void {
  const source = from.values as unknown[]
  const target = to.values as unknown[]
  let at = first
  for (let slot = 0; slot < count; slot++) {
    if (touched !== null && touched[slot] === 0) continue
    target[at] = source[slot]
    if (to.nulls !== null) to.nulls[at] = from.nulls![slot]!
    at++
  }
}

export function shapeRows(
  view: PreparedView,
  shape: (state: unknown, key: unknown) => unknown,
  cursor: Pick<StateCursor, 'state'>,
  key: unknown,
): readonly Record<string, unknown>[] {
  try {
    const { state } = cursor
    const made = guarded(() => shape(state, Object.freeze(key)), view.clock)
    if (made === null) return []
    const rows: unknown[] = Array.isArray(made) ? made : [made]
    for (const row of rows) {
      refusePromise(row)
      if (row === null || typeof row !== 'object')
        throw new ValueError('row', `expected a row, several or null, found ${describeResult(row)}`)
    }
    return rows as Record<string, unknown>[]
  } catch (error) {
    throw new ViewError(
      `View ${view.name}, its row, for key ${showKey(key)}: ${describeThrown(error)}`,
      { view: view.name, handler: 'row' },
      { cause: error },
    )
  }
}

export function cellOf(
  view: PreparedView,
  fields: Fields,
  name: string,
  row: Record<string, unknown>,
  key: unknown,
): unknown {
  const value = valueIn(view, name, row, key)
  if (value === undefined || (value === null && !fields[name]!.nullable && fields[name]!.kind !== 'json')) {
    throw new ViewError(
      `View ${view.name}, its row, for key ${showKey(key)}: column "${name}": expected ${/^[aeiou]/.test(fields[name]!.kind) ? 'an' : 'a'} ${fields[name]!.kind}, found ${value}.`,
      { view: view.name, handler: 'row', column: name },
    )
  }
  return value
}

/** A row may be the state itself, whose documents are looked at when they are read. */
function valueIn(view: PreparedView, name: string, row: Record<string, unknown>, key: unknown): unknown {
  try {
    return row[name]
  } catch (error) {
    throw new ViewError(
      `View ${view.name}, its row, for key ${showKey(key)}: column "${name}": ${describeThrown(error)}`,
      { view: view.name, handler: 'row', column: name },
      { cause: error },
    )
  }
}

function stateColumn(view: PreparedView, column: StateColumn, order: Int32Array, keys: KeyHeap): Column {
  try {
    return storeColumn(column, order, order.length)
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    throw new ViewError(
      `View ${view.name}, for key ${showKey(keyAt(view, keys, order[error.row]!))}: state "${column.name}": ${error.message}.`,
      { view: view.name, column: column.name },
    )
  }
}

export function rowColumn(
  view: PreparedView,
  fields: Fields,
  name: string,
  values: unknown[],
  keyOf: (row: number) => unknown,
): Column {
  try {
    return columnFromValues(fields[name]!, values, 'handler')
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    throw new ViewError(
      `View ${view.name}, its row, for key ${showKey(keyOf(error.row))}: column "${name}": expected ${error.expected}, found ${error.found}.`,
      { view: view.name, handler: 'row', column: name },
    )
  }
}

export function keyAt(view: PreparedView, keys: KeyHeap, slot: number): Record<string, unknown> {
  return view.codec.read(keys.bytes, keys.starts[slot]!, keys.starts[slot]! + keys.lengths[slot]!)
}

/** Key columns in the given order of keys; a single column of strings is copied as bytes. */
export function keyColumns(view: PreparedView, keys: KeyHeap, order: Int32Array): Column[] {
  const { names, types } = view.codec
  if (names.length === 1 && isTextual(types[0]!) && !types[0]!.nullable) return [bytesOf(keys, order)]
  const decoded = Array.from(order, (slot) => keyAt(view, keys, slot))
  return names.map((name, i) =>
    columnFromValues(
      types[i]!,
      decoded.map((key) => key[name]),
      'handler',
    ),
  )
}

function bytesOf(keys: KeyHeap, order: Int32Array): Column {
  const length = order.length
  const offsets = new Int32Array(length + 1)
  for (let i = 0; i < length; i++) offsets[i + 1] = offsets[i]! + keys.lengths[order[i]!]!
  const data = new Uint8Array(offsets[length]!)
  let at = 0
  for (let i = 0; i < length; i++) {
    const start = keys.starts[order[i]!]!
    const end = start + keys.lengths[order[i]!]!
    for (let from = start; from < end; from++) data[at++] = keys.bytes[from]!
  }
  return { kind: 'bytes', length, nullCount: 0, validity: null, offsets, data, gap: 0 }
}
