import { InputError } from '../model/errors.ts'
import type { ParquetFile } from './file.ts'
import { readColumns } from './scan.ts'
import { type ValueReader, valueReader } from './values.ts'

export interface RowOptions {
  /** Top-level columns, in the order wanted. Absent: all, in the file's order. */
  readonly columns?: readonly string[]
  /** Only this row group. */
  readonly rowGroup?: number
  /** First row, counted within the row group where one is given, else within the file; and the end, exclusive. */
  readonly from?: number
  readonly to?: number
}

/**
 * The rows of a file as plain objects, exact: for tools and tests, a row group at a time. `valueReader` lists what each
 * type of column becomes; null where there is no value.
 *
 * @throws InputError where a column isn't there, or the file can't be read.
 */
export function* readRows(file: ParquetFile, options: RowOptions = {}): Generator<Record<string, unknown>> {
  const fields = fieldsOf(file, options.columns)
  const paths = fields.map(({ path }) => path)
  let first = 0
  for (const { index, rows } of file.rowGroups) {
    if (options.rowGroup !== undefined && options.rowGroup !== index) continue
    const from = Math.max(0, (options.from ?? 0) - first)
    const to = Math.min(rows, (options.to ?? Number.POSITIVE_INFINITY) - first)
    first += rows
    if (from >= to) continue
    const columns = readColumns(file, index, paths, to - from === rows ? undefined : { from, to })
    const readers = fields.map(({ name, type }, i): [string, ValueReader] => [name, valueReader(columns[i]!, type)])
    for (let row = 0; row < to - from; row++) yield Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
  }
}

function fieldsOf(file: ParquetFile, columns: readonly string[] | undefined) {
  if (columns === undefined) return file.schema
  return columns.map((name) => {
    const field = file.schema.find((candidate) => candidate.name === name)
    if (field !== undefined) return field
    const found = file.schema.map((candidate) => candidate.name).join(', ')
    throw new InputError(`Cannot read ${file.path}: expected column "${name}", found ${found}.`, {
      file: file.path,
      column: name,
    })
  })
}
