import type { BytesColumn, Column } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { wideCells } from './wide-cells.ts'

/**
 * Some neighbouring rows of a part file. A column is decoded when it is first asked for, so that what only looks for keys
 * reads nothing else.
 */
export class Batch {
  readonly rows: number
  /** The place among its key's rows of the first row: above 0 where the key began in the batch before. */
  ordinalBefore = 0
  readonly #part: ParquetFile
  readonly #rowGroup: number
  readonly #from: number
  readonly #cells: (Cells | undefined)[] = []
  /** The last answer of `ordinalOf`, from which the next is counted on. */
  #known: { row: number; ordinal: number } | undefined

  constructor(part: ParquetFile, rowGroup: number, from: number, rows: number) {
    this.#part = part
    this.#rowGroup = rowGroup
    this.#from = from
    this.rows = rows
  }

  /** The cells of the part file's column of this index. */
  cells(column: number): Cells {
    const made = this.#cells[column]
    if (made !== undefined) return made
    const { path, type } = this.#part.schema[column]!
    const range = { from: this.#from, to: this.#from + this.rows }
    const [read] = readColumns(this.#part, this.#rowGroup, [path], range)
    const cells = wideCells(read!, type) ?? cellsOf(read!, this.#part.path, path.join('.'))
    this.#cells[column] = cells
    return cells
  }

  /** Which of its key's rows a row is, from 0. */
  ordinalOf(row: number, keyColumns: number): number {
    const floor = this.#known !== undefined && this.#known.row <= row ? this.#known.row : 0
    let at = row
    while (at > floor && equalKeys(this, at - 1, this, at, 1, keyColumns) === 1) at--
    const before = at === 0 ? this.ordinalBefore : at === this.#known?.row ? this.#known.ordinal : 0
    const ordinal = row - at + before
    this.#known = { row, ordinal }
    return ordinal
  }
}

/** A row of a batch. */
export interface RowPlace {
  readonly batch: Batch
  readonly row: number
}

/**
 * A column with its values as 32-bit words where they are of 4 or 8 bytes, so that two of them are compared without
 * making a bigint of either.
 */
export interface Cells {
  readonly column: Column
  readonly kind: 'int32' | 'int64' | 'float64' | 'bool' | 'bytes'
  readonly validity: Uint8Array | null
  /** One word a value, or two, the lower first; the bits of `bool`, as bytes; nothing for `bytes`. */
  readonly words: Int32Array | Uint8Array
  readonly numbers: Float64Array | null
  readonly bytes: BytesColumn | null
}

function cellsOf(column: Column, path: string, name: string): Cells {
  const base = { column, validity: column.validity, numbers: null, bytes: null }
  switch (column.kind) {
    case 'int32':
      return { ...base, kind: 'int32', words: column.values }
    case 'int64':
      return { ...base, kind: 'int64', words: wordsOf(column.values) }
    case 'float64':
      return { ...base, kind: 'float64', words: wordsOf(column.values), numbers: column.values }
    case 'bool':
      return { ...base, kind: 'bool', words: column.bits }
    case 'bytes':
      return { ...base, kind: 'bytes', words: noWords, bytes: column }
    default:
      throw new InputError(
        `Cannot compare ${path}, column "${name}": expected plain values, as Refold writes them, found a ${column.kind} column.`,
        { file: path, column: name },
      )
  }
}

const noWords = new Int32Array(0)

function wordsOf(values: BigInt64Array | Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2)
}

/** Below 0 where the key of `a` comes before that of `b`, in the order of part files: nulls first, texts by their bytes. */
export function compareKeys(a: Batch, rowA: number, b: Batch, rowB: number, keyColumns: number): number {
  for (let column = 0; column < keyColumns; column++) {
    const order = compareCells(a.cells(column), rowA, b.cells(column), rowB)
    if (order !== 0) return order
  }
  return 0
}

function compareCells(a: Cells, rowA: number, b: Cells, rowB: number): number {
  if (a.validity !== null || b.validity !== null) {
    const present = isSet(a.validity, rowA)
    const other = isSet(b.validity, rowB)
    if (!present || !other) return (present ? 1 : 0) - (other ? 1 : 0)
  }
  switch (a.kind) {
    case 'int32':
      return a.words[rowA]! - b.words[rowB]!
    case 'int64': {
      const high = a.words[2 * rowA + 1]! - b.words[2 * rowB + 1]!
      return high !== 0 ? high : (a.words[2 * rowA]! >>> 0) - (b.words[2 * rowB]! >>> 0)
    }
    case 'float64':
      return compareNumbers(a.numbers![rowA]!, b.numbers![rowB]!)
    case 'bool':
      return bitOf(a.words, rowA) - bitOf(b.words, rowB)
    case 'bytes':
      return compareBytes(a.bytes!, rowA, b.bytes!, rowB)
  }
}

/** Not their difference: that of two infinities is no number. NaN comes last, as in part files. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0)
}

function isSet(validity: Uint8Array | null, row: number): boolean {
  return validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0
}

function bitOf(bits: Int32Array | Uint8Array, row: number): number {
  return (bits[row >> 3]! >> (row & 7)) & 1
}

function compareBytes(a: BytesColumn, rowA: number, b: BytesColumn, rowB: number): number {
  const startA = a.offsets[rowA]!
  const startB = b.offsets[rowB]!
  const lengthA = a.offsets[rowA + 1]! - a.gap - startA
  const lengthB = b.offsets[rowB + 1]! - b.gap - startB
  const common = Math.min(lengthA, lengthB)
  for (let i = 0; i < common; i++) {
    const difference = a.data[startA + i]! - b.data[startB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** How many of `count` rows from `rowA` and `rowB` on have equal keys, before the first that don't. */
export function equalKeys(a: Batch, rowA: number, b: Batch, rowB: number, count: number, keyColumns: number): number {
  let equal = count
  for (let column = 0; column < keyColumns && equal > 0; column++) {
    const different = firstDifference(a.cells(column), rowA, b.cells(column), rowB, 0, equal)
    if (different >= 0) equal = different
  }
  return equal
}

/**
 * The first of the rows `from` to `to`, counted from `rowA` and `rowB`, whose cells differ; −1 where none does. Numbers
 * are compared by their bits: a NaN equals itself, and 0 is not −0.
 */
export function firstDifference(a: Cells, rowA: number, b: Cells, rowB: number, from: number, to: number): number {
  if (a.validity !== null || b.validity !== null) return firstDifferenceWithNulls(a, rowA, b, rowB, from, to)
  switch (a.kind) {
    case 'int32':
      return firstDifferentWord(a.words, rowA, b.words, rowB, from, to)
    case 'int64':
    case 'float64': {
      const word = firstDifferentWord(a.words, 2 * rowA, b.words, 2 * rowB, 2 * from, 2 * to)
      return word < 0 ? word : word >> 1
    }
    case 'bool':
      for (let i = from; i < to; i++) if (bitOf(a.words, rowA + i) !== bitOf(b.words, rowB + i)) return i
      return -1
    case 'bytes':
      for (let i = from; i < to; i++) if (!equalBytes(a.bytes!, rowA + i, b.bytes!, rowB + i)) return i
      return -1
  }
}

function firstDifferentWord(
  a: Int32Array | Uint8Array,
  startA: number,
  b: Int32Array | Uint8Array,
  startB: number,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) if (a[startA + i] !== b[startB + i]) return i
  return -1
}

function firstDifferenceWithNulls(a: Cells, rowA: number, b: Cells, rowB: number, from: number, to: number): number {
  const bare = [
    { ...a, validity: null },
    { ...b, validity: null },
  ] as const
  for (let i = from; i < to; i++) {
    const present = isSet(a.validity, rowA + i)
    if (present !== isSet(b.validity, rowB + i)) return i
    if (present && firstDifference(bare[0], rowA, bare[1], rowB, i, i + 1) >= 0) return i
  }
  return -1
}

function equalBytes(a: BytesColumn, rowA: number, b: BytesColumn, rowB: number): boolean {
  const startA = a.offsets[rowA]!
  const startB = b.offsets[rowB]!
  const length = a.offsets[rowA + 1]! - a.gap - startA
  if (length !== b.offsets[rowB + 1]! - b.gap - startB) return false
  for (let i = 0; i < length; i++) if (a.data[startA + i] !== b.data[startB + i]) return false
  return true
}
