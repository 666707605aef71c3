import type { BoolColumn, BytesColumn } from '../model/column.ts'
import type { PageValues } from './write-values.ts'

/** Smallest and largest value in Parquet's order for the column's type: numbers by value, bytes unsigned. */
export interface Bounds {
  readonly min: Bound
  readonly max: Bound
}

export type Bound = number | bigint | boolean | Uint8Array

/**
 * The bounds of the values of a page. `null` where there are none to write: no value, or a NaN among them, which readers
 * order differently, so that bounds without it could make a reader skip it.
 */
export function boundsOf(values: PageValues): Bounds | null {
  const { column } = values
  if (values.count === 0) return null
  switch (column.kind) {
    case 'int32':
      return int32Bounds(column.values, values)
    case 'int64':
      return int64Bounds(column.values, values)
    case 'float64':
      return float64Bounds(column.values, values)
    case 'bool':
      return boolBounds(column, values)
    case 'bytes':
      return bytesBounds(column, values)
  }
}

/** The bounds of two runs of rows together. */
export function uniteBounds(left: Bounds, right: Bounds): Bounds {
  return {
    min: compareBounds(right.min, left.min) < 0 ? right.min : left.min,
    max: compareBounds(right.max, left.max) > 0 ? right.max : left.max,
  }
}

/** Negative, zero or positive as `left` comes before, with or after `right`; both are of the same type. */
export function compareBounds(left: Bound, right: Bound): number {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  return left < right ? -1 : left > right ? 1 : 0
}

function int32Bounds(numbers: Int32Array, { first, positions, count }: PageValues): Bounds {
  let min = numbers[positions === null ? first : positions[0]!]!
  let max = min
  for (let index = 1; index < count; index++) {
    const value = numbers[positions === null ? first + index : positions[index]!]!
    if (value < min) min = value
    else if (value > max) max = value
  }
  return { min, max }
}

/** Compares high and low words, because a bigint for each value costs several times as much. */
function int64Bounds(numbers: BigInt64Array, { first, positions, count }: PageValues): Bounds {
  const high = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length)
  const low = new Uint32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length)
  let min = positions === null ? first : positions[0]!
  let max = min
  let minHigh = high[2 * min + 1]!
  let minLow = low[2 * min]!
  let maxHigh = minHigh
  let maxLow = minLow
  for (let index = 1; index < count; index++) {
    const position = positions === null ? first + index : positions[index]!
    const valueHigh = high[2 * position + 1]!
    const valueLow = low[2 * position]!
    if (valueHigh < minHigh || (valueHigh === minHigh && valueLow < minLow)) {
      min = position
      minHigh = valueHigh
      minLow = valueLow
    } else if (valueHigh > maxHigh || (valueHigh === maxHigh && valueLow > maxLow)) {
      max = position
      maxHigh = valueHigh
      maxLow = valueLow
    }
  }
  return { min: numbers[min]!, max: numbers[max]! }
}

/** A zero bound is written as −0 below and +0 above, since the two are equal to a fold but not in Parquet's order. */
function float64Bounds(numbers: Float64Array, { first, positions, count }: PageValues): Bounds | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const value = numbers[positions === null ? first + index : positions[index]!]!
    if (Number.isNaN(value)) return null
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max }
}

function boolBounds({ bits }: BoolColumn, { first, positions, count }: PageValues): Bounds {
  let trues = 0
  for (let index = 0; index < count; index++) {
    const position = positions === null ? first + index : positions[index]!
    trues += (bits[position >> 3]! >> (position & 7)) & 1
  }
  return { min: trues === count, max: trues > 0 }
}

function bytesBounds(column: BytesColumn, { first, positions, count }: PageValues): Bounds {
  const { data, offsets, gap } = column
  let min = positions === null ? first : positions[0]!
  let max = min
  for (let index = 1; index < count; index++) {
    const position = positions === null ? first + index : positions[index]!
    if (compareValues(column, position, max) > 0) max = position
    else if (compareValues(column, position, min) < 0) min = position
  }
  const valueAt = (position: number): Uint8Array => data.slice(offsets[position]!, offsets[position + 1]! - gap)
  return { min: valueAt(min), max: valueAt(max) }
}

function compareValues({ data, offsets, gap }: BytesColumn, left: number, right: number): number {
  let leftAt = offsets[left]!
  let rightAt = offsets[right]!
  const leftLength = offsets[left + 1]! - gap - leftAt
  const rightLength = offsets[right + 1]! - gap - rightAt
  const end = leftAt + Math.min(leftLength, rightLength)
  while (leftAt < end) {
    const difference = data[leftAt++]! - data[rightAt++]!
    if (difference !== 0) return difference
  }
  return leftLength - rightLength
}
