/** Keys as they are written on the command line. */
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import type { TimeUnit, TypeKind } from '../model/type.ts'
import { stepsAMillisecond } from '../time/duration.ts'
import { dayOf, type MomentContext, parseMoment } from '../time/moments.ts'
import { dayStarts } from '../time/zone.ts'

/** A value as it stands in a view's files: whole numbers, days and moments are bigints. */
export type KeyValue = string | number | bigint | boolean | null

/** Whose keys they are. */
export interface KeyedView extends Pick<Manifest, 'view' | 'key'> {
  /** The key column of the view's windows, and the zone that a moment in it is meant in; null without windows. */
  readonly window: { readonly column: string; readonly zone: string } | null
}

/**
 * The values of a view's key columns, or of the first of them. Moments without an offset are UTC; in the column of the view's
 * windows they are of the windows' zone.
 *
 * @throws ConfigurationError
 */
export function parseKey({ view, key: columns, window }: KeyedView, texts: readonly string[]): readonly KeyValue[] {
  if (texts.length > columns.length) {
    const names = columns.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `View ${view} has the key ${names}: expected at most ${columns.length} values, found ${texts.length}.`,
    )
  }
  return texts.map((text, index) => {
    const column = columns[index]!
    const value = parseValue(column, text, column.name === window?.column ? window.zone : 'UTC')
    if (value !== undefined) return value
    throw new ConfigurationError(`Key column ${column.name}: expected ${examples[column.type]}, found ${text}.`)
  })
}

function parseValue({ name, type, unit, scale }: ManifestColumn, text: string, zone: string): KeyValue | undefined {
  switch (type) {
    case 'string':
    case 'json':
      return text
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : nullOf(text)
    case 'int32':
    case 'int64':
    case 'bigint':
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
  bool: 'true or false',
  int32: 'a whole number',
  int64: 'a whole number',
  bigint: 'a whole number',
  float64: 'a number',
  decimal: 'a decimal such as 12.50, with no more digits than the column has',
  date: 'a day such as 2021-05-22',
  timestamp: 'a moment such as 2021-05-22T06:00:00Z',
}
