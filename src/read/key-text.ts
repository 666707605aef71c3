/** Keys as programs name them and as they are written on the command line. */
import { isHexText, parseUuid } from '../model/byte-text.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import { isWide } from '../model/slots.ts'
import type { TimeUnit, TypeKind } from '../model/type.ts'
import { stepsAMillisecond } from '../time/duration.ts'
import { dayOf, type MomentContext, parseMoment } from '../time/moments.ts'
import { dayStarts } from '../time/zone.ts'

/** A value as stored in a view's files: whole numbers, days and moments are bigints. */
export type KeyValue = string | number | bigint | boolean | null

/** Whose keys they are. */
export interface KeyedView extends Pick<Manifest, 'view' | 'key'> {
  /** The key column of the view's windows, and the zone that a moment in it is meant in; null without windows. */
  readonly window: { readonly column: string; readonly zone: string } | null
}

/** A value of a key column: as a row of the view has it, or as text. */
export type KeyPart = string | number | bigint | boolean | null

/**
 * A text as it is written on a command line. In a column of texts that may be null, `null` is the null, and a text in double quotes is
 * the one that it is as JSON: `""` is the empty text, and `"null"` is that word.
 */
export class WrittenText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * A key as a program names it: the values of its columns by name, or in their order. Texts are read as on the command line: a
 * day is `2021-05-22`, a moment is ISO 8601, a decimal has its point.
 */
export type Key = readonly (KeyPart | WrittenText)[] | Readonly<Record<string, KeyPart | WrittenText>>

/**
 * A key's values in the order of its columns; fewer than there are where the last are not given.
 *
 * @throws ConfigurationError where a name is no column of the key, or one is left out in front of another.
 */
export function partsOf(
  { view, key: columns }: Pick<KeyedView, 'view' | 'key'>,
  key: Key,
): readonly (KeyPart | WrittenText)[] {
  if (isInOrder(key)) return key
  const names = columns.map(({ name }) => name)
  const given = Object.keys(key)
  const used = names.slice(0, given.length)
  if (given.length <= names.length && used.every((name) => Object.hasOwn(key, name))) {
    return used.map((name) => key[name]!)
  }
  throw new ConfigurationError(
    `View ${view} has the key ${names.join(', ')}: expected values of all of them or of the first, found ${given.join(', ')}.`,
  )
}

function isInOrder(key: Key): key is readonly (KeyPart | WrittenText)[] {
  return Array.isArray(key)
}

/**
 * The values of a view's key columns, or of the first of them. Moments without an offset are UTC; in the column of the view's
 * windows they are of the windows' zone.
 *
 * @throws ConfigurationError
 */
export function parseKey(
  { view, key: columns, window }: KeyedView,
  parts: readonly (KeyPart | WrittenText)[],
): readonly KeyValue[] {
  if (parts.length > columns.length) {
    const names = columns.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `View ${view} has the key ${names}: expected at most ${columns.length} ${columns.length === 1 ? 'value' : 'values'}, found ${parts.length}.`,
    )
  }
  return parts.map((given, index) => {
    const column = columns[index]!
    const part = given instanceof WrittenText ? unquoted(given, column) : given
    const zone = column.name === window?.column ? window.zone : 'UTC'
    const value = typeof part === 'string' ? parseValue(column, part, zone) : typedValue(column, part)
    if (value !== undefined) return value
    throw new ConfigurationError(`Key column ${column.name}: expected ${examples[column.type]}, found ${part}.`)
  })
}

function unquoted({ text }: WrittenText, { name, type, nullable }: ManifestColumn): string | null {
  if (type !== 'string' || !nullable) return text
  if (text === 'null') return null
  if (!text.startsWith('"')) return text
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value
  } catch {
    // Told below, with what was expected.
  }
  throw new ConfigurationError(
    `Key column ${name}: expected a text, or one in double quotes as JSON has it, found ${text}.`,
  )
}

