import { MisfitError } from '../columns/from-values.ts'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { formatDecimal } from '../model/decimal-text.ts'
import type { Type } from '../model/type.ts'
import { digitColumn, integerReader } from './declared-conversions.ts'

/**
 * Decimals of any size, or integers, as a slot of a decimal of more than 18 digits: the digits of the unscaled integer. What
 * has more digits than are declared, before or after the point, is a MisfitError with its row.
 */
export function wideDecimalSlot(
  column: Column,
  logical: LogicalType,
  { precision = 38, scale = 0 }: Type,
): BytesColumn {
  const valueAt = integerReader(column)
  const fileScale = logical.kind === 'decimal' ? logical.scale : 0
  const times = 10n ** BigInt(Math.max(0, scale - fileScale))
  const by = 10n ** BigInt(Math.max(0, fileScale - scale))
  const limit = 10n ** BigInt(precision)
  return digitColumn(column, (row) => {
    const value = valueAt(row)
    const unscaled = (value * times) / by
    if (value % by !== 0n || unscaled >= limit || unscaled <= -limit) {
      const expected = `a decimal of at most ${precision} digits, ${scale} of them after the point`
      throw new MisfitError(row, expected, formatDecimal(value, fileScale))
    }
    return unscaled
  })
}

/** Refuses integers below zero, of a column that may hold such. */
export function requireUnsigned(column: Column): void {
  if (column.kind !== 'int64') return
  const words = new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2)
  for (let row = 0; row < column.length; row++) {
    if (words[2 * row + 1]! >= 0 || !isPresent(column, row)) continue
    throw new MisfitError(row, 'an integer of 64 bits without a sign', String(column.values[row]))
  }
}
