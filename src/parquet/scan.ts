import type { SchemaTree } from 'hyparquet'
import { readOffsetIndex } from 'hyparquet/src/indexes.js'
import { getMaxDefinitionLevel } from 'hyparquet/src/schema.js'
import type { Column } from '../model/column.ts'
import { InputError } from '../model/errors.ts'
import { chunkStart, type ParquetFile } from './file.ts'
import { decodeFlat, type Physical } from './flat.ts'
import { finishLogical, sliceColumn } from './logical.ts'
import { type LeafChunk, readNested } from './nested.ts'
import { PageError } from './page-error.ts'
import { readPages } from './pages.ts'
import { isNested, isVariant, logicalTypeOf } from './schema.ts'

/** Rows of a row group, from 0, end exclusive. */
export interface RowRange {
  readonly from: number
  readonly to: number
}

/**
 * Reads columns of one row group, each by one range of bytes.
 *
 * @param paths Each a top-level column, or a path into structs. A path that ends on a list, map, struct or variant gives
 *   nested values; all others a flat column, null where a struct above is null.
 * @param rows Reads only the pages these rows lie in, where the file has an offset index. Absent: all rows.
 * @throws InputError naming file, row group and column, with what was expected and found.
 */
export function readColumns(
  file: ParquetFile,
  rowGroup: number,
  paths: readonly (readonly string[])[],
  rows?: RowRange,
): Column[] {
  return paths.map((path) => {
    try {
      return readColumn(file, rowGroup, path, rows)
    } catch (error) {
      if (!(error instanceof PageError)) throw error
      const place = { file: file.path, rowGroup, column: path.join('.') }
      throw new InputError(
        `Cannot read ${file.path}, row group ${rowGroup}, column "${path.join('.')}": ${error.message}.`,
        place,
        { cause: error },
      )
    }
  })
}

function readColumn(file: ParquetFile, rowGroup: number, path: readonly string[], range: RowRange | undefined): Column {
  const nodes = nodesOf(file, path)
  if (isNested(nodes)) {
    const whole = nestedColumn(file, rowGroup, nodes)
    return range === undefined ? whole : sliceColumn(whole, range.from, range.to)
  }
  return flatColumn(file, rowGroup, nodes, range)
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
  const through = nodes.slice(1, -1).find((node) => isRepeated(node) || isVariant(node))
  if (through !== undefined) {
    const found = `"${through.path.join('.')}", a list, map or variant`
    throw new InputError(
      `Cannot read ${file.path}: expected path "${path.join('.')}" to lead through structs, found ${found}.`,
      { file: file.path, column: path.join('.') },
    )
  }
  return nodes
}

/** A list or map, or a value repeated without either. */
function isRepeated(node: SchemaTree): boolean {
  const { converted_type: converted, repetition_type: repetition } = node.element
  return repetition === 'REPEATED' || converted === 'LIST' || converted === 'MAP' || converted === 'MAP_KEY_VALUE'
}

function chunkOf(file: ParquetFile, rowGroup: number, path: readonly string[]) {
  const column = file.metadata.row_groups[rowGroup]?.columns.find(
    ({ meta_data }) =>
      meta_data!.path_in_schema.length === path.length &&
      path.every((name, i) => meta_data!.path_in_schema[i] === name),
  )
  if (column === undefined) throw new PageError('expected the column in this row group, found none')
  return column
}

function flatColumn(
  file: ParquetFile,
  rowGroup: number,
  nodes: readonly SchemaTree[],
  range: RowRange | undefined,
): Column {
  const leaf = nodes.at(-1)!
  const column = chunkOf(file, rowGroup, leaf.path)
  const chunk = column.meta_data!
  const groupRows = file.rowGroups[rowGroup]!.rows
  const pieces = range === undefined ? null : pagesFor(file, column, range, groupRows)
  const rows = pieces?.rows ?? groupRows
  checkPlausible(rows, Number(chunk.total_compressed_size))
  const bytes =
    pieces === null
      ? file.file.read(chunkStart(chunk), Number(chunk.total_compressed_size))
      : readPieces(file, pieces.ranges)
  const maxDefinitionLevel = getMaxDefinitionLevel(nodes as SchemaTree[])
  const pages = readPages(bytes, {
    codec: chunk.codec,
    slots: rows,
    bytesUncompressed,
    maxDefinitionLevel,
    maxRepetitionLevel: 0,
  })
  const decoded = decodeFlat(pages, {
    physical: leaf.element.type as Physical,
    typeLength: leaf.element.type_length ?? 0,
    maxDefinitionLevel,
    rows,
  })
  const finished = finishLogical(decoded, logicalTypeOf(leaf))
  if (range === undefined) return finished
  const first = pieces?.first ?? 0
  return sliceColumn(finished, range.from - first, range.to - first)
}

