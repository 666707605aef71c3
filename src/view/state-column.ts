import { jsonOf, MisfitError } from '../columns/from-values.ts'
import { grown } from '../columns/grow.ts'
import { encodableText, firstNotEncodable } from '../columns/utf8.ts'
import type { Column } from '../model/column.ts'
import { isBigInt, isTextual, storageOf } from '../model/slots.ts'
import { holdsEvent } from './frozen.ts'
import type { StateColumn } from './state.ts'

const encoder = new TextEncoder()

/**
 * Some states' values of one column in Arrow's layout.
 *
 * @param order The slots to take, in this order; null for 0 … count − 1.
 */
export function storeColumn(column: StateColumn, order: Int32Array | null, count: number): Column {
  const { type, values, nulls } = column
  const { validity, nullCount } = validityOf(nulls, order, count)
  const base = { length: count, validity, nullCount }
  switch (storageOf(type)) {
    case 'i32':
      return { kind: 'int32', ...base, values: gather(values as Int32Array, new Int32Array(count), order) }
    case 'f64':
      return { kind: 'float64', ...base, values: gatherNumbers(values as Float64Array, count, order) }
    case 'i64':
      return isBigInt(type)
        ? { kind: 'int64', ...base, values: gatherBig(values as BigInt64Array | bigint[], count, order) }
        : { kind: 'int64', ...base, values: gatherExact(values as Float64Array, count, order) }
    case 'bool': {
      const bits = new Uint8Array((count + 7) >> 3)
      const flags = values as Uint8Array
      for (let i = 0; i < count; i++) if (flags[order === null ? i : order[i]!] === 1) bits[i >> 3]! |= 1 << (i & 7)
      return { kind: 'bool', ...base, bits }
    }
    case 'str':
      return { ...storedTexts(column, order, count), ...base }
  }
}

function validityOf(nulls: Uint8Array | null, order: Int32Array | null, count: number) {
  let nullCount = 0
  if (nulls !== null) for (let i = 0; i < count; i++) nullCount += nulls[order === null ? i : order[i]!]!
  if (nullCount === 0) return { validity: null, nullCount }
  const validity = new Uint8Array((count + 7) >> 3)
  for (let i = 0; i < count; i++) if (nulls![order === null ? i : order[i]!] === 0) validity[i >> 3]! |= 1 << (i & 7)
  return { validity, nullCount }
}

function gather(from: Int32Array, to: Int32Array, order: Int32Array | null): Int32Array {
  for (let i = 0; i < to.length; i++) to[i] = from[order === null ? i : order[i]!]!
  return to
}

/** A NaN is written with one pattern of bits: which of them an engine keeps on the way may differ from run to run. */
function gatherNumbers(from: Float64Array, count: number, order: Int32Array | null): Float64Array {
  const to = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const value = from[order === null ? i : order[i]!]!
    to[i] = Number.isNaN(value) ? Number.NaN : value
  }
  return to
}

/** Of 64 bits without a sign, the same bits. */
function gatherBig(from: BigInt64Array | readonly bigint[], count: number, order: Int32Array | null): BigInt64Array {
  const to = new BigInt64Array(count)
  for (let i = 0; i < count; i++) to[i] = from[order === null ? i : order[i]!]!
  return to
}

/** Exact integers from doubles to 64 bits, by their two halves: no bigint is made. */
function gatherExact(from: Float64Array, count: number, order: Int32Array | null): BigInt64Array {
  const to = new BigInt64Array(count)
  const words = new Int32Array(to.buffer)
  for (let i = 0; i < count; i++) {
    const value = from[order === null ? i : order[i]!]!
    // The word takes the low 32 bits by itself.
    words[2 * i] = value
    words[2 * i + 1] = Math.floor(value / 4294967296)
  }
  return to
}

function storedTexts(column: StateColumn, order: Int32Array | null, count: number) {
  const { type, nulls } = column
  const values = column.values as unknown[]
  const textOf = isTextual(type) ? (value: unknown) => value as string : type.kind === 'json' ? documentOf : String
  const offsets = new Int32Array(count + 1)
  let data = new Uint8Array(Math.max(64, count * 16))
  let at = 0
  for (let i = 0; i < count; i++) {
    const slot = order === null ? i : order[i]!
    if (nulls === null || nulls[slot] === 0) {
      const text = textOf(values[slot], i)
      if (at + text.length * 3 > data.length) data = grown(data, at + text.length * 3)
      at += encoder.encodeInto(text, data.subarray(at)).written
    }
    offsets[i + 1] = at
  }
  const encoded = data.subarray(0, at)
  if (type.kind === 'string') refuseLossy(encoded, column, order, count)
  return { kind: 'bytes' as const, offsets, data: encoded, gap: 0 as const }
}

function documentOf(value: unknown, row: number): string {
  if (holdsEvent(value)) {
    throw new MisfitError(row, 'a copy of an event, as { ...event }', 'the event itself, which is another one by now')
  }
  return jsonOf(value, row)
}

function refuseLossy(
  encoded: Uint8Array,
  { values, nulls }: StateColumn,
  order: Int32Array | null,
  count: number,
): void {
  const valueAt = (i: number) => {
    const slot = order === null ? i : order[i]!
    return nulls === null || nulls[slot] === 0 ? values[slot] : null
  }
  const valuesInOrder = function* () {
    for (let i = 0; i < count; i++) yield valueAt(i)
  }
  const lossy = firstNotEncodable(encoded, valuesInOrder())
  if (lossy >= 0) throw new MisfitError(lossy, encodableText, JSON.stringify(valueAt(lossy)))
}