/** A value that is no text, as stored in a view's files. Days, moments and decimals are texts in rows, and so here. */
function typedValue({ type }: ManifestColumn, part: Exclude<KeyPart, string>): KeyValue | undefined {
  if (part === null) return null
  if (typeof part === 'boolean') return type === 'bool' ? part : undefined
  switch (type) {
    case 'int32':
    case 'int64':
    case 'bigint':
    case 'uint64':
      return typeof part === 'bigint' || Number.isSafeInteger(part) ? BigInt(part) : undefined
    case 'float64':
      return Number.isFinite(Number(part)) && (typeof part === 'number' || BigInt(Number(part)) === part)
        ? Number(part)
        : undefined
    default:
      return undefined
  }
}

/** A value as `keyBy` gives it. */
export function handlerValue({ type, unit, precision }: ManifestColumn, value: KeyValue): KeyValue {
  if (typeof value !== 'bigint' || unit === 'ns') return value
  const kind = { kind: type, ...(precision === undefined ? {} : { precision }) }
  return type === 'bigint' || type === 'uint64' || isWide(kind) ? value : Number(value)
}

function parseValue({ name, type, unit, scale }: ManifestColumn, text: string, zone: string): KeyValue | undefined {
  switch (type) {
    case 'string':
    case 'json':
      return text
    case 'bytes':
      return isHexText(text.toLowerCase()) ? text.toLowerCase() : nullOf(text)
    case 'uuid':
      return parseUuid(text) ?? nullOf(text)
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : nullOf(text)
    case 'int32':
    case 'int64':
    case 'bigint':
    case 'uint64':
      return /^-?\d+$/.test(text) ? BigInt(text) : nullOf(text)
    case 'float64':
      return text !== '' && Number.isFinite(Number(text)) ? Number(text) : nullOf(text)
    case 'decimal':
      return parseDecimal(text, scale!) ?? nullOf(text)
    case 'date':
      return parseDay(text) ?? nullOf(text)
    case 'timestamp':
      return parseTimestamp(text, { unit: unit!, zone, option: `Key column ${name}` }) ?? nullOf(text)
  }
}

function nullOf(text: string): null | undefined {
  return text === 'null' ? null : undefined
}

function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null || (match[3]?.length ?? 0) > scale) return undefined
  return BigInt(match[1]! + match[2]! + (match[3] ?? '').padEnd(scale, '0'))
}

function parseDay(text: string): bigint | undefined {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? dayOf(text) : null
  return day === null ? undefined : BigInt(day)
}

const fractionDigits: Readonly<Record<TimeUnit, number>> = { ms: 3, us: 6, ns: 9 }

/**
 * An ISO 8601 moment, of the zone where it names no offset; a day, which begins one; or the number that the column holds.
 *
 * @throws ConfigurationError for a time that the zone's clocks never showed or showed twice.
 */
function parseTimestamp(text: string, context: MomentContext): bigint | undefined {
  if (/^-?\d{5,}$/.test(text)) return BigInt(text)
  const day = parseDay(text)
  if (day !== undefined) return BigInt(dayStarts(context.zone)(Number(day))) * BigInt(stepsAMillisecond[context.unit])
  const match = /^(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(?::\d\d)?(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)?$/.exec(text)
  if (match === null || dayOf(match[1]!) === null) return undefined
  if ((match[2]?.length ?? 0) > fractionDigits[context.unit]) return undefined
  return parseMoment(text, context)
}

const examples: Readonly<Record<TypeKind, string>> = {
  string: 'a text',
  json: 'a JSON text',
  bytes: 'bytes as hexadecimal digits',
  uuid: 'a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  bool: 'true or false',
  int32: 'a whole number',
  int64: 'a whole number',
  bigint: 'a whole number',
  uint64: 'a whole number from 0 on',
  float64: 'a number',
  decimal: 'a decimal such as 12.50, with no more digits than the column has',
  date: 'a day such as 2021-05-22',
  timestamp: 'a moment such as 2021-05-22T06:00:00Z',
}
