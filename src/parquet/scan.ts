import type { SchemaTree } from 'hyparquet'
import { getMaxDefinitionLevel } from 'hyparquet/src/schema.js'
import type { Column } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import type { ReadableFile } from '../storage/store.ts'
import { joinBytes } from './bytes.ts'
import { chunkStart, type ParquetFile } from './file.ts'
import { decodeFlat, type Physical } from './flat.ts'
import { finishLogical, sliceColumn } from './logical.ts'
import { NestedReader } from './nested.ts'
import { project, type Shape, shapeAt } from './nested-shape.ts'
import { PageError } from './page-error.ts'
import { readPages } from './pages.ts'
import { newMemory, type ReadMemory } from './read-memory.ts'
import { type ByteRange, type PagesOfRange, pagesOfRange, type RowRange } from './row-range.ts'
import { isList, isMap, isNested, isRepeated, isVariant, logicalTypeOf } from './schema.ts'

/**
 * Reads columns of one row group, each by one range of bytes.
 *
 * @param paths Each a top-level column, or a path into structs. A path that ends on a list, map, struct or variant gives
 *   nested values; all others a flat column, null where a struct above is null.
 * @param rows Reads only the pages these rows lie in, where the file has an offset index. What lies beyond
 *   the row group is left out. Absent: all rows.
 * @param memory Where flat columns are read and decoded to.
 * @throws InputError naming file, row group and column, with what was expected and found.
 */
export function readColumns(
  file: ParquetFile,
  rowGroup: number,
  paths: readonly (readonly string[])[],
  rows?: RowRange,
  memory: ReadMemory = newMemory,
): Column[] {
  return paths.map((path) => atColumn(file, rowGroup, path, () => readColumn(file, rowGroup, path, rows, memory)))
}

/** What is wanted of a nested column. */
export interface NestedQuery {
  /** Leads to it through structs. */
  readonly path: readonly string[]
  /** Where from there: only the leaves that these paths lead to are read. An empty one is all of the column. */
  readonly wanted: readonly (readonly string[])[]
}

/**
 * Reads a nested column of one row group row by row: of each leaf its bytes, and one page at a time decompressed and decoded.
 *
 * @param take Gets each row's value, of which parts that aren't wanted are left out.
 * @throws InputError naming file, row group and column, with what was expected and found.
 */
export function readNested(
  file: ParquetFile,
  rowGroup: number,
  { path, wanted }: NestedQuery,
  take: (value: unknown, row: number) => void,
): void {
  const read = <T>(part: () => T) => atColumn(file, rowGroup, path, part)
  const reader = read(() => nestedReader(file, rowGroup, project(shapeAt(file, path), wanted)))
  const { rows } = file.rowGroups[rowGroup]!
  for (let row = 0; row < rows; row++)
    take(
      read(() => reader.next()),
      row,
    )
  read(() => reader.finish())
}

function atColumn<T>(file: ParquetFile, rowGroup: number, path: readonly string[], read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    const place = { file: file.path, rowGroup, column: path.join('.') }
    throw new InputError(
      `Cannot read ${file.path}, row group ${rowGroup}, column "${path.join('.')}": ${error.message}.`,
      place,
      { cause: error },
    )
  }
}

function readColumn(
  file: ParquetFile,
  rowGroup: number,
  path: readonly string[],
  rows: RowRange | undefined,
  memory: ReadMemory,
): Column {
  const nodes = nodesOf(file, path)
  const range = rows === undefined ? undefined : withinGroup(rows, file.rowGroups[rowGroup]!.rows)
  if (isNested(nodes))
    return nestedColumn(file, rowGroup, path, range ?? { from: 0, to: file.rowGroups[rowGroup]!.rows })
  return flatColumn(file, rowGroup, nodes, range, memory)
}

function withinGroup({ from, to }: RowRange, rows: number): RowRange {
  const first = Math.min(Math.max(0, from), rows)
  return { from: first, to: Math.min(Math.max(first, to), rows) }
}

function nodesOf(file: ParquetFile, path: readonly string[]): SchemaTree[] {
  const nodes = [file.tree]
  for (const name of path) {
    const next = nodes.at(-1)!.children.find((child) => child.element.name === name)
    if (next === undefined) {
      const found = file.schema.map((field) => field.name).join(', ')
      throw new InputError(`Cannot read ${file.path}: expected column "${path.join('.')}", found ${found}.`, {
        file: file.path,
        column: path.join('.'),
      })
    }
    nodes.push(next)
  }
  const through = nodes.slice(1, -1).find((node) => isRepeated(node) || isList(node) || isMap(node) || isVariant(node))
  if (through !== undefined) {
    const found = `"${through.path.join('.')}", a list, map or variant`
    throw new InputError(
      `Cannot read ${file.path}: expected path "${path.join('.')}" to lead through structs, found ${found}.`,
      { file: file.path, column: path.join('.') },
    )
  }
  return nodes
}

