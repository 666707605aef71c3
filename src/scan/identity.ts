import { finish, hashRange, viewOf } from '../columns/hash.ts'
import { type SlotColumn, wordsOf } from '../columns/slot-column.ts'
import { bufferOf, stringsOf } from '../columns/strings.ts'
import { type BytesColumn, isPresent } from '../model/column.ts'
import { idColumnText, joinId } from '../model/event-id.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from './event-batch.ts'

/**
 * Two words for each row that are equal for equal values of the given columns. For one column of 64-bit integers they
 * are the value itself; for anything else they are hashes, and rows with equal words must still be compared.
 *
 * @param rows A number of rows, from the first on, or those to take.
 */
export function identityWords(columns: readonly SlotColumn[], rows: number | Int32Array): Int32Array {
  const count = typeof rows === 'number' ? rows : rows.length
  const words = new Int32Array(2 * count)
  const only = columns.length === 1 ? columns[0]! : undefined
  if (only?.kind === 'int64') {
    const values = wordsOf(only.values)
    if (typeof rows === 'number') words.set(values)
    else for (const [i, row] of rows.entries()) words.set(values.subarray(2 * row, 2 * row + 2), 2 * i)
    return words
  }
  for (const column of columns) addColumn(words, column, typeof rows === 'number' ? null : rows)
  return words
}

/** Two words a row that are equal where all is equal that deliveries of one event must have in common. */
export function contentWords({ duplicates }: LogPlan, { columns }: Batch, rows: Int32Array): Int32Array {
  const compared = duplicates === null ? columns : columns.filter((_, slot) => !duplicates.ignored.includes(slot))
  return identityWords(compared as readonly SlotColumn[], rows)
}

/** @param rows Null for all. */
function addColumn(words: Int32Array, column: SlotColumn, rows: Int32Array | null): void {
  const strings = column.kind === 'dictionary' ? column.dictionary : column.kind === 'bytes' ? column : null
  if (strings !== null) {
    addStrings(words, column, strings, rows)
    return
  }
  const { validity } = column
  const pairs =
    column.kind === 'int64' || column.kind === 'float64'
      ? new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2)
      : null
  for (let i = 0; i < words.length / 2; i++) {
    const row = rows === null ? i : rows[i]!
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) mix(words, i, NULL_MARK, NULL_MARK)
    else if (pairs !== null) mix(words, i, pairs[2 * row]!, pairs[2 * row + 1]!)
    else if (column.kind === 'int32') mix(words, i, column.values[row]!, 0)
    else if (column.kind === 'bool') mix(words, i, (column.bits[row >> 3]! >> (row & 7)) & 1, 1)
  }
}

function addStrings(words: Int32Array, column: SlotColumn, strings: BytesColumn, rows: Int32Array | null): void {
  const codes = column.kind === 'dictionary' ? column.codes : null
  const { validity } = column
  const { data, offsets, gap } = strings
  const view = viewOf(data)
  for (let i = 0; i < words.length / 2; i++) {
    const row = rows === null ? i : rows[i]!
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) {
      mix(words, i, NULL_MARK, NULL_MARK)
      continue
    }
    const entry = codes === null ? row : codes[row]!
    const start = offsets[entry]!
    const length = offsets[entry + 1]! - gap - start
    mix(words, i, hashRange(view, start, length), rollingHash(data, start, length))
  }
}

const NULL_MARK = 0x6e756c6c

function mix(words: Int32Array, at: number, first: number, second: number): void {
  words[2 * at] = finish(Math.imul(words[2 * at]!, 31) ^ first) ^ second
  words[2 * at + 1] = (finish(words[2 * at + 1]! ^ second) + Math.imul(first, 0x9e3779b1)) | 0
}

/** A second hash, independent of MurmurHash3: FNV-1a, by G. Fowler, L. C. Noll and K.-P. Vo, with a final mix. */
function rollingHash(data: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193)
  return finish(hash)
}

/** The bucket of an identity, among 2^bits. */
export function identityBucket(first: number, second: number, bits: number): number {
  return bits === 0 ? 0 : finish(first ^ Math.imul(second, 0x9e3779b1)) >>> (32 - bits)
}

/** Event ids as text, for messages and lists of exceptions; the columns of a composite id joined by `/`. */
export function idText(log: LogPlan, batch: Batch, row: number): string {
  return joinId(
    log.roles.id.map((slot) => {
      const column = batch.columns[slot]!
      const isInteger = (column.kind === 'int32' || column.kind === 'int64') && isPresent(column, row)
      if (column.kind === 'bool' && isPresent(column, row)) return String(valueText(column, row) === '1')
      return isInteger ? idColumnText(log.slots[slot]!.type, column.values[row]) : valueText(column, row)
    }),
  )
}

export function valueText(column: SlotColumn, row: number): string {
  if (column.validity !== null && (column.validity[row >> 3]! & (1 << (row & 7))) === 0) return 'null'
  switch (column.kind) {
    case 'int32':
    case 'int64':
    case 'float64':
      return String(column.values[row])
    case 'bool':
      return String((column.bits[row >> 3]! >> (row & 7)) & 1)
    case 'bytes':
      return bufferOf(column.data).toString('utf8', column.offsets[row]!, column.offsets[row + 1]! - column.gap)
    case 'dictionary':
      return stringsOf(column.dictionary)[column.codes[row]!]!
  }
}
