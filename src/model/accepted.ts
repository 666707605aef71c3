import type { LogicalType } from './column.ts'
import type { Type, TypeKind } from './type.ts'

/**
 * Which columns of a file a declared type reads. All conversions are exact: a value that doesn't fit is refused where it is
 * read. A bare name takes fewer than a declaration does, as nobody has said what the values are to be.
 */
const accepted: Readonly<Record<TypeKind, readonly LogicalType['kind'][]>> = {
  int32: ['int', 'decimal', 'bool'],
  int64: ['int', 'decimal', 'bool'],
  bigint: ['int', 'decimal', 'bool'],
  uint64: ['int', 'decimal', 'bool'],
  decimal: ['decimal', 'int'],
  float64: ['float', 'int'],
  bool: ['bool', 'int'],
  string: ['string', 'json', 'uuid', 'binary', 'int', 'decimal'],
  bytes: ['binary', 'string', 'json', 'uuid'],
  uuid: ['uuid', 'binary', 'string'],
  timestamp: ['timestamp', 'date'],
  date: ['date'],
  json: ['json', 'string', 'binary', 'nested'],
}

/** What a bare name, which means integers or strings, takes. */
const acceptedBare: readonly LogicalType['kind'][] = ['string', 'json', 'uuid', 'binary']

/** What holds moments where a declaration says how. */
const acceptedAsMoments: readonly LogicalType['kind'][] = ['int', 'string', 'json', 'binary']

export function accepts(type: Type, found: LogicalType): boolean {
  // A column without values, as pandas writes one of which it knows no type.
  if (found.kind === 'null') return true
  if (type.storedAs !== undefined && acceptedAsMoments.includes(found.kind)) return true
  if (!accepted[type.kind].includes(found.kind)) return false
  if (found.kind === 'decimal' && type.kind !== 'decimal') return found.scale === 0 && !isBareText(type)
  if (type.bare !== true) return true
  if (found.kind === 'bool') return false
  return !isBareText(type) || (acceptedBare.includes(found.kind) && !isFixed(found))
}

function isBareText({ bare, kind }: Type): boolean {
  return bare === true && kind === 'string'
}

/** Values of one length without annotation are hardly text. */
export function isFixed(found: LogicalType): boolean {
  return found.kind === 'binary' && found.width !== undefined
}

/** The declaration that reads a column as what it holds, as `decimal(9, 2, 'price')`; undefined where there is none. */
export function declarationOf(found: LogicalType, column: string): string | undefined {
  const name = `'${column.replaceAll("'", "\\'")}'`
  switch (found.kind) {
    case 'int':
      return found.bits === 64 && !found.signed ? `uint64(${name})` : `int64(${name})`
    case 'float':
      return `float64(${name})`
    case 'decimal':
      if (found.precision > 38) return undefined
      return found.scale === 0 && found.precision <= 18
        ? `int64(${name})`
        : `decimal(${found.precision}, ${found.scale}, ${name})`
    case 'binary':
      if (found.width === 16) return `uuid(${name}), or bytes(${name})`
      return `string(${name}) if it is text, else bytes(${name})`
    case 'timestamp':
      return `timestamp('${found.unit}', ${name})`
    case 'nested':
      return `json(${name})`
    case 'bool':
    case 'string':
    case 'json':
    case 'uuid':
    case 'date':
      return `${found.kind}(${name})`
    default:
      return undefined
  }
}
