import type { SchemaElement, SchemaTree } from 'hyparquet'
import type { LogicalType } from '../model/column.ts'
import type { TimeUnit } from '../model/type.ts'

/** A field of a file's schema; structs, lists and maps have children. */
export interface SchemaField {
  readonly name: string
  /** Names from the top-level column down. */
  readonly path: readonly string[]
  readonly type: LogicalType
  readonly nullable: boolean
  readonly children: readonly SchemaField[]
  /** Whether its children are fields of one value each: not those of a list, map or variant. */
  readonly isStruct: boolean
}

function isStruct(node: SchemaTree): boolean {
  const isOther = isRepeated(node) || isList(node) || isMap(node) || isVariant(node)
  return node.children.length > 0 && !isOther
}

export function schemaFields(tree: SchemaTree): SchemaField[] {
  return tree.children.map((node) => ({
    name: node.element.name,
    path: node.path,
    type:
      node.children.length > 0 || node.element.repetition_type === 'REPEATED'
        ? { kind: 'nested' }
        : logicalTypeOf(node),
    nullable: node.element.repetition_type !== 'REQUIRED',
    children: schemaFields(node),
    isStruct: isStruct(node),
  }))
}

/** The field at a path of names, which is there. */
export function fieldAt(schema: readonly SchemaField[], path: readonly string[]): SchemaField {
  let fields = schema
  let field: SchemaField | undefined
  for (const name of path) {
    field = fields.find((candidate) => candidate.name === name)
    fields = field?.children ?? []
  }
  return field!
}

/** Whether values of a node are nested: it, or what it lies in, is repeated, or it has children. */
export function isNested(path: readonly SchemaTree[]): boolean {
  const last = path.at(-1)!
  return (
    last.children.length > 0 || path.some((node) => node.element.repetition_type === 'REPEATED') || path.some(isVariant)
  )
}

/** Whether a node is annotated as a list, and is one. */
export function isList({ element, children }: SchemaTree): boolean {
  const annotated = element.converted_type === 'LIST' || element.logical_type?.type === 'LIST'
  return annotated && children.length === 1 && isRepeated(children[0]!)
}

/** `MAP_KEY_VALUE` is what Hive and others annotate the map itself with. The fields of its entries may have any name. */
export function isMap({ element, children }: SchemaTree): boolean {
  const { converted_type: converted, logical_type: logical } = element
  if (converted !== 'MAP' && converted !== 'MAP_KEY_VALUE' && logical?.type !== 'MAP') return false
  const entry = children[0]
  if (children.length !== 1 || !isRepeated(entry!)) return false
  const count = entry!.children.length
  return (count === 1 || count === 2) && !entry!.children.some(isRepeated)
}

export function isRepeated({ element }: SchemaTree): boolean {
  return element.repetition_type === 'REPEATED'
}

export function isVariant(node: SchemaTree): boolean {
  return node.element.logical_type?.type === 'VARIANT'
}

const localInt96 = new WeakSet<SchemaElement>()

/**
 * INT96 says nothing of a zone. Spark and Hive write moments in UTC, Impala what its clocks show.
 *
 * @param elements Of a file that Impala wrote.
 */
export function noteLocalInt96(elements: readonly SchemaElement[]): void {
  for (const element of elements) if (element.type === 'INT96') localInt96.add(element)
}

/** What a leaf's values mean, without regard to what repeats them. */
export function logicalTypeOf({ element }: SchemaTree): LogicalType {
  return annotated(element) ?? physicalType(element)
}

const timeUnits: Readonly<Record<string, TimeUnit>> = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' }

/** What the annotation says; undefined where there is none, or none that is known. */
function annotated(element: SchemaElement): LogicalType | undefined {
  const { logical_type: logical, converted_type: converted } = element
  switch (logical?.type) {
    case 'STRING':
    case 'ENUM':
      return { kind: 'string' }
    case 'JSON':
      return { kind: 'json' }
    case 'UUID':
      return { kind: 'uuid' }
    case 'DATE':
      return { kind: 'date' }
    case 'NULL':
      return { kind: 'null' }
    case 'FLOAT16':
      return { kind: 'float', bits: 16 }
    case 'DECIMAL':
      return { kind: 'decimal', precision: logical.precision, scale: logical.scale }
    case 'TIMESTAMP':
      return { kind: 'timestamp', unit: timeUnits[logical.unit]!, utc: logical.isAdjustedToUTC }
    case 'TIME':
      return { kind: 'time', unit: timeUnits[logical.unit]! }
    case 'INTEGER':
      return { kind: 'int', bits: logical.bitWidth as 8, signed: logical.isSigned }
  }
  const integer = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? '')
  if (integer !== null) return { kind: 'int', bits: Number(integer[2]) as 8, signed: integer[1] === '' }
  switch (converted) {
    case 'UTF8':
    case 'ENUM':
      return { kind: 'string' }
    case 'JSON':
      return { kind: 'json' }
    case 'DATE':
      return { kind: 'date' }
    case 'DECIMAL':
      return { kind: 'decimal', precision: element.precision ?? 38, scale: element.scale ?? 0 }
    case 'TIMESTAMP_MILLIS':
      return { kind: 'timestamp', unit: 'ms', utc: true }
    case 'TIMESTAMP_MICROS':
      return { kind: 'timestamp', unit: 'us', utc: true }
    case 'TIME_MILLIS':
      return { kind: 'time', unit: 'ms' }
    case 'TIME_MICROS':
      return { kind: 'time', unit: 'us' }
    case 'INTERVAL':
      return { kind: 'interval' }
  }
  return undefined
}

function physicalType(element: SchemaElement): LogicalType {
  switch (element.type) {
    case 'BOOLEAN':
      return { kind: 'bool' }
    case 'INT32':
      return { kind: 'int', bits: 32, signed: true }
    case 'INT64':
      return { kind: 'int', bits: 64, signed: true }
    case 'INT96':
      return { kind: 'timestamp', unit: 'ns', utc: !localInt96.has(element) }
    case 'FLOAT':
      return { kind: 'float', bits: 32 }
    case 'DOUBLE':
      return { kind: 'float', bits: 64 }
    case 'FIXED_LEN_BYTE_ARRAY':
      return { kind: 'binary', width: element.type_length ?? 0 }
    default:
      return { kind: 'binary' }
  }
}
