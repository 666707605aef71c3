import { MisfitError } from '../columns/from-values.ts'
import { blankColumn, type SlotColumn } from '../columns/slot-column.ts'
import { accepts, declarationOf } from '../model/accepted.ts'
import { type BytesColumn, type Column, isPresent, type LogicalType } from '../model/column.ts'
import { storageOf } from '../model/slots.ts'
import type { Type } from '../model/type.ts'

/** Conversions that a declaration asks for: exact, and refused with its row where a value doesn't fit. */

/**
 * A column without values, whatever its type, is nulls of the slot's. Of one that the declaration doesn't read nothing else
 * may be there: the file's statistics said that all are null.
 *
 * @returns Undefined where the column has values.
 */
export function withoutValues(column: Column, logical: LogicalType, type: Type): SlotColumn | undefined {
  if (column.nullCount === column.length) return blankColumn(storageOf(type), column)
  if (logical.kind !== 'null' && accepts(type, logical)) return undefined
  const row = firstPresent(column)
  const what = logical.kind === 'null' ? 'no type' : `the type ${logical.kind}`
  throw new MisfitError(row, `null, as the column has ${what} and its statistics say that it holds no value`, 'a value')
}

function firstPresent(column: Column): number {
  let row = 0
  while (!isPresent(column, row)) row++
  return row
}

/** Truth values as integers: 0 and 1. */
export function integersOf(column: Column): Column {
  if (column.kind !== 'bool') return column
  const { length, nullCount, validity, bits } = column
  const values = new Int32Array(length)
  for (let row = 0; row < length; row++) values[row] = (bits[row >> 3]! >> (row & 7)) & 1
  return { kind: 'int32', length, nullCount, validity, values }
}

/** The integers 0 and 1 as truth values. */
export function truthValues(column: Column): SlotColumn {
  if (column.kind === 'bool') return column
  const { length, nullCount, validity } = column
  const bits = new Uint8Array((length + 7) >> 3)
  const valueAt = integerReader(column)
  for (let row = 0; row < length; row++) {
    if (!isPresent(column, row)) continue
    const value = valueAt(row)
    if (value !== 0n && value !== 1n)
      throw new MisfitError(row, 'true or false, or the integers 0 and 1', String(value))
    if (value === 1n) bits[row >> 3]! |= 1 << (row & 7)
  }
  return { kind: 'bool', length, nullCount, validity, bits }
}

/** Integers as the texts of their decimal digits. */
export function digitsOf(column: Column): SlotColumn {
  return digitColumn(column, integerReader(column))
}

/** The digits of an integer of each present row. */
export function digitColumn(column: Column, valueAt: (row: number) => bigint): BytesColumn {
  const { length, nullCount, validity } = column
  const texts = Array.from({ length }, (_, row) => (isPresent(column, row) ? String(valueAt(row)) : ''))
  const offsets = new Int32Array(length + 1)
  for (const [row, text] of texts.entries()) offsets[row + 1] = offsets[row]! + text.length
  return { kind: 'bytes', length, nullCount, validity, offsets, data: Buffer.from(texts.join(''), 'latin1'), gap: 0 }
}

/** The integers of a column, of any size. */
export function integerReader(column: Column): (row: number) => bigint {
  switch (column.kind) {
    case 'int32':
    case 'int64':
      return (row) => BigInt(column.values[row]!)
    case 'values':
      return (row) => column.values[row] as bigint
    default:
      throw new MisfitError(0, 'integers', column.kind)
  }
}

/** Refuses decimals of more digits than are declared, of a column that may hold such. */
export function requireDigits(column: SlotColumn, logical: LogicalType, { precision = 18, scale = 0 }: Type): void {
  const digits = logical.kind === 'decimal' ? logical.precision - logical.scale : 19
  if (column.kind !== 'int64' || digits <= precision - scale) return
  const limit = 10n ** BigInt(precision)
  for (let row = 0; row < column.length; row++) {
    const value = column.values[row]!
    if ((value < limit && value > -limit) || !isPresent(column, row)) continue
    const wider = logical.kind === 'decimal' ? declarationOf(logical, '…') : undefined
    const remedy = wider === undefined ? '' : `; declare ${wider} for all that the file may hold`
    throw new MisfitError(row, `a decimal of at most ${precision} digits${remedy}`, `the unscaled ${value}`)
  }
}
