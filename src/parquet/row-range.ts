import type { RowGroup } from 'hyparquet'
import { readOffsetIndex } from 'hyparquet/src/indexes.js'
import type { ReadableFile } from '../storage/store.ts'
import { PageError } from './page-error.ts'
import { checkThrift } from './thrift.ts'

/** Rows of a row group, from 0, end exclusive. */
export interface RowRange {
  readonly from: number
  readonly to: number
}

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** The pages in which a range of rows lies. */
export interface PagesOfRange {
  /** First row of the pages that are read, and how many rows they have. */
  readonly first: number
  readonly rows: number
  /** Where the dictionary, if any, and the pages lie. */
  readonly ranges: readonly ByteRange[]
}

interface PageLocation extends ByteRange {
  readonly firstRow: number
}

/**
 * Which bytes hold some rows of a flat column, by its offset index; null where it has none.
 *
 * @param chunk All bytes of the column in this row group.
 */
export function pagesOfRange(
  file: ReadableFile,
  column: RowGroup['columns'][number],
  chunk: ByteRange,
  range: RowRange,
  rows: number,
): PagesOfRange | null {
  if (column.offset_index_offset === undefined || !column.offset_index_length) return null
  const pages = readLocations(file.read(Number(column.offset_index_offset), Number(column.offset_index_length)))
  checkLocations(pages, chunk, rows)
  const begin = pages.findLastIndex(({ firstRow }) => firstRow <= range.from)
  const after = pages.findIndex(({ firstRow }) => firstRow >= range.to)
  const end = after < 0 ? pages.length : after
  const last = pages[end - 1]!
  const first = pages[begin]!
  const data = { offset: first.offset, length: last.offset + last.length - first.offset }
  // What lies before the first page is the dictionary, whether or not the footer mentions one.
  const dictionary = { offset: chunk.offset, length: pages[0]!.offset - chunk.offset }
  const endRow = after < 0 ? rows : pages[after]!.firstRow
  return {
    first: first.firstRow,
    rows: endRow - first.firstRow,
    ranges: dictionary.length > 0 ? [dictionary, data] : [data],
  }
}

function readLocations(bytes: Uint8Array): PageLocation[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    checkThrift(bytes, 0)
    return readOffsetIndex({ view, offset: 0 }).page_locations.map((location) => ({
      offset: Number(location.offset),
      length: Number(location.compressed_page_size),
      firstRow: Number(location.first_row_index),
    }))
  } catch (error) {
    throw new PageError(`expected an offset index, found something else (${(error as Error).message})`)
  }
}

function checkLocations(pages: readonly PageLocation[], chunk: ByteRange, rows: number): void {
  let end = chunk.offset
  let row = -1
  for (const page of pages) {
    const inPlace = page.offset >= end && page.length > 0 && page.offset + page.length <= chunk.offset + chunk.length
    // Two pages may begin at one row: the first is then empty.
    if (!inPlace || !(page.firstRow >= Math.max(row, 0) && page.firstRow <= rows)) {
      throw new PageError(
        `expected an offset index of pages within the column, found one at byte ${page.offset}, of ${page.length} bytes, from row ${page.firstRow}`,
      )
    }
    end = page.offset + page.length
    row = page.firstRow
  }
  if (pages[0]?.firstRow !== 0) throw new PageError(`expected an offset index from row 0, found ${pages[0]?.firstRow}`)
}
