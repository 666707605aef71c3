import type { Disambiguation, StoredAs, TimeUnit, Type } from './type.ts'

/**
 * Makers of declared types. The first argument of each, where given, is the column or path the value comes from: a
 * column's name, a dotted path into a nested or JSON column (`'payload.customer.city'`, in which `*` leads to each element of a list), or the path as an array where
 * a name holds a dot. A column whose whole name matches wins over a path.
 */

type From = string | readonly string[]

export interface TypeOptions<Value> {
  /** The value a state column starts with. */
  readonly initial?: Value
  /** The value where a file of the log has no such column. */
  readonly whenMissing?: Value | null
  /**
   * The log may have no such value at all, as one that is yet to come. Without it a path into a document that no event has is
   * an error, since a misspelt path is null everywhere; so is a column that no file has where another has nearly its name.
   * Default false.
   */
  readonly optional?: boolean
}

function make<Value>(kind: Type['kind'], from: From | undefined, options: object | undefined): Type<Value> {
  return Object.freeze({ kind, nullable: false, ...(from === undefined ? {} : { from }), ...options })
}

/** Integers of 32 bits. */
export function int32(from?: From, options?: TypeOptions<number>): Type<number> {
  return make('int32', from, options)
}

/** Integers as numbers, exact: a value beyond ±(2^53 − 1) is refused. */
export function int64(from?: From, options?: TypeOptions<number>): Type<number> {
  return make('int64', from, options)
}

/** Integers of 64 bits as bigints; slower than `int64`. */
export function bigint(from?: From, options?: TypeOptions<bigint>): Type<bigint> {
  return make('bigint', from, options)
}

/** Integers of 64 bits without a sign as bigints; `int64` reads such a column too, where its values are below 2^53. */
export function uint64(from?: From, options?: TypeOptions<bigint>): Type<bigint> {
  return make('uint64', from, options)
}

type WideDigits = 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38
type Unscaled<Precision> = Precision extends WideDigits ? bigint : number

/**
 * Fixed-point numbers, handled as their unscaled integer: 12.34 of scale 2 is 1234. At most 38 digits; of more than 18, the
 * integer is a bigint.
 */
export function decimal<const Precision extends number>(
  precision: Precision,
  scale: number,
  from?: From,
  options?: TypeOptions<Unscaled<Precision>>,
): Type<Unscaled<Precision>> {
  return make('decimal', from, { precision, scale, ...options })
}

/** Floating-point numbers. Sums of them depend on the order of events. */
export function float64(from?: From, options?: TypeOptions<number>): Type<number> {
  return make('float64', from, options)
}

export function bool(from?: From, options?: TypeOptions<boolean>): Type<boolean> {
  return make('bool', from, options)
}

/**
 * Text. Of a log's columns it also takes what has one spelling as text: integers (their decimal digits), UUIDs (lower case),
 * and bytes without annotation that are valid UTF-8. Other bytes are refused, and so is text that UTF-8 can't encode.
 */
export function string(from?: From, options?: TypeOptions<string>): Type<string> {
  return make('string', from, options)
}

/**
 * Bytes, as lower-case hexadecimal digits: `'00ff'` is two bytes. Of a log's columns it takes bytes of any length, with or
 * without annotation; JSON has no bytes. A view's files have them as bytes.
 */
export function bytes(from?: From, options?: TypeOptions<string>): Type<string> {
  return make('bytes', from, options)
}

/**
 * UUIDs, as `'6ba7b810-9dad-11d1-80b4-00c04fd430c8'`, lower case. Of a log it takes columns of 16 bytes, with or without
 * annotation, and texts of 36 characters of either case. A view's files have them as 16 bytes. A state column declares a
 * value to start with, or is nullable.
 */
export function uuid(from?: From, options?: TypeOptions<string>): Type<string> {
  return make('uuid', from, options)
}

/** Days since 1970-01-01, as `dayOf` gives. */
export function date(from?: From, options?: TypeOptions<number>): Type<number> {
  return make('date', from, options)
}

/**
 * @property storedAs What the column holds, where the file doesn't say: numbers of `'s'`, `'ms'`, `'us'` or `'ns'` since
 *   1970-01-01T00:00Z (integers, or text of digits), or `'text'` as ISO 8601. `'utc'` and `'local'` say of a column of
 *   timestamps that its values are moments in UTC, or local times, whatever the file says. A value that isn't so is an error.
 * @property zone The zone of local times in this column: timestamps that are not adjusted to UTC, and text without an offset.
 *   Default: the log's.
 * @property disambiguation Which moment a local time means that clocks skipped or showed twice. Default: the log's.
 */
export interface TimestampOptions<Value> extends TypeOptions<Value> {
  readonly storedAs?: StoredAs
  readonly zone?: string
  readonly disambiguation?: Disambiguation
}

/**
 * A moment in the given unit: a number of milliseconds or microseconds (the default) since 1970 UTC, a bigint of ns. A
 * view's state and key have the unit of the log's moments: its `timeUnit`, or that of one of its fields; a column that
 * `row` makes may have any.
 *
 * The unit is that of handlers. What a log's column counts in is read from the file; where the file doesn't say, it is
 * declared: `timestamp('us', 'created', { storedAs: 's' })`.
 */
export function timestamp(unit: 'ns', from?: From, options?: TimestampOptions<bigint>): Type<bigint>
export function timestamp(unit?: 'ms' | 'us', from?: From, options?: TimestampOptions<number>): Type<number>
export function timestamp(unit: TimeUnit = 'us', from?: From, options?: object): Type<never> {
  return make('timestamp', from, { unit, ...options })
}

/**
 * Any JSON value, or any nested Parquet value. An integer in JSON text that a number would round is an error where a
 * handler reads it. Of nested Parquet values, integers and decimals are numbers where these are exact (a decimal with its
 * point, at most 15 digits) and else strings; moments, and the moments that local times mean in the log's zone, are strings as
 * `2021-05-22T14:00:00.000Z`, UTC, with all digits of the file's unit; days as `2021-05-22`; times of day as `14:00:00.000`; binary values base64. Moments within a variant stay
 * integers.
 */
export function json<Value = unknown>(from?: From, options?: TypeOptions<Value>): Type<Value> {
  return make('json', from, options)
}

/** The same type, or null. A state column starts as null. */
export function nullable<Value>(type: Type<Value>): Type<Value | null> {
  return Object.freeze({ ...type, nullable: true }) as Type<Value | null>
}
