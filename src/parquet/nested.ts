import type { SchemaTree } from 'hyparquet'
import { assembleLists, assembleNested } from 'hyparquet/src/assemble.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js'
import { firstNotUtf8 } from '../columns/utf8.ts'
import type { Column, LogicalType } from '../model/column.ts'
import { joinBytes } from './bytes.ts'
import { decodeFlat, type Physical } from './flat.ts'
import { decodeLevels } from './levels.ts'
import { bytesAt, finishLogical } from './logical.ts'
import { PageError } from './page-error.ts'
import { type DataPage, readPages } from './pages.ts'
import { isVariant, logicalTypeOf } from './schema.ts'
import { valueReader } from './values.ts'

/** One leaf of a nested column: its bytes and what the footer says of it. */
export interface LeafChunk {
  /** From the file's root to the leaf. */
  readonly schemaPath: readonly SchemaTree[]
  readonly bytes: Uint8Array
  readonly codec: string
  /** Values, nulls among them. */
  readonly slots: number
}

/** For what lies in a variant's own binary form; everything else is exact before it is assembled. */
const variantParsers = {
  timestampFromMilliseconds: (value: unknown) => value,
  timestampFromMicroseconds: (value: unknown) => value,
  timestampFromNanoseconds: (value: unknown) => value,
  dateFromDays: (value: unknown) => value,
}

/**
 * A list, map, struct or variant as nested JavaScript values, one a row. Its leaves are as `valueReader` gives them, null
 * where there is none; a list is an array, a struct an object by field, a map an object by key (as text: a key that
 * occurs twice keeps its last value). In a variant, which states the type of each value, decimals are floats.
 *
 * Levels and leaves are decoded and checked here; hyparquet assembles them.
 *
 * @param top The top-level column's node.
 * @param steps Names below it that lead to the wanted value through structs.
 */
export function readNested(
  top: SchemaTree,
  leaves: readonly LeafChunk[],
  rows: number,
  steps: readonly string[],
): Column {
  if (rows === 0) return { kind: 'values', length: 0, nullCount: 0, validity: null, values: [] }
  const data = new Map<string, unknown[]>()
  for (const leaf of leaves) data.set(leaf.schemaPath.at(-1)!.path.join('.'), readLeaf(leaf, rows))
  const assembled = assemble(data, top)
  if (assembled?.length !== rows) throw new PageError(`expected ${rows} nested values, found ${assembled?.length ?? 0}`)
  const values = assembled.map((value) => withNulls(follow(value, steps)))
  const nullCount = values.reduce<number>((sum, value) => sum + (value === null ? 1 : 0), 0)
  const validity = nullCount === 0 ? null : new Uint8Array((rows + 7) >> 3)
  for (let row = 0; row < rows && validity !== null; row++) {
    if (values[row] !== null) validity[row >> 3]! |= 1 << (row & 7)
  }
  return { kind: 'values', length: rows, nullCount, validity, values }
}

/** Levels that contradict each other, between leaves or with the schema, make hyparquet fail in any way. */
function assemble(data: Map<string, unknown[]>, top: SchemaTree): unknown[] | undefined {
  try {
    if (top.children.length > 0) assembleNested(data as never, top, variantParsers as never)
  } catch (error) {
    throw new PageError(`expected nested values that fit the schema, found others (${(error as Error).message})`)
  }
  return data.get(top.path.join('.'))
}

function follow(value: unknown, steps: readonly string[]): unknown {
  let found = value
  for (const step of steps)
    found = found !== null && typeof found === 'object' ? (found as Record<string, unknown>)[step] : null
  return found
}

/** hyparquet leaves undefined where a struct, list or map is null. Changes in place what it made. */
function withNulls(value: unknown): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = withNulls(value[i])
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const fields = value as Record<string, unknown>
    for (const name of Object.keys(fields)) fields[name] = withNulls(fields[name])
  }
  return value
}

/** A leaf's values, as lists in lists for each level of the schema above it. */
function readLeaf(leaf: LeafChunk, rows: number): unknown[] {
  const { schemaPath, bytes, codec, slots } = leaf
  const path = [...schemaPath]
  const maxDefinitionLevel = getMaxDefinitionLevel(path)
  const maxRepetitionLevel = getMaxRepetitionLevel(path)
  const chunk = readPages(bytes, { codec, slots, maxDefinitionLevel, maxRepetitionLevel })
  const definition = joinLevels(chunk.pages, maxDefinitionLevel, ({ definition: levels }) => levels)
  const repetition = joinLevels(chunk.pages, maxRepetitionLevel, ({ repetition: levels }) => levels)
  const begun = repetition === null ? slots : repetition.reduce((sum, level) => sum + (level === 0 ? 1 : 0), 0)
  if (begun !== rows) throw new PageError(`expected ${rows} nested values, found ${begun}`)
  if (repetition !== null && repetition[0] !== 0)
    throw new PageError('expected the first value to begin a row, found one that continues another')
  let at = 0
  const dense = chunk.pages.map((page): DataPage => {
    const levels = definition?.subarray(at, at + page.slots)
    at += page.slots
    return levels === undefined
      ? page
      : { ...page, slots: levels.reduce((sum, level) => sum + (level === maxDefinitionLevel ? 1 : 0), 0) }
  })
  const values = denseValues({ ...chunk, pages: dense }, schemaPath)
  if (definition === null && repetition === null) return values
  try {
    return assembleLists(
      [],
      definition === null ? [] : Array.from(definition),
      repetition === null ? [] : Array.from(repetition),
      values,
      path,
    ) as unknown[]
  } catch (error) {
    throw new PageError(`expected levels that fit the schema, found others (${(error as Error).message})`)
  }
}

/** The levels of all pages; null where there are none. */
function joinLevels(
  pages: readonly DataPage[],
  max: number,
  levelsOf: (page: DataPage) => Uint8Array,
): Uint8Array | null {
  if (max === 0) return null
  return joinBytes(pages.map((page) => decodeLevels(levelsOf(page), max, page.slots)))
}

function denseValues(chunk: Parameters<typeof decodeFlat>[0], schemaPath: readonly SchemaTree[]): unknown[] {
  const leaf = schemaPath.at(-1)!
  const rows = chunk.pages.reduce((sum, page) => sum + page.slots, 0)
  const physical = leaf.element.type as Physical
  const decoded = decodeFlat(chunk, {
    physical,
    typeLength: leaf.element.type_length ?? 0,
    maxDefinitionLevel: 0,
    rows,
  })
  const type = logicalTypeOf(leaf)
  if (type.kind === 'string' || type.kind === 'json') requireUtf8(decoded)
  const read = valueReader(finishLogical(decoded, type), type)
  const convert = schemaPath.some(isVariant) ? inVariant(type) : undefined
  return Array.from({ length: rows }, (_, row) => (convert === undefined ? read(row) : convert(read(row))))
}

function requireUtf8(column: Column): void {
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') return
  const wrong = firstNotUtf8(bytes)
  if (wrong < 0) return
  const found = Buffer.from(bytesAt(bytes, wrong).subarray(0, 20)).toString('hex')
  throw new PageError(`expected UTF-8 text, found the bytes ${found}`)
}

/** A variant's shredded values lose their schema: a decimal becomes what it is in the variant's own form, a float. */
function inVariant(type: LogicalType): ((value: unknown) => unknown) | undefined {
  return type.kind === 'decimal' ? (value) => Number(value) * 10 ** -type.scale : undefined
}
