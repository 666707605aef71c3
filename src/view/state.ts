import { copyInto } from '../columns/grow.ts'
import { decimalLimit, isBigInt, isTextual, isWide, wideExpected } from '../model/slots.ts'
import type { Fields, Type } from '../model/type.ts'

/**
 * The states of the keys of one bucket, column by column. A number that must be exact lies in a Float64Array, which
 * holds every integer within ±(2^53 − 1); the setter that generated code calls refuses anything else.
 */
export interface StateColumn {
  readonly name: string
  readonly type: Type
  values: Float64Array | BigInt64Array | Int32Array | Uint8Array | unknown[]
  /** 1 where the state is null; absent where the type is not nullable. */
  nulls: Uint8Array | null
}

/** States as they were. */
export interface SavedStates {
  readonly keys: number
  readonly columns: readonly Pick<StateColumn, 'values' | 'nulls'>[]
}

export class StateStore {
  readonly columns: readonly StateColumn[]
  #capacity = 0

  constructor(fields: Fields) {
    this.columns = Object.entries(fields).map(([name, type]) => ({ name, type, values: [], nulls: null }))
  }

  /** Makes room for `keys` states and sets each to its initial value. The arrays may be new ones afterwards. */
  prepare(keys: number): void {
    this.extend(0, keys)
  }

