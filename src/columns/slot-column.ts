import type { BytesColumn, Column, DictionaryColumn } from '../model/column.ts'

/** The columns that slots lie in: one of five storages, strings with or without a dictionary. */
export type SlotColumn = Exclude<Column, { kind: 'values' | 'dictionary' }> | StringDictionary
export type StringDictionary = DictionaryColumn & { readonly dictionary: BytesColumn }

/** The 32-bit words of 64-bit integers, low word first. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2)
}