/** A few bytes may rightly stand for many equal rows, but not for any number. */
const ROWS_A_BYTE_MAX = 1 << 16
const ROWS_ANYHOW = 1 << 20

function checkPlausible(rows: number, bytes: number): void {
  if (rows > ROWS_ANYHOW && rows > bytes * ROWS_A_BYTE_MAX)
    throw new PageError(`expected at most ${bytes * ROWS_A_BYTE_MAX} rows in ${bytes} bytes, found ${rows} claimed`)
}

interface Pieces {
  /** First row of the pages that are read, and how many rows they have. */
  readonly first: number
  readonly rows: number
  readonly ranges: readonly { readonly offset: number; readonly length: number }[]
}

/** The byte ranges of the dictionary and of the pages that hold some rows; null without an offset index. */
function pagesFor(
  file: ParquetFile,
  column: ReturnType<typeof chunkOf>,
  range: RowRange,
  groupRows: number,
): Pieces | null {
  if (column.offset_index_offset === undefined || !column.offset_index_length) return null
  const offset = Number(column.offset_index_offset)
  const index = file.file.read(offset, column.offset_index_length)
  const locations = readOffsetIndex({
    view: new DataView(index.buffer, index.byteOffset, index.byteLength),
    offset: 0,
  }).page_locations
  const starts = locations.map((location) => Number(location.first_row_index))
  const firstPage = starts.findLastIndex((start) => start <= range.from)
  const endPage = starts.findIndex((start) => start >= range.to)
  const pages = locations.slice(Math.max(0, firstPage), endPage < 0 ? undefined : Math.max(endPage, firstPage + 1))
  if (firstPage < 0 || pages.length === 0) return null
  const dictionaryStart = chunkStart(column.meta_data!)
  const dictionaryLength = Number(locations[0]!.offset) - dictionaryStart
  const dataStart = Number(pages[0]!.offset)
  const last = pages.at(-1)!
  const data = { offset: dataStart, length: Number(last.offset) + last.compressed_page_size - dataStart }
  const end = endPage < 0 ? groupRows : starts[Math.max(endPage, firstPage + 1)]!
  const ranges = dictionaryLength > 0 ? [{ offset: dictionaryStart, length: dictionaryLength }, data] : [data]
  return { first: starts[firstPage]!, rows: end - starts[firstPage]!, ranges }
}

function readPieces(file: ParquetFile, ranges: Pieces['ranges']): Uint8Array {
  const pieces = ranges.map(({ offset, length }) => file.file.read(offset, length))
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

function nestedColumn(file: ParquetFile, rowGroup: number, nodes: readonly SchemaTree[]): Column {
  const top = nodes[1]!
  const leaves = leavesOf([file.tree, top]).map((schemaPath): LeafChunk => {
    const { path } = schemaPath.at(-1)!
    const chunk = chunkOf(file, rowGroup, path).meta_data!
    const slots = Number(chunk.num_values)
    checkPlausible(slots, Number(chunk.total_compressed_size))
    const bytes = file.file.read(chunkStart(chunk), Number(chunk.total_compressed_size))
    return { schemaPath, bytes, codec: chunk.codec, slots }
  })
  const steps = nodes.slice(2).map((node) => node.element.name)
  return readNested(top, leaves, file.rowGroups[rowGroup]!.rows, steps)
}

function leavesOf(path: readonly SchemaTree[]): (readonly SchemaTree[])[] {
  const last = path.at(-1)!
  return last.children.length === 0 ? [path] : last.children.flatMap((child) => leavesOf([...path, child]))
}
