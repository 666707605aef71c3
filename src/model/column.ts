import type { TimeUnit } from './type.ts'

/**
 * Columns of one run of rows, in Arrow's memory layout: a validity bitmap (least significant bit first, 1 = present),
 * values, and for bytes 32-bit offsets. Typed arrays only, so that a column can be handed to another thread or to Arrow
 * without a copy.
 */
interface ColumnBase {
  /** Number of rows. */
  readonly length: number
  readonly nullCount: number
  /** Arrow validity bitmap, `null` where no row is null. Values under a null are unspecified. */
  readonly validity: Uint8Array | null
}

/** Integers of at most 32 bits, signed or shorter than 32 bits unsigned; days of a date. */
export interface Int32Column extends ColumnBase {
  readonly kind: 'int32'
  readonly values: Int32Array
}

/** Integers of 64 bits: moments, unscaled decimals of at most 18 digits, unsigned 32-bit integers. 8-byte aligned. */
export interface Int64Column extends ColumnBase {
  readonly kind: 'int64'
  readonly values: BigInt64Array
}

export interface Float64Column extends ColumnBase {
  readonly kind: 'float64'
  readonly values: Float64Array
}

/** One bit a row, least significant first, as in Arrow. */
export interface BoolColumn extends ColumnBase {
  readonly kind: 'bool'
  readonly bits: Uint8Array
}

/**
 * Strings (UTF-8) and binary values. Value i is `data[offsets[i] … offsets[i + 1] - gap)`. `gap` is 0 in Arrow's
 * layout. It is 4 where `data` still holds a Parquet PLAIN page's four-byte length in front of each value, so that a
 * page is used as it was decompressed.
 */
export interface BytesColumn extends ColumnBase {
  readonly kind: 'bytes'
  readonly offsets: Int32Array
  readonly data: Uint8Array
  readonly gap: 0 | 4
}

/** Codes into a dictionary without nulls or nested dictionaries. The code under a null is 0. */
export interface DictionaryColumn extends ColumnBase {
  readonly kind: 'dictionary'
  readonly codes: Int32Array
  readonly dictionary: Int32Column | Int64Column | Float64Column | BytesColumn
}

/** What has no flat layout: lists, maps, structs, integers beyond 64 bits. `null` where a row has none. */
export interface ValuesColumn extends ColumnBase {
  readonly kind: 'values'
  readonly values: readonly unknown[]
}

export type Column =
  | Int32Column
  | Int64Column
  | Float64Column
  | BoolColumn
  | BytesColumn
  | DictionaryColumn
  | ValuesColumn

/** What the values of a column mean; says nothing of how they lie in memory. */
export type LogicalType =
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' }
  | { readonly kind: 'json' }
  /** Bytes without annotation; `width` where all values have that many. */
  | { readonly kind: 'binary'; readonly width?: number }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'date' }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'interval' }
  /** No value at all: every row is null. */
  | { readonly kind: 'null' }
  /** A list, map, struct or variant: its rows are nested JavaScript values. */
  | { readonly kind: 'nested' }

/** Whether row `row` of a column is present. */
export function isPresent(column: Column, row: number): boolean {
  return column.validity === null || (column.validity[row >> 3]! & (1 << (row & 7))) !== 0
}
