import { createHash, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LogicalType } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import { openParquet } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { valueReader } from '../parquet/values.ts'
import { disk } from '../storage/disk.ts'
import type { ColumnKind, ViewShape } from './workloads.ts'

/** The digest of the rows of one or several views. */
export interface RowsDigest {
  readonly rows: number
  /** Lower-case hexadecimal. Equal for equal rows, whatever their order, their files and their physical types. */
  readonly hash: string
}

/**
 * The sum of the SHA-256 of all rows, in eight lanes of 32 bits. A row's text is its view's name and its values,
 * separated by tabs; numbers in decimal, moments as microseconds and days as days since 1970, text as JSON.
 *
 * @throws InputError where a file isn't one of the view's rows.
 */
export function digestRows(
  views: readonly ViewShape[],
  written: Readonly<Record<string, readonly string[]>>,
): RowsDigest {
  const lanes = new Uint32Array(8)
  let rows = 0
  for (const view of views) {
    for (const path of written[view.name] ?? []) rows += addFile(view, path, lanes)
  }
  return { rows, hash: Array.from(lanes, (lane) => lane.toString(16).padStart(8, '0')).join('') }
}

function addFile(view: ViewShape, path: string, lanes: Uint32Array): number {
  const file = disk.openForReading(path)
  try {
    const parquet = openParquet(file)
    const columns = Object.entries(view.columns)
    const types = columns.map(([name]) => typeOf(parquet.schema, name, path))
    for (const { index, rows } of parquet.rowGroups) {
      const data = readColumns(
        parquet,
        index,
        columns.map(([name]) => [name]),
      )
      const texts = columns.map(([, kind], i) => textReader(valueReader(data[i]!, types[i]!), types[i]!, kind))
      for (let row = 0; row < rows; row++) {
        let text = view.name
        for (const read of texts) text += `\t${read(row)}`
        const digest = hash('sha256', text, 'buffer')
        for (let lane = 0; lane < 8; lane++) lanes[lane]! += digest.readUInt32LE(4 * lane)
      }
    }
    return parquet.rows
  } finally {
    file.close()
  }
}

function typeOf(schema: readonly { readonly name: string; readonly type: LogicalType }[], name: string, path: string) {
  const field = schema.find((candidate) => candidate.name === name)
  if (field !== undefined) return field.type
  const found = schema.map((candidate) => candidate.name).join(', ')
  throw new InputError(`Cannot compare ${path}: expected column "${name}", found ${found}.`, {
    file: path,
    column: name,
  })
}

function textReader(value: (row: number) => unknown, type: LogicalType, kind: ColumnKind): (row: number) => string {
  if (kind === 'text') return (row) => JSON.stringify(value(row))
  if (kind !== 'moment' || type.kind !== 'timestamp' || type.unit === 'us') return (row) => String(value(row))
  if (type.unit === 'ms') return (row) => String((value(row) as bigint) * 1000n)
  return (row) => String((value(row) as bigint) / 1000n)
}

/** A hash of the files' bytes: where it is the same, so are the rows. */
export function digestFiles(written: Readonly<Record<string, readonly string[]>>): string {
  const sum = createHash('sha256')
  for (const [view, paths] of Object.entries(written)) {
    sum.update(`${view}\0${paths.length}\0`)
    for (const path of paths) sum.update(readFileSync(path))
  }
  return sum.digest('hex')
}