function chunkOf(file: ParquetFile, rowGroup: number, { path, element }: SchemaTree) {
  const column = file.metadata.row_groups[rowGroup]?.columns.find(
    ({ meta_data }) =>
      meta_data!.path_in_schema.length === path.length &&
      path.every((name, i) => meta_data!.path_in_schema[i] === name),
  )
  if (column === undefined) throw new PageError('expected the column in this row group, found none')
  const { type } = column.meta_data!
  if (type !== element.type) throw new PageError(`expected a column of type ${element.type}, found ${type}`)
  if (type === 'FIXED_LEN_BYTE_ARRAY' && !(Number.isInteger(element.type_length) && element.type_length! > 0)) {
    throw new PageError(`expected a type with a length, found ${element.type_length}`)
  }
  return column
}

function flatColumn(
  file: ParquetFile,
  rowGroup: number,
  nodes: readonly SchemaTree[],
  range: RowRange | undefined,
  memory: ReadMemory,
): Column {
  const leaf = nodes.at(-1)!
  const column = chunkOf(file, rowGroup, leaf)
  const { codec } = column.meta_data!
  const chunk = chunkRange(column.meta_data!)
  const whole = { first: 0, rows: file.rowGroups[rowGroup]!.rows, ranges: [chunk] }
  const { first, rows, ranges } = range === undefined ? whole : pagesFor(file, column, chunk, range, whole)
  checkPlausible(rows, chunk.length)
  const bytes = rows === 0 ? new Uint8Array(0) : readRanges(file, ranges, memory)
  const maxDefinitionLevel = getMaxDefinitionLevel(nodes as SchemaTree[])
  const pages = readPages(bytes, { codec, slots: rows, maxDefinitionLevel, maxRepetitionLevel: 0 })
  const physical = leaf.element.type as Physical
  const typeLength = leaf.element.type_length ?? 0
  const decoded = decodeFlat(pages, { physical, typeLength, maxDefinitionLevel, rows }, memory)
  const finished = finishLogical(decoded, logicalTypeOf(leaf))
  return range === undefined ? finished : sliceColumn(finished, range.from - first, range.to - first)
}

function pagesFor(
  file: ParquetFile,
  column: ReturnType<typeof chunkOf>,
  chunk: ByteRange,
  range: RowRange,
  whole: PagesOfRange,
): PagesOfRange {
  if (range.from === range.to) return { first: range.from, rows: 0, ranges: [] }
  if (range.from === 0 && range.to === whole.rows) return whole
  return pagesOfRange(file.file, column, chunk, range, whole.rows) ?? whole
}

function chunkRange(chunk: Parameters<typeof chunkStart>[0]): ByteRange {
  return { offset: chunkStart(chunk), length: Number(chunk.total_compressed_size) }
}

/** A few bytes may validly encode many equal rows, but not any number of them. */
const ROWS_A_BYTE_MAX = 2 ** 18
const ROWS_ANYHOW = 2 ** 24

function checkPlausible(rows: number, bytes: number): void {
  if (!(Number.isInteger(rows) && rows >= 0)) throw new PageError(`expected a number of values, found ${rows}`)
  const most = Math.max(ROWS_ANYHOW, bytes * ROWS_A_BYTE_MAX)
  if (rows > most) throw new PageError(`expected at most ${most} values in ${bytes} bytes, found ${rows} claimed`)
}

function readRanges(file: ParquetFile, ranges: readonly ByteRange[], memory: ReadMemory): Uint8Array {
  return joinBytes(
    ranges.map((range) => readRange(file.file, range, memory)),
    memory,
  )
}

function readRange(file: ReadableFile, { offset, length }: ByteRange, memory: ReadMemory): Uint8Array {
  // What a damaged footer claims is refused before memory is allocated for it.
  if (offset < 0 || length < 0 || offset + length > file.byteLength) return file.read(offset, length)
  const bytes = memory.bytes(length)
  file.readInto(offset, bytes)
  return bytes
}

function nestedColumn(file: ParquetFile, rowGroup: number, path: readonly string[], range: RowRange): Column {
  const reader = nestedReader(file, rowGroup, shapeAt(file, path))
  const values: unknown[] = []
  const { rows } = file.rowGroups[rowGroup]!
  for (let row = 0; row < rows; row++) {
    const value = reader.next()
    if (row >= range.from && row < range.to) values.push(value)
  }
  reader.finish()
  return valuesColumn(values)
}

function valuesColumn(values: readonly unknown[]): Column {
  const length = values.length
  const nullCount = values.reduce<number>((sum, value) => sum + (value === null ? 1 : 0), 0)
  const validity = nullCount === 0 ? null : new Uint8Array((length + 7) >> 3)
  for (let row = 0; row < length && validity !== null; row++) {
    if (values[row] !== null) validity[row >> 3]! |= 1 << (row & 7)
  }
  return { kind: 'values', length, nullCount, validity, values }
}

/** A reader of nested values, one a row, that reads the bytes of the shape's leaves and of no other. */
function nestedReader(file: ParquetFile, rowGroup: number, shape: Shape): NestedReader {
  const { rows } = file.rowGroups[rowGroup]!
  return new NestedReader(shape, ({ schemaPath }) => {
    const chunk = chunkOf(file, rowGroup, schemaPath.at(-1)!).meta_data!
    const slots = Number(chunk.num_values)
    checkPlausible(slots, Number(chunk.total_compressed_size))
    const bytes = rows === 0 ? new Uint8Array(0) : readRanges(file, [chunkRange(chunk)], newMemory)
    return { bytes, codec: chunk.codec, slots }
  })
}
