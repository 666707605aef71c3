import type { ManifestColumn } from '../model/manifest.ts'
import type { NamedColumn } from './named-column.ts'
import { declaredReader, declaredTypeOf, valueReader } from './values.ts'

/**
 * A row of a view by the names of its columns, the key first. No value is rounded:
 *
 * | declared           | value                                                                          |
 * | ------------------ | ------------------------------------------------------------------------------ |
 * | `int32`, `float64` | `number`                                                                       |
 * | `int64`            | `number`; `bigint` where it lies beyond ±(2^53 − 1)                            |
 * | `bigint`, `uint64` | `bigint`                                                                       |
 * | `decimal`          | `string`: `-12.50`                                                             |
 * | `bool`, `string`   | `boolean`, `string`                                                            |
 * | `bytes`            | `string` of lower-case hexadecimal digits                                      |
 * | `uuid`             | `string`, lower case                                                           |
 * | `date`             | `string`: `2021-05-22`                                                         |
 * | `timestamp`        | `string` in UTC, with all digits of its unit: `2021-05-22T06:00:00.000000Z`    |
 * | `json`             | the value; an integer in it that a number would round is a `bigint`            |
 *
 * Null where there is no value. A moment or day that no `Date` holds is its number: `9223372036854775807 us`.
 */
export type Row = Readonly<Record<string, unknown>>

/** @param declared The columns that the view declares, by name; others are read by their type in the file. */
export function* programRows(columns: readonly NamedColumn[], declared: readonly ManifestColumn[]): Generator<Row> {
  const types = new Map(declared.map((column) => [column.name, declaredTypeOf(column)]))
  const readers = columns.map(({ name, type, column }) => {
    const declaredType = types.get(name)
    const read = declaredType === undefined ? valueReader(column, type) : declaredReader(column, declaredType)
    return [name, read] as const
  })
  const length = columns[0]?.column.length ?? 0
  for (let row = 0; row < length; row++) yield Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
}
