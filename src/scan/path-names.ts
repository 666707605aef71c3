import type { Column } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { SlotSource } from '../model/plan.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { EACH, type Shape, shapeAt, stepInto } from '../parquet/nested-shape.ts'
import { readColumns } from '../parquet/scan.ts'
import { fieldAt } from '../parquet/schema.ts'
import { follow } from './nested-values.ts'

/**
 * Looks in every row of a file for the path of a slot within a document or a nested column.
 *
 * @param type Of the slot.
 * @param names Counts, for rows in which the path leads nowhere, the names there are where it ends.
 * @returns Whether the path is there in any row, be its value null.
 */
export function namesOnPath(
  parquet: ParquetFile,
  { path, steps }: Extract<SlotSource, { kind: 'inside' }>,
  type: Type,
  names: Map<string, number>,
): boolean {
  const isText = fieldAt(parquet.schema, path).type.kind !== 'nested'
  const shape = isText ? undefined : shapeAt(parquet, path)
  for (const { index, rows } of parquet.rowGroups) {
    const column = readColumns(parquet, index, [path])[0]!
    for (let row = 0; row < rows; row++)
      if (isOnPath(documentAt(column, row), steps, { shape, place: { type, row } }, names)) return true
  }
  return false
}

function isOnPath(
  document: unknown,
  steps: readonly string[],
  {
    shape,
    place,
  }: { readonly shape: Shape | undefined; readonly place: { readonly type: Type; readonly row: number } },
  names: Map<string, number>,
): boolean {
  let value = document
  let within = shape
  for (const [i, step] of steps.entries()) {
    if (typeof value !== 'object' || value === null) return false
    if (step === EACH && (Array.isArray(value) || within?.kind === 'map')) {
      const each = { shape: stepInto(within, step), place }
      return Object.values(value).some((inner) => isOnPath(inner, steps.slice(i + 1), each, names))
    }
    // The keys of a map may be written in another way than the file has them.
    const inner = within?.kind === 'map' ? follow(value, step, within, place) : undefined
    within = stepInto(within, step)
    if (inner !== undefined && inner !== null) {
      value = inner
      continue
    }
    if (!Object.hasOwn(value, step)) {
      if (!Array.isArray(value)) for (const name of Object.keys(value)) names.set(name, (names.get(name) ?? 0) + 1)
      return false
    }
    value = (value as Record<string, unknown>)[step]
  }
  return true
}

/** What can't be parsed was refused when it was read. */
function documentAt(column: Column, row: number): unknown {
  if (column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return null
  if (column.kind === 'values') return column.values[row]
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') throw new InputError(`expected JSON text, found ${bytes.kind}`)
  const entry = column.kind === 'dictionary' ? column.codes[row]! : row
  const { data, offsets, gap } = bytes
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(
    'utf8',
    offsets[entry]!,
    offsets[entry + 1]! - gap,
  )
  return JSON.parse(text)
}