  /** Keeps the first `from` states, makes room for `to`, and sets the new ones to their initial value. */
  extend(from: number, to: number): void {
    if (to > this.#capacity) {
      this.#capacity = Math.max(to, this.#capacity * 2)
      for (const column of this.columns) {
        column.values = copyInto(column.values, allocate(column.type, this.#capacity), from)
        if (column.type.nullable) column.nulls = copyInto(column.nulls ?? [], new Uint8Array(this.#capacity), from)
      }
    }
    for (const column of this.columns) fillInitial(column, from, to)
  }

  /** Whether a state is nothing but numbers and strings, so that a copy of them is a copy of the state. */
  get isFlat(): boolean {
    return this.columns.every((column) => column.type.kind !== 'json')
  }

  /** One key's state as it is, for `restore`. */
  save(slot: number): readonly unknown[] {
    return this.columns.flatMap(({ values, nulls }) => [values[slot], nulls === null ? 0 : nulls[slot]])
  }

  restore(slot: number, saved: readonly unknown[]): void {
    for (const [i, { values, nulls }] of this.columns.entries()) {
      ;(values as unknown[])[slot] = saved[2 * i]
      if (nulls !== null) nulls[slot] = saved[2 * i + 1] as number
    }
  }

  /** All states as they are, of the first `keys` keys. */
  copy(keys: number): SavedStates {
    const columns = this.columns.map(({ values, nulls }) => ({
      values: values.slice(0, keys),
      nulls: nulls?.slice(0, keys) ?? null,
    }))
    return { keys, columns }
  }

  /** Restores one key's state to what it was when it was copied. */
  restoreFrom({ columns }: SavedStates, slot: number): void {
    this.restore(
      slot,
      columns.flatMap(({ values, nulls }) => [values[slot], nulls === null ? 0 : nulls[slot]]),
    )
  }

  /** Sets one key's state back to its initial value. */
  reset(slot: number): void {
    for (const column of this.columns) fillInitial(column, slot, slot + 1)
  }
}

function fillInitial(column: StateColumn, from: number, to: number): void {
  const { type } = column
  const initial = withoutMinusZero(type, type.initial ?? zeroOf(type))
  if (type.kind === 'json' && typeof initial === 'object' && initial !== null) {
    // Handlers may change it, so every key has its own.
    for (let slot = from; slot < to; slot++) column.values[slot] = structuredClone(initial) as never
  } else {
    ;(column.values as unknown[]).fill(type.kind === 'bool' ? Number(initial) : initial, from, to)
  }
  column.nulls?.fill(type.initial === undefined || type.initial === null ? 1 : 0, from, to)
}

export function allocate(type: Type, length: number): StateColumn['values'] {
  switch (type.kind) {
    case 'int32':
    case 'date':
      return new Int32Array(length)
    case 'bool':
      return new Uint8Array(length)
    case 'string':
    case 'bytes':
    case 'uuid':
    case 'uint64':
    case 'json':
      return new Array<unknown>(length)
    default:
      if (isWide(type)) return new Array<unknown>(length)
      return isBigInt(type) ? new BigInt64Array(length) : new Float64Array(length)
  }
}

function zeroOf(type: Type): unknown {
  if (isBigInt(type) || isWide(type)) return 0n
  if (isTextual(type)) return ''
  if (type.kind === 'json') return null
  if (type.kind === 'bool') return 0
  return 0
}

/**
 * The source of `state`: the flyweight that a handler's first argument is. Closes over `slot`, and for each column
 * `s<index>` (values) and `n<index>` (nulls).
 */
export function stateSource(fields: Fields): string {
  const members = Object.entries(fields).map(([name, type], index) => {
    const quoted = JSON.stringify(name)
    const value = `s${index}[slot]`
    const setNull = type.nullable ? `if (v === null) { n${index}[slot] = 1; return; } n${index}[slot] = 0; ` : ''
    return `get ${quoted}() { return ${readSource(type, index)}; }
set ${quoted}(v) { ${setNull}${checkSource(name, type)} ${value} = ${storedSource(type)}; }`
  })
  return `class State {\n${members.join('\n')}\n}\nconst state = Object.preventExtensions(new State());`
}

/** The source of the `state` that `row` gets: the accessors are the object's own, so that `{ ...state }` copies it. */
export function finalStateSource(fields: Fields, isFinal: boolean): string {
  const members = Object.entries(fields).map(([name, type], index) => {
    const read = readSource(type, index)
    return `get ${JSON.stringify(name)}() { return ${isFinal && type.kind === 'json' ? `runtime.frozenState(${read})` : read}; }`
  })
  return `const state = Object.freeze({\n${members.join(',\n')}\n});`
}

function readSource(type: Type, index: number): string {
  const value = `s${index}[slot]`
  const read = type.kind === 'bool' ? `${value} !== 0` : value
  return type.nullable ? `n${index}[slot] !== 0 ? null : ${read}` : read
}

/** Integers have one zero. −0 passes for an integer, so it would differ from 0 until a state travels, and not after. */
function isExact(type: Type): boolean {
  if (isBigInt(type) || isWide(type)) return false
  return type.kind === 'int64' || type.kind === 'decimal' || type.kind === 'timestamp'
}

function withoutMinusZero(type: Type, value: unknown): unknown {
  return isExact(type) ? (value as number) + 0 : value
}

function storedSource(type: Type): string {
  if (type.kind === 'bool') return 'v ? 1 : 0'
  return isExact(type) ? 'v + 0' : 'v'
}

function checkSource(name: string, type: Type): string {
  const refuse = (expected: string) => `runtime.refuse(${JSON.stringify(name)}, ${JSON.stringify(expected)}, v);`
  switch (type.kind) {
    case 'int32':
    case 'date':
      return `if ((v | 0) !== v) ${refuse('an integer of 32 bits')}`
    case 'float64':
      return `if (typeof v !== 'number') ${refuse('a number')}`
    case 'bool':
      return `if (typeof v !== 'boolean') ${refuse('true or false')}`
    case 'string':
      return `if (typeof v !== 'string') ${refuse('a string')}`
    case 'bytes':
      return `if (!runtime.isHexText(v)) ${refuse('bytes as lower-case hexadecimal digits')}`
    case 'uuid':
      return `if (!runtime.isUuidText(v)) ${refuse('a UUID in lower case')}`
    case 'json':
      return `if (v === undefined) ${refuse('a JSON value')}`
    case 'uint64':
      return `if (typeof v !== 'bigint' || BigInt.asUintN(64, v) !== v) ${refuse('a bigint of 64 bits without a sign')}`
    case 'decimal': {
      if (isWide(type))
        return `if (!runtime.fitsWide({ precision: ${type.precision} }, v)) ${refuse(wideExpected(type))}`
      const limit = decimalLimit(type)
      return `if (!(Number.isSafeInteger(v) && v < ${limit} && v > -${limit})) ${refuse(`an unscaled integer of at most ${type.precision} digits`)}`
    }
    case 'timestamp':
      if (isBigInt(type)) return checkSource(name, { kind: 'bigint', nullable: false })
      return `if (!Number.isSafeInteger(v) && !runtime.isMomentNumber(v)) ${refuse('a moment as an integer')}`
    default:
      return isBigInt(type)
        ? `if (typeof v !== 'bigint' || BigInt.asIntN(64, v) !== v) ${refuse('a bigint of 64 bits')}`
        : `if (!Number.isSafeInteger(v)) ${refuse('an integer within ±(2^53 − 1)')}`
  }
}
