import type { SchemaTree, Statistics } from 'hyparquet'
import { getTreePath } from 'hyparquet/src/schema.js'
import { schemaFields } from './schema.ts'

/** Exact bounds of a column's values in a row group; moments in the column's unit. */
export interface ColumnStatistics {
  readonly min?: bigint | number | string | boolean
  readonly max?: bigint | number | string | boolean
  readonly nullCount?: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Statistics that can be relied on. The deprecated `min` and `max` are taken for signed numbers only, where writers
 * agreed on their order; bounds that are truncated, NaN or not valid UTF-8 are left out.
 */
export function chunkStatistics(
  chunk: { readonly path_in_schema: string[]; readonly type: string; readonly statistics?: Statistics },
  tree: SchemaTree,
): ColumnStatistics | undefined {
  const { statistics } = chunk
  if (statistics === undefined) return undefined
  const node = getTreePath(tree, chunk.path_in_schema).at(-1)!
  const type = schemaFields({ ...tree, children: [node] })[0]!.type
  const signed = (type.kind === 'int' && type.signed) || type.kind === 'timestamp' || type.kind === 'date'
  const numeric = chunk.type === 'INT32' || chunk.type === 'INT64' || chunk.type === 'DOUBLE' || chunk.type === 'FLOAT'
  const trusted = type.kind === 'string' || type.kind === 'bool' || (numeric && type.kind !== 'decimal')
  const min = trusted
    ? (exact(statistics.min_value, statistics.is_min_value_exact) ??
      (signed && numeric ? exact(statistics.min, undefined) : undefined))
    : undefined
  const max = trusted
    ? (exact(statistics.max_value, statistics.is_max_value_exact) ??
      (signed && numeric ? exact(statistics.max, undefined) : undefined))
    : undefined
  const nullCount = statistics.null_count === undefined ? undefined : Number(statistics.null_count)
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(nullCount === undefined ? {} : { nullCount }),
  }
}

function exact(value: unknown, isExact: boolean | undefined): bigint | number | string | boolean | undefined {
  if (isExact === false) return undefined
  if (typeof value === 'bigint' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value
  if (!(value instanceof Uint8Array)) return undefined
  try {
    return decoder.decode(value)
  } catch {
    return undefined
  }
}
