import type { Column } from '../model/column.ts'

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const decoded = new WeakMap<Column, string[]>()

/** The strings of a bytes column, decoded once. */
export function stringsOf(column: Column): string[] {
  const known = decoded.get(column)
  if (known !== undefined) return known
  if (column.kind !== 'bytes') throw new Error(`expected a column of strings, found ${column.kind}`)
  const buffer = bufferOf(column.data)
  const strings = new Array<string>(column.length)
  for (let i = 0; i < column.length; i++) {
    strings[i] = buffer.toString('utf8', column.offsets[i]!, column.offsets[i + 1]! - column.gap)
  }
  decoded.set(column, strings)
  return strings
}
