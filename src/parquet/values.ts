import { uuidOfHex } from '../model/byte-text.ts'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { bigEndian, bytesAt } from './logical.ts'

/** The value of one row; null where there is none. */
export type ValueReader = (row: number) => unknown

/**
 * The values of a column as JavaScript has them, none rounded:
 *
 * | column                              | value                                                     |
 * | ----------------------------------- | --------------------------------------------------------- |
 * | integers of up to 32 bits           | number                                                    |
 * | integers of 64 bits                 | bigint                                                    |
 * | decimal                             | bigint, unscaled                                          |
 * | float of 16, 32 or 64 bits          | number                                                    |
 * | bool                                | boolean                                                   |
 * | string, json                        | string; JSON is not parsed                                |
 * | date                                | number of days since 1970-01-01                           |
 * | timestamp                           | bigint since 1970, in the column's unit; INT96 in nanoseconds |
 * | time                                | number of milliseconds, bigint of micro- or nanoseconds   |
 * | uuid                                | string, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`            |
 * | binary, interval                    | Uint8Array                                                |
 * | list, map, struct, variant          | array, object by key, object by field, any document       |
 */
export function valueReader(column: Column, type: LogicalType): ValueReader {
  const read = presentReader(column, type)
  return column.nullCount === 0 ? read : (row) => (isPresent(column, row) ? read(row) : null)
}

function presentReader(column: Column, type: LogicalType): ValueReader {
  switch (column.kind) {
    case 'bool':
      return (row) => (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
    case 'bytes':
      return bytesReader(column, type)
    case 'dictionary': {
      // One value a code, so that equal strings are made once.
      const entry = presentReader(column.dictionary, type)
      const made: unknown[] = []
      return (row) => {
        const code = column.codes[row]!
        made[code] ??= entry(code)
        return made[code]
      }
    }
    case 'int32':
      return type.kind === 'decimal' || type.kind === 'timestamp'
        ? (row) => BigInt(column.values[row]!)
        : (row) => column.values[row]
    case 'int64':
      return isNumber(type) ? (row) => Number(column.values[row]) : (row) => column.values[row]
    case 'float64':
    case 'values':
      return (row) => column.values[row]
  }
}

/** Unsigned integers of 32 bits lie in a column of 64. */
function isNumber(type: LogicalType): boolean {
  return type.kind === 'date' || (type.kind === 'int' && type.bits <= 32)
}

function bytesReader(column: BytesColumn, type: LogicalType): ValueReader {
  const { data, offsets, gap } = column
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  switch (type.kind) {
    case 'string':
    case 'json':
      return (row) => buffer.toString('utf8', offsets[row]!, offsets[row + 1]! - gap)
    case 'decimal':
      return (row) => bigEndian(bytesAt(column, row))
    case 'uuid':
      return (row) => uuidOfHex(buffer.toString('hex', offsets[row]!, offsets[row + 1]! - gap))
    default:
      // A copy, so that the row doesn't hold the whole page.
      return (row) => bytesAt(column, row).slice()
  }
}
