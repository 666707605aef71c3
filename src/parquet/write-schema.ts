import type { ParquetType, SchemaElement } from 'hyparquet'
import type { Column } from '../model/column.ts'
import { ConfigurationError } from '../model/errors.ts'
import { isWide } from '../model/slots.ts'
import type { TimeUnit, Type } from '../model/type.ts'
import { bytesOfTexts, decimalsOfDigits } from './write-bytes.ts'

/** A column of a file to be written. */
export interface OutputColumn {
  readonly name: string
  readonly type: Type
}

/** How the values of an output column lie in memory; a dictionary holds values of the same kind. */
export type StoredKind = 'int32' | 'int64' | 'float64' | 'bool' | 'bytes'

/** Everything about an output column that doesn't depend on its rows. */
export interface ColumnLayout {
  readonly name: string
  readonly nullable: boolean
  readonly stored: StoredKind
  readonly element: SchemaElement
  /** For values that lie in memory as something else than the file has: gives rows `from … to` as it has them. */
  readonly encode?: (column: Column, from: number, to: number) => Column
  /**
   * Whether the file says the smallest and largest value. Not for JSON: no reader searches documents by the order of their
   * bytes, and the bounds would be whole documents. Nor where values are not in the order of what they lie as.
   */
  readonly bounded: boolean
}

interface Storage {
  readonly stored: StoredKind
  readonly physical: ParquetType
  readonly annotation: Partial<SchemaElement>
  readonly encode?: ColumnLayout['encode']
}

const units = { ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' } as const satisfies Record<TimeUnit, string>

/** Most digits that 16 bytes can hold. */
const decimalDigitsMax = 38

export function layOut(column: OutputColumn): ColumnLayout {
  const { name, type } = column
  const { stored, physical, annotation, encode } = storageOf(column)
  return {
    name,
    nullable: type.nullable,
    stored,
    ...(encode === undefined ? {} : { encode }),
    bounded: type.kind !== 'json' && type.kind !== 'uint64' && !isWide(type),
    element: { name, type: physical, repetition_type: type.nullable ? 'OPTIONAL' : 'REQUIRED', ...annotation },
  }
}

/**
 * The schema of a file, root first. Plain signed integers carry no annotation, as Arrow and DuckDB write them. Other
 * annotations are written in their old form (`converted_type`) as well, for readers that know no other.
 */
export function schemaOf(layouts: readonly ColumnLayout[]): SchemaElement[] {
  return [{ name: 'root', num_children: layouts.length }, ...layouts.map((layout) => layout.element)]
}

function storageOf(column: OutputColumn): Storage {
  const { type } = column
  switch (type.kind) {
    case 'int32':
      return { stored: 'int32', physical: 'INT32', annotation: {} }
    case 'date':
      return {
        stored: 'int32',
        physical: 'INT32',
        annotation: { converted_type: 'DATE', logical_type: { type: 'DATE' } },
      }
    case 'int64':
    case 'bigint':
      return { stored: 'int64', physical: 'INT64', annotation: {} }
    case 'timestamp':
      return { stored: 'int64', physical: 'INT64', annotation: timestampAnnotation(column) }
    case 'uint64':
      // hyparquet-writer writes the new form with a width of 32 bits, which DuckDB refuses.
      return { stored: 'int64', physical: 'INT64', annotation: { converted_type: 'UINT_64' } }
    case 'decimal':
      if (isWide(type)) {
        const annotation = { type_length: 16, ...decimalAnnotation(column) }
        return { stored: 'bytes', physical: 'FIXED_LEN_BYTE_ARRAY', annotation, encode: decimalsOfDigits }
      }
      return { stored: 'int64', physical: 'INT64', annotation: decimalAnnotation(column) }
    case 'float64':
      return { stored: 'float64', physical: 'DOUBLE', annotation: {} }
    case 'bool':
      return { stored: 'bool', physical: 'BOOLEAN', annotation: {} }
    case 'string':
      return bytesStorage({ converted_type: 'UTF8', logical_type: { type: 'STRING' } })
    case 'bytes':
      return { ...bytesStorage({}), encode: bytesOfTexts }
    case 'uuid':
      return {
        ...{ stored: 'bytes', physical: 'FIXED_LEN_BYTE_ARRAY', encode: bytesOfTexts },
        annotation: { type_length: 16, logical_type: { type: 'UUID' } },
      }
    case 'json':
      return bytesStorage({ converted_type: 'JSON', logical_type: { type: 'JSON' } })
  }
}

function bytesStorage(annotation: Partial<SchemaElement>): Storage {
  return { stored: 'bytes', physical: 'BYTE_ARRAY', annotation }
}

function timestampAnnotation({ name, type }: OutputColumn): Partial<SchemaElement> {
  if (type.unit === undefined) {
    throw new ConfigurationError(
      `Cannot write column "${name}": expected a timestamp with a unit (ms, us or ns), found none.`,
      { column: name },
    )
  }
  const logical_type = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: units[type.unit] } as const
  // Nanoseconds have no old form. parquetjs-lite can't open a file with milliseconds in theirs, not even its own.
  return type.unit === 'us' ? { converted_type: 'TIMESTAMP_MICROS', logical_type } : { logical_type }
}

function decimalAnnotation({ name, type }: OutputColumn): Partial<SchemaElement> {
  const { precision, scale = 0 } = type
  const sound =
    Number.isInteger(precision) &&
    precision! >= 1 &&
    precision! <= decimalDigitsMax &&
    scale >= 0 &&
    scale <= precision!
  if (!sound) {
    throw new ConfigurationError(
      `Cannot write column "${name}": expected a decimal of 1 to ${decimalDigitsMax} digits with at most as many after ` +
        `the point, found ${precision} digits, ${scale} after the point.`,
      { column: name },
    )
  }
  return {
    converted_type: 'DECIMAL',
    precision: precision!,
    scale,
    logical_type: { type: 'DECIMAL', precision: precision!, scale },
  }
}
