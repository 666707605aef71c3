import type { SchemaTree, Statistics } from 'hyparquet'
import { getTreePath } from 'hyparquet/src/schema.js'
import type { LogicalType } from '../model/column.ts'
import { isRepeated, logicalTypeOf } from './schema.ts'

type Bound = bigint | number | string | boolean

/** Exact bounds of a column's values in a row group; moments in the column's unit. NaN lies outside of them. */
export interface ColumnStatistics {
  readonly min?: Bound
  readonly max?: Bound
  readonly nullCount?: number
}

interface ChunkDescription {
  readonly path_in_schema: string[]
  readonly type: string
  readonly statistics?: Statistics
}

/**
 * Statistics that can be relied on, as far as a writer's can: none of what is repeated, whose nulls and values are not those of
 * rows. The deprecated `min` and `max` are used for signed integers only, where writers
 * agreed on their order; bounds that are shortened, NaN or not valid UTF-8 are left out.
 */
export function chunkStatistics(chunk: ChunkDescription, tree: SchemaTree): ColumnStatistics | undefined {
  const { statistics } = chunk
  if (statistics === undefined) return undefined
  const nodes = getTreePath(tree, chunk.path_in_schema)
  if (nodes.some(isRepeated)) return undefined
  const type = logicalTypeOf(nodes.at(-1)!)
  const bound = boundReader(type, chunk.type)
  const agreed = isSigned(type) ? statistics : {}
  const min = bound(statistics.min_value, statistics.is_min_value_exact) ?? bound(agreed.min, undefined)
  const max = bound(statistics.max_value, statistics.is_max_value_exact) ?? bound(agreed.max, undefined)
  const nullCount = statistics.null_count === undefined ? undefined : Number(statistics.null_count)
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(nullCount === undefined ? {} : { nullCount }),
  }
}

function isSigned(type: LogicalType): boolean {
  return (type.kind === 'int' && type.signed) || type.kind === 'timestamp' || type.kind === 'date'
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const numericTypes = ['INT32', 'INT64', 'FLOAT', 'DOUBLE']

/** Reads a bound as what a column of the type holds; undefined where it is anything else. */
function boundReader(type: LogicalType, physical: string) {
  return (value: unknown, isExact: boolean | undefined): Bound | undefined => {
    if (isExact === false) return undefined
    if (type.kind === 'bool') return typeof value === 'boolean' ? value : undefined
    if (type.kind === 'string') return value instanceof Uint8Array ? decoded(value) : undefined
    // hyparquet has made text of UUIDs.
    if (type.kind === 'uuid') return typeof value === 'string' ? value : undefined
    if (type.kind === 'binary' && value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    // hyparquet has converted decimals to floats.
    if (!numericTypes.includes(physical) || type.kind === 'decimal') return undefined
    if (typeof value === 'number') return Number.isNaN(value) ? undefined : value
    return typeof value === 'bigint' ? value : undefined
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
