import { columnFromValues } from '../columns/from-values.ts'
import type { Column, LogicalType } from '../model/column.ts'
import { float64, nullable, string } from '../model/types.ts'

/** A column as it is read from a file of a view, or made beside those. */
export interface NamedColumn {
  readonly name: string
  readonly type: LogicalType
  readonly column: Column
}

/** A column of texts, null where there is none. */
export function textColumn(name: string, texts: readonly (string | null)[]): NamedColumn {
  return { name, type: { kind: 'string' }, column: columnFromValues(nullable(string()), texts) }
}

/** A column of numbers, null where there is none. */
export function numberColumn(name: string, values: readonly (number | null)[]): NamedColumn {
  return { name, type: { kind: 'float', bits: 64 }, column: columnFromValues(nullable(float64()), values) }
}
