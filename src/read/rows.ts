import type { NamedColumn } from './named-column.ts'
import { valueReader } from './values.ts'

/** Rows of a view, some at a time. */
export interface Rows {
  /** Of all batches together. */
  readonly total: number
  /** At least one, so that the columns are known where there are no rows. */
  readonly batches: Iterable<readonly NamedColumn[]>
}

/** Shortens the batch in which the limit lies and asks for none after it. */
export function* firstRows(
  batches: Iterable<readonly NamedColumn[]>,
  limit: number,
): Generator<readonly NamedColumn[]> {
  let left = limit
  for (const columns of batches) {
    const length = Math.min(left, lengthOf(columns))
    yield length === lengthOf(columns) ? columns : columns.map((column) => shorten(column, length))
    left -= length
    if (left === 0) return
  }
}

/** The first rows of a column: all that comes after reads no further than its length. */
function shorten(named: NamedColumn, length: number): NamedColumn {
  const column = { ...named.column, length, nullCount: named.column.nullCount === 0 ? 0 : -1 }
  return { ...named, column }
}

function lengthOf(columns: readonly NamedColumn[]): number {
  return columns[0]?.column.length ?? 0
}

/** Rows as objects of values as JSON has them. */
export function rowObjects(columns: readonly NamedColumn[]): Record<string, unknown>[] {
  const names = columns.map(({ name }) => name)
  return [...rowsOf(columns)].map((values) => Object.fromEntries(names.map((name, index) => [name, values[index]])))
}

/** Rows as arrays of such values. */
export function* rowsOf(columns: readonly NamedColumn[]): Generator<unknown[]> {
  const readers = columns.map(({ column, type }) => valueReader(column, type))
  for (let row = 0; row < lengthOf(columns); row++) yield readers.map((read) => read(row))
}
