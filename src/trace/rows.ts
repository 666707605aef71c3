import { type BytesColumn, type Column, isPresent } from '../model/column.ts'

/** Some rows of a column as one of their own; strings without a dictionary, so that nothing else is kept of the batch. */
export function takeRows(column: Column, rows: readonly number[]): Column {
  const length = rows.length
  const absent = rows.filter((row) => !isPresent(column, row)).length
  const base = {
    length,
    nullCount: absent,
    validity: absent === 0 ? null : bitsOf(rows, (row) => isPresent(column, row)),
  }
  switch (column.kind) {
    case 'int32':
      return { ...base, kind: 'int32', values: Int32Array.from(rows, (row) => column.values[row]!) }
    case 'int64':
      return { ...base, kind: 'int64', values: BigInt64Array.from(rows, (row) => column.values[row]!) }
    case 'float64':
      return { ...base, kind: 'float64', values: Float64Array.from(rows, (row) => column.values[row]!) }
    case 'bool':
      return { ...base, kind: 'bool', bits: bitsOf(rows, (row) => (column.bits[row >> 3]! & (1 << (row & 7))) !== 0) }
    case 'bytes':
      return { ...base, kind: 'bytes', ...takeBytes(column, rows) }
    case 'dictionary':
      if (column.dictionary.kind !== 'bytes') throw new Error('a slot has a dictionary of strings only')
      return {
        ...base,
        kind: 'bytes',
        ...takeBytes(
          column.dictionary,
          rows.map((row) => column.codes[row]!),
        ),
      }
    case 'values':
      throw new Error('nested values are brought into a slot first')
  }
}

function bitsOf(rows: readonly number[], isSet: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array((rows.length + 7) >> 3)
  rows.forEach((row, i) => {
    if (isSet(row)) bits[i >> 3]! |= 1 << (i & 7)
  })
  return bits
}

function takeBytes({ data, offsets, gap }: BytesColumn, entries: readonly number[]) {
  const pieces = entries.map((entry) => data.subarray(offsets[entry]!, offsets[entry + 1]! - gap))
  const ends = new Int32Array(entries.length + 1)
  pieces.forEach((piece, i) => {
    ends[i + 1] = ends[i]! + piece.length
  })
  return { offsets: ends, data: new Uint8Array(Buffer.concat(pieces)), gap: 0 as const }
}

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
