/** Keys as they are written on the command line. */
import { ConfigurationError } from '../model/errors.ts'
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import type { TypeKind } from '../model/type.ts'

/** A value as it stands in a view's files: whole numbers, days and moments are bigints. */
export type KeyValue = string | number | bigint | boolean | null

/** The values of a view's key columns, or of the first of them. */
export function parseKey(
  { view, key: columns }: Pick<Manifest, 'view' | 'key'>,
  texts: readonly string[],
): readonly KeyValue[] {
  if (texts.length > columns.length) {
    const names = columns.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `View ${view} has the key ${names}: expected at most ${columns.length} values, found ${texts.length}.`,
    )
  }
  return texts.map((text, index) => {
    const column = columns[index]!
    const value = parseValue(column, text)
    if (value !== undefined) return value
    throw new ConfigurationError(`Key column ${column.name}: expected ${examples[column.type]}, found ${text}.`)
  })
}

function parseValue({ type, unit, scale }: ManifestColumn, text: string): KeyValue | undefined {
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
      return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
        ? BigInt(Date.parse(text) / 86_400_000)
        : nullOf(text)
    case 'timestamp':
      return parseTimestamp(text, { ms: 3, us: 6, ns: 9 }[unit!]) ?? nullOf(text)
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

/** An ISO 8601 moment, UTC where it names no zone, or the number that the column holds. */
function parseTimestamp(text: string, digits: number): bigint | undefined {
  if (/^-?\d{5,}$/.test(text)) return BigInt(text)
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (match === null || (match[3]?.length ?? 0) > digits) return undefined
  const milliseconds = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[4] ?? 'Z'}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds / 1000) * 10n ** BigInt(digits) + BigInt((match[3] ?? '').padEnd(digits, '0'))
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
