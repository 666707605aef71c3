import type { Type } from './type.ts'

/**
 * A slot is one thing handlers may read of an event: a role (`id`, `key`, `type`, `occurredAt`, `recordedAt`,
 * `sequence`) or a field. What a file holds for it is converted to one of five storages first, so that all later
 * stages know only these:
 *
 * | storage | column                       | words in a packed row                     |
 * | ------- | ---------------------------- | ----------------------------------------- |
 * | `i32`   | Int32Column                  | 1                                         |
 * | `i64`   | Int64Column                  | 2, low word first                         |
 * | `f64`   | Float64Column                | 2, low word first                         |
 * | `bool`  | BoolColumn                   | 1                                         |
 * | `str`   | BytesColumn or its dictionary | 1: a code ≥ 0, or −1 − length with the bytes after |
 */
export type Storage = 'i32' | 'i64' | 'f64' | 'bool' | 'str'

/** The type of events in a log that has no type column. */
export const ONLY_TYPE = 'Event'

export interface Slot {
  readonly name: string
  readonly type: Type
  readonly storage: Storage
  /** Whether any file may hold a null here. */
  readonly mayBeNull: boolean
}

export function storageOf(type: Type): Storage {
  switch (type.kind) {
    case 'int32':
    case 'date':
      return 'i32'
    case 'int64':
    case 'bigint':
    case 'uint64':
    case 'timestamp':
      return 'i64'
    case 'decimal':
      return isWide(type) ? 'str' : 'i64'
    case 'float64':
      return 'f64'
    case 'bool':
      return 'bool'
    case 'string':
    case 'bytes':
    case 'uuid':
    case 'json':
      return 'str'
  }
}

/** Whether values are texts to functions of a view, and are told apart, ordered and hashed as these. */
export function isTextual({ kind }: Type): boolean {
  return kind === 'string' || kind === 'bytes' || kind === 'uuid'
}

/** Decimals that 64 bits may not hold: they travel as the digits of their unscaled integer, a bigint to functions. */
export function isWide({ kind, precision = 18 }: Pick<Type, 'kind' | 'precision'>): boolean {
  return kind === 'decimal' && precision > 18
}

/** Whether a value is the unscaled integer of a wide decimal. */
export function fitsWide({ precision = 38 }: Pick<Type, 'precision'>, value: unknown): value is bigint {
  return typeof value === 'bigint' && (value < 0n ? -value : value) < 10n ** BigInt(precision)
}

/** What the value of a wide decimal is expected to be, in messages. */
export function wideExpected({ precision }: Pick<Type, 'precision'>): string {
  return `an unscaled bigint of at most ${precision} digits`
}

/** A decimal's unscaled integer lies below this, of either sign; beyond 15 digits any that a number holds exactly fits. */
export function decimalLimit({ precision = 18 }: Type): number {
  return precision > 15 ? 2 ** 53 : 10 ** precision
}

/** Whether handlers see an `i64` of this type as a bigint. */
export function isBigInt(type: Type): boolean {
  return type.kind === 'bigint' || type.kind === 'uint64' || (type.kind === 'timestamp' && type.unit === 'ns')
}
