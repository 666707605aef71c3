import { type Column, isPresent, type LogicalType } from '../model/column.ts'

/**
 * Cells of integers that no signed 64 bits hold, so that they are in the order of their values: integers without a sign with
 * the sign bit flipped, wide decimals as bytes. Undefined for a column of any other type.
 */
export function wideCells(column: Column, type: LogicalType) {
  const { length, nullCount, validity } = column
  const base = { column, validity, numbers: null }
  if (type.kind === 'decimal' && column.kind === 'values') {
    const data = new Uint8Array(length * 16)
    const view = new DataView(data.buffer)
    const offsets = Int32Array.from({ length: length + 1 }, (_, row) => row * 16)
    for (let row = 0; row < length; row++) {
      if (!isPresent(column, row)) continue
      const unscaled = column.values[row] as bigint
      view.setBigInt64(row * 16, (unscaled >> 64n) ^ SIGN)
      view.setBigUint64(row * 16 + 8, BigInt.asUintN(64, unscaled))
    }
    const bytes = { kind: 'bytes', length, nullCount, validity, offsets, data, gap: 0 } as const
    return { ...base, kind: 'bytes' as const, words: new Int32Array(0), bytes }
  }
  if (type.kind !== 'int' || type.bits !== 64 || type.signed) return undefined
  if (column.kind !== 'values' && column.kind !== 'int64') return undefined
  const flipped = new BigInt64Array(length)
  for (let row = 0; row < length; row++) {
    if (isPresent(column, row)) flipped[row] = BigInt.asIntN(64, column.values[row] as bigint) ^ SIGN
  }
  return { ...base, kind: 'int64' as const, words: new Int32Array(flipped.buffer), bytes: null }
}

const SIGN = -0x8000000000000000n
