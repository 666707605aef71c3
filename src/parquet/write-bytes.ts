import { type BytesColumn, type Column, isPresent } from '../model/column.ts'
import { bytesAt } from './logical.ts'

/** Rows of a column of bytes or UUIDs, which lie in memory as hexadecimal digits, with or without hyphens, as the bytes. */
export function bytesOfTexts(column: Column, from: number, to: number): Column {
  if (column.kind === 'dictionary') {
    const { dictionary } = column
    return { ...column, dictionary: bytesOfTexts(dictionary, 0, dictionary.length) as BytesColumn }
  }
  if (column.kind !== 'bytes') throw new Error(`bytes lie in a column of texts, found ${column.kind}`)
  const length = column.length
  const offsets = new Int32Array(length + 1)
  const data = Buffer.alloc(Math.ceil((column.offsets[to]! - column.offsets[from]!) / 2))
  let at = 0
  for (let row = from; row < to; row++) {
    offsets[row] = at
    if (isPresent(column, row)) at += writeDigits(bytesAt(column, row), data, at)
  }
  offsets.fill(at, to)
  return { ...column, offsets, data: data.subarray(0, at), gap: 0 }
}

const HYPHEN = 0x2d

/** @returns How many bytes the digits are. */
function writeDigits(digits: Uint8Array, data: Uint8Array, start: number): number {
  let at = start
  for (let i = 0; i < digits.length; i += 2) {
    if (digits[i] === HYPHEN) i++
    data[at++] = (nibbleOf(digits[i]!) << 4) | nibbleOf(digits[i + 1]!)
  }
  return at - start
}

/** Of a digit `0 … 9`, `a … f`. */
function nibbleOf(digit: number): number {
  return digit < 0x60 ? digit - 0x30 : digit - 0x57
}

/** Rows of a column of decimals, which lie in memory as the digits of their unscaled integers, as 16 bytes each. */
export function decimalsOfDigits(column: Column, from: number, to: number): Column {
  if (column.kind !== 'bytes') throw new Error(`wide decimals lie in a column of digits, found ${column.kind}`)
  const offsets = new Int32Array(column.length + 1)
  const data = new Uint8Array((to - from) * 16)
  const view = new DataView(data.buffer)
  let at = 0
  for (let row = from; row < to; row++) {
    offsets[row] = at
    if (!isPresent(column, row)) continue
    const unscaled = BigInt(Buffer.from(bytesAt(column, row)).toString('latin1'))
    view.setBigInt64(at, unscaled >> 64n)
    view.setBigUint64(at + 8, BigInt.asUintN(64, unscaled))
    at += 16
  }
  offsets.fill(at, to)
  return { ...column, offsets, data: data.subarray(0, at), gap: 0 }
}
