import { MisfitError } from '../columns/from-values.ts'
import { localRulesOf, nanosecondsIn } from '../columns/moment-text.ts'
import { isLocal } from '../columns/stored-moments.ts'
import type { LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import { jsonLeaf } from '../parquet/json-leaf.ts'
import { EACH, type Shape, stepInto } from '../parquet/nested-shape.ts'
import { instantConverter, momentConverter } from './moment-values.ts'

/**
 * Values of nested columns come as the file has them: decimals unscaled, moments in its unit. Here they become what
 * `columnFromValues` takes, which knows nothing of the file: decimals with their point, moments in the slot's unit; and
 * within JSON a value that needs no unit or scale to be read.
 */

/** A decimal's unscaled integer as exact text with its point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Converts what lies at the end of a path, for a slot of the given type. */
export function nestedConverter(shape: Shape | undefined, type: Type): (value: unknown, row: number) => unknown {
  if (type.kind === 'timestamp') return momentConverter(type, shape?.kind === 'leaf' ? shape.type : undefined)
  if (shape === undefined || !needsConversion(shape)) return (value) => value
  if (type.kind === 'json') return (value, row) => jsonValue(value, shape, { type, row })
  if (shape.kind !== 'leaf') return (value) => value
  const leaf = shape.type
  return (value) => (value === null || value === undefined ? null : typedValue(value, leaf))
}

/**
 * Within JSON text. For a slot of JSON: integers that a number would round stay as they are written, so that reading
 * them is an error. Null for slots of types that take values as they are.
 */
export function textConverter(type: Type): ((value: unknown, row: number) => unknown) | null {
  if (type.kind === 'timestamp') return momentConverter(type, undefined)
  return type.kind === 'json' ? (value) => (hasBigInt(value) ? asWritten(value) : value) : null
}

function hasBigInt(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return typeof value === 'bigint'
  for (const name in value) if (hasBigInt((value as Record<string, unknown>)[name])) return true
  return false
}

function asWritten(value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(String(value))
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(asWritten)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asWritten(inner)]))
}

/** What JSON.stringify writes as it is. */
const rawJson = (JSON as unknown as { rawJSON: (text: string) => object }).rawJSON

/**
 * What a path leads to in a nested value; null where it leads nowhere. `*` leads on in each element of a list, and in each value
 * of a map of the file: what it finds is a list, or a map, of the same length.
 */
export function valueAt(
  whole: unknown,
  steps: readonly string[],
  shape: Shape | undefined,
  place: ValuePlace,
): unknown {
  let value = whole
  let within = shape
  for (const [i, step] of steps.entries()) {
    if (value === null || typeof value !== 'object') return null
    if (step === EACH && (Array.isArray(value) || within?.kind === 'map')) {
      const rest = steps.slice(i + 1)
      const next = stepInto(within, step)
      const each = (item: unknown) => valueAt(item, rest, next, place)
      if (Array.isArray(value)) return value.map(each)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item)]))
    }
    value = follow(value, step, within, place)
    within = stepInto(within, step)
  }
  return value
}

/** What one step leads to, but for `*`. */
export function follow(value: object, step: string, shape: Shape | undefined, place: ValuePlace): unknown {
  if (shape?.kind === 'map' && needsConversion(shape.key)) {
    const entry = Object.entries(value).find(([key]) => keyText(key, shape.key, place) === step)
    return entry?.[1] ?? null
  }
  return Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : null
}

/** The shape of what `valueAt` gives. */
export function shapeBeyond(shape: Shape | undefined, steps: readonly string[]): Shape | undefined {
  const [step, ...rest] = steps
  if (step === undefined || shape === undefined) return shape
  const inner = shapeBeyond(stepInto(shape, step), rest)
  if (step !== EACH || (shape.kind !== 'list' && shape.kind !== 'map')) return inner
  if (shape.kind === 'map') return { ...shape, value: inner ?? null }
  return inner === undefined ? undefined : { ...shape, item: inner }
}

function needsConversion(shape: Shape): boolean {
  switch (shape.kind) {
    case 'leaf':
      return ['decimal', 'timestamp', 'date', 'time'].includes(shape.type.kind)
    case 'list':
      return needsConversion(shape.item)
    case 'map':
      return needsConversion(shape.key) || (shape.value !== null && needsConversion(shape.value))
    case 'struct':
      return [...shape.fields.values()].some(needsConversion)
    case 'variant':
    case 'shredded':
      // As JSON has it.
      return false
  }
}

function typedValue(value: unknown, leaf: LogicalType): unknown {
  return leaf.kind === 'decimal' ? decimalText(value as bigint, leaf.scale) : value
}

/** Where a value is, and the type of its slot, which says what local times mean. */
interface ValuePlace {
  readonly type: Type
  readonly row: number
}

function jsonValue(value: unknown, shape: Shape, place: ValuePlace): unknown {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) {
    const item = shape.kind === 'list' ? shape.item : shape
    return value.map((inner) => jsonValue(inner, item, place))
  }
  if (shape.kind === 'leaf') return leafInJson(value, shape.type, place)
  if (typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const next = stepInto(shape, name)
      const key = shape.kind === 'map' ? keyText(name, shape.key, place) : name
      return [key, next === undefined ? inner : jsonValue(inner, next, place)]
    }),
  )
}

/** A map's keys are text by now, of the value the file has. */
function keyText(key: string, shape: Shape, place: ValuePlace): string {
  if (shape.kind !== 'leaf' || !needsConversion(shape)) return key
  if (shape.type.kind === 'decimal') return decimalText(BigInt(key), shape.type.scale)
  return String(leafInJson(BigInt(key), shape.type, place))
}

/** A leaf within JSON; a moment that no calendar has is a MisfitError. */
function leafInJson(value: unknown, type: LogicalType, place: ValuePlace): unknown {
  try {
    return jsonLeaf(type.kind === 'timestamp' ? instantOf(BigInt(value as bigint), type, place) : value, type)
  } catch (error) {
    if (error instanceof RangeError) throw new MisfitError(place.row, 'a moment that a calendar has', String(value))
    throw error
  }
}

/** Moments in documents are in UTC, those of local times too: text without an offset would be read in some other zone. */
function instantOf(moment: bigint, leaf: LogicalType & { kind: 'timestamp' }, { type, row }: ValuePlace): bigint {
  return isLocal(leaf, type) ? instantConverter(localRulesOf(type), nanosecondsIn[leaf.unit])(moment, row) : moment
}
