import { type Column, isPresent } from '../model/column.ts'

/** A value as it lies in the column, strings as such; null where there is none. */
export function storedValue(column: Column, row: number): unknown {
  if (!isPresent(column, row)) return null
  switch (column.kind) {
    case 'bool':
      return (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
    case 'bytes': {
      const { data, offsets, gap } = column
      return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(
        'utf8',
        offsets[row]!,
        offsets[row + 1]! - gap,
      )
    }
    case 'dictionary':
      return storedValue(column.dictionary, column.codes[row]!)
    default:
      return column.values[row]
  }
}
