import type { BytesColumn, Column, DictionaryColumn, Int32Column, Int64Column } from '../model/column.ts'
import type { Storage } from '../model/slots.ts'

/** The columns that slots lie in: one of five storages, strings with or without a dictionary. */
export type SlotColumn = Exclude<Column, { kind: 'values' | 'dictionary' }> | StringDictionary
export type StringDictionary = DictionaryColumn & { readonly dictionary: BytesColumn }

/** The 32-bit words of 64-bit integers, low word first. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2)
}

/** A column of a storage that holds zeros and empty strings, with the nulls that are given. */
export function blankColumn(
  storage: Storage,
  { length, nullCount, validity }: Pick<Column, 'length' | 'nullCount' | 'validity'>,
): SlotColumn {
  const base = { length, nullCount, validity }
  switch (storage) {
    case 'i32':
      return { kind: 'int32', ...base, values: new Int32Array(length) }
    case 'i64':
      return { kind: 'int64', ...base, values: new BigInt64Array(length) }
    case 'f64':
      return { kind: 'float64', ...base, values: new Float64Array(length) }
    case 'bool':
      return { kind: 'bool', ...base, bits: new Uint8Array((length + 7) >> 3) }
    case 'str':
      return { kind: 'bytes', ...base, offsets: new Int32Array(length + 1), data: new Uint8Array(0), gap: 0 }
  }
}

/** Integers of 32 bits as such of 64. */
export function widened({ length, nullCount, validity, values: narrow }: Int32Column): Int64Column {
  const values = new BigInt64Array(length)
  const words = wordsOf(values)
  for (let row = 0; row < length; row++) {
    const value = narrow[row]!
    words[2 * row] = value
    words[2 * row + 1] = value >> 31
  }
  return { kind: 'int64', length, nullCount, validity, values }
}
