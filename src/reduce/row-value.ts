import { stringStart } from '../view/event-source.ts'
import type { RowLayout } from '../view/row-layout.ts'

/** Packed rows and the strings that codes in them stand for. */
export interface PackedRows {
  readonly words: Int32Array
  readonly strings: readonly (readonly string[])[]
}

/** A value of the row that begins at a word, as it is stored: integers of 64 bits as bigint, strings as such. */
export type ReadRowValue = (rows: PackedRows, at: number) => string | number | bigint

/** @param index Of the layout's slot, which is never null. */
export function compileRowValue(layout: RowLayout, index: number): ReadRowValue {
  const { storage, word } = layout.slots[index]!
  if (storage === 'i32' || storage === 'bool') return ({ words }, at) => words[at + word]!
  if (storage !== 'str') {
    return ({ words }, at) => (BigInt(words[at + word + 1]!) << 32n) | BigInt(words[at + word]! >>> 0)
  }
  const startOf = new Function('w', 'row', `'use strict'; return ${stringStart(layout, index, 'row')};`) as (
    words: Int32Array,
    at: number,
  ) => number
  return ({ words, strings }, at) => {
    const code = words[at + word]!
    if (code >= 0) return strings[index]![code]!
    const start = startOf(words, at)
    return Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('utf8', start, start - 1 - code)
  }
}
