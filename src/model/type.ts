/**
 * The types a field of an event or a column of a view may have, and the JavaScript value each is to a handler.
 *
 * | type        | in a handler                                             | in a view file        |
 * | ----------- | -------------------------------------------------------- | --------------------- |
 * | `int32`     | `number`, −2^31 … 2^31−1                                 | INT32                 |
 * | `int64`     | `number`, −(2^53−1) … 2^53−1, refused beyond             | INT64                 |
 * | `bigint`    | `bigint`, −2^63 … 2^63−1, refused beyond                 | INT64                 |
 * | `uint64`    | `bigint`, 0 … 2^64−1, refused beyond                     | INT64 UINT_64         |
 * | `decimal`   | `number`, the unscaled integer, refused beyond 2^53−1    | INT64 DECIMAL(p, s)   |
 * | `decimal` of over 18 digits | `bigint`, the unscaled integer           | 16 bytes, DECIMAL(p, s) |
 * | `float64`   | `number`                                                 | DOUBLE                |
 * | `bool`      | `boolean`                                                | BOOLEAN               |
 * | `string`    | `string`                                                 | BYTE_ARRAY STRING     |
 * | `bytes`     | `string` of lower-case hexadecimal digits                | BYTE_ARRAY            |
 * | `uuid`      | `string`, `6ba7b810-9dad-11d1-80b4-00c04fd430c8`         | 16 bytes, UUID        |
 * | `timestamp` | `number` of milliseconds or microseconds since 1970 UTC, `bigint` of nanoseconds | INT64 TIMESTAMP |
 * | `date`      | `number` of days since 1970-01-01                        | INT32 DATE            |
 * | `json`      | any JSON value, or any nested Parquet value              | BYTE_ARRAY JSON       |
 *
 * An integer that its type can't hold exactly is an error with a place, never a rounded number.
 */

export type TimeUnit = 'ms' | 'us' | 'ns'

/**
 * What the values of a column are that is declared to hold moments, where the column itself says something else or nothing:
 * numbers of seconds … nanoseconds since 1970 UTC, ISO 8601 text, moments in UTC, or local times.
 */
export type StoredAs = 's' | TimeUnit | 'text' | 'utc' | 'local'

/** Which of two moments a local time means. The words and their meaning are those of Temporal. */
export type Disambiguation = 'reject' | 'compatible' | 'earlier' | 'later'

export type TypeKind =
  | 'int32'
  | 'int64'
  | 'bigint'
  | 'uint64'
  | 'decimal'
  | 'float64'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'uuid'
  | 'timestamp'
  | 'date'
  | 'json'

/**
 * A declared type. `Value` is what a handler sees and exists for the compiler only.
 */
export interface Type<Value = unknown> {
  readonly kind: TypeKind
  readonly nullable: boolean
  /** Where a log's field comes from: a column, or a path into a nested or JSON column. Absent: the field's own name. */
  readonly from?: string | readonly string[]
  /** The value a state column starts with. Absent: zero, '', false, or null where nullable. */
  readonly initial?: Value
  /** For `timestamp`. */
  readonly unit?: TimeUnit
  /** For `timestamp`: what the column's values are. */
  readonly storedAs?: StoredAs
  /**
   * For `timestamp`: in which local times are meant, and days in place of moments begin. Absent: the log's zone; every moment and
   * every `json` of a planned log has one.
   */
  readonly zone?: string
  /**
   * Of a planned log: the job names a column and no type, so that a column whose bytes have no annotation must hold text.
   */
  readonly bare?: true
  readonly disambiguation?: Disambiguation
  /** Of a planned log: neither the column nor the log declares a zone, so that local times are refused. */
  readonly assumesUtc?: true
  /** For `decimal`: digits in all, and digits after the point. */
  readonly precision?: number
  readonly scale?: number
  /** The column's value where a file of the log lacks the column. */
  readonly whenMissing?: Value | null
  /** The log may have no such value at all; see `TypeOptions`. */
  readonly optional?: boolean
  /** For the compiler only; never present. */
  readonly _value?: Value
}

/** What a handler sees of a declared type. */
export type ValueOf<T> = T extends Type<infer Value> ? Value : never

export type Fields = Readonly<Record<string, Type>>

/** The object that a set of declared fields is to a handler. */
export type Values<F extends Fields> = { -readonly [Name in keyof F]: ValueOf<F[Name]> }
