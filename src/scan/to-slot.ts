import { columnFromValues, MisfitError } from '../columns/from-values.ts'
import { type SlotColumn, widened, wordsOf } from '../columns/slot-column.ts'
import { type Column, type Int64Column, isPresent, type LogicalType, type ValuesColumn } from '../model/column.ts'
import { isWide, storageOf } from '../model/slots.ts'
import type { Type } from '../model/type.ts'
import { withoutDictionary } from '../parquet/logical.ts'
import { digitsOf, integersOf, requireDigits, truthValues, withoutValues } from './declared-conversions.ts'
import { momentColumn } from './moment-slots.ts'
import { decimalText } from './nested-values.ts'
import { textSlot } from './text-slots.ts'
import { requireUnsigned, wideDecimalSlot } from './wide-decimals.ts'

/**
 * Brings a file's column into the storage of its slot: integers widened or narrowed, moments in the slot's unit,
 * decimals in its scale, dictionaries of numbers written out. What doesn't fit exactly is a MisfitError with its row.
 */
export function toSlot(column: Column, logical: LogicalType, type: Type): SlotColumn {
  const nulls = withoutValues(column, logical, type)
  if (nulls !== undefined) return nulls
  if (type.kind === 'json') return jsonColumn(column, logical, type)
  if (type.kind === 'timestamp') return momentColumn(column, logical, type)
  if (isWide(type)) return wideDecimalSlot(withoutDictionary(column), logical, type)
  if (column.kind === 'values' && storageOf(type) !== 'bool') return fromWide(column, logical, type)
  switch (storageOf(type)) {
    case 'i32':
      return toInt32(integersOf(withoutDictionary(column)))
    case 'i64':
      return toUnit(toInt64(integersOf(withoutDictionary(column))), logical, type)
    case 'f64':
      return toFloat64(withoutDictionary(column))
    case 'bool':
      return truthValues(withoutDictionary(column))
    case 'str':
      if (logical.kind === 'int' || logical.kind === 'decimal') return digitsOf(withoutDictionary(column))
      return textSlot(column, logical, type)
  }
}

/** Decimals of more than 18 digits and unsigned integers beyond 2^63 − 1. */
function fromWide(column: ValuesColumn, logical: LogicalType, type: Type): SlotColumn {
  const values =
    logical.kind === 'decimal'
      ? column.values.map((value) => (value === null ? null : decimalText(value as bigint, logical.scale)))
      : column.values
  return columnFromValues(type, values) as SlotColumn
}

function jsonColumn(column: Column, logical: LogicalType, type: Type): SlotColumn {
  const isText = logical.kind === 'string' || logical.kind === 'json' || logical.kind === 'binary'
  if (column.kind === 'values') return columnFromValues(type, column.values) as SlotColumn
  if (isText) return textSlot(column, logical, type)
  throw new MisfitError(0, 'JSON text or nested values', logical.kind)
}

function toInt32(column: Column): SlotColumn {
  if (column.kind === 'int32') return column
  if (column.kind !== 'int64') throw new MisfitError(0, 'integers', column.kind)
  const words = wordsOf(column.values)
  const values = new Int32Array(column.length)
  for (let i = 0; i < column.length; i++) {
    const low = words[2 * i]!
    if (words[2 * i + 1] !== low >> 31 && isPresent(column, i)) {
      throw new MisfitError(i, 'an integer of 32 bits', String(column.values[i]))
    }
    values[i] = low
  }
  return { kind: 'int32', length: column.length, nullCount: column.nullCount, validity: column.validity, values }
}

function toInt64(column: Column): Int64Column {
  if (column.kind === 'int64') return column
  if (column.kind !== 'int32') throw new MisfitError(0, 'integers', column.kind)
  return widened(column)
}

function toFloat64(column: Column): SlotColumn {
  if (column.kind === 'float64') return column
  const values = new Float64Array(column.length)
  if (column.kind === 'int32') {
    for (let i = 0; i < column.length; i++) values[i] = column.values[i]!
  } else if (column.kind === 'int64') {
    for (let i = 0; i < column.length; i++) {
      const value = Number(column.values[i])
      if (!Number.isSafeInteger(value) && isPresent(column, i)) {
        throw new MisfitError(i, 'an integer that a number holds exactly', String(column.values[i]))
      }
      values[i] = value
    }
  } else {
    throw new MisfitError(0, 'numbers', column.kind)
  }
  return { kind: 'float64', length: column.length, nullCount: column.nullCount, validity: column.validity, values }
}

/** Decimals from the file's scale to the slot's. */
function toUnit(column: Int64Column, logical: LogicalType, type: Type): Int64Column {
  if (type.kind === 'uint64') requireUnsigned(column)
  if (type.kind === 'decimal') {
    const scaled = toScale(column, logical, type)
    requireDigits(scaled, logical, type)
    return scaled
  }
  return column
}

function toScale(column: Int64Column, logical: LogicalType, type: Type): Int64Column {
  const digits = (type.scale ?? 0) - (logical.kind === 'decimal' ? logical.scale : 0)
  if (digits === 0) return column
  return digits > 0
    ? rescaled(column, 10n ** BigInt(digits), 1n, 'a decimal')
    : rescaled(column, 1n, 10n ** BigInt(-digits), 'a decimal')
}

function rescaled(column: Int64Column, times: bigint, by: bigint, what: string): Int64Column {
  const values = new BigInt64Array(column.length)
  const factor = Number(times)
  for (let i = 0; i < column.length; i++) {
    if (!isPresent(column, i)) continue
    const value = column.values[i]!
    const asNumber = Number(value) * factor
    if (by === 1n) {
      const scaled = Number.isSafeInteger(asNumber) ? BigInt(asNumber) : value * times
      if (BigInt.asIntN(64, scaled) !== scaled) {
        throw new MisfitError(i, `${what} that 64 bits hold`, String(value))
      }
      values[i] = scaled
    } else {
      if (value % by !== 0n) {
        throw new MisfitError(i, `${what} in no digits beyond the declared scale`, String(value))
      }
      values[i] = value / by
    }
  }
  return { kind: 'int64', length: column.length, nullCount: column.nullCount, validity: column.validity, values }
}
