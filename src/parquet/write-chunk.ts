import type { ColumnChunk, ColumnIndex, ColumnMetaData, OffsetIndex, Statistics } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { writeIndexes } from 'hyparquet-writer/src/indexes.js'
import { unconvertMinMax } from 'hyparquet-writer/src/unconvert.js'
import type { Column, DictionaryColumn, ValuesColumn } from '../model/column.ts'
import type { OutputCodec } from './write-codec.ts'
import type { ColumnLayout } from './write-schema.ts'
import { type Bound, type Bounds, boundsOf, compareBounds, uniteBounds } from './write-statistics.ts'
import { codeBits, definitionLevels, dictionaryPage, plainPage, selectValues } from './write-values.ts'

export interface Settings {
  readonly pageRows: number
  readonly codec: OutputCodec
  readonly compress: ((bytes: Uint8Array) => Uint8Array) | null
  readonly dictionary: boolean
}

export type WritableColumn = Exclude<Column, ValuesColumn>

/** A page's body is cut at about this size, so that one long-valued row can be read without megabytes around it. */
const pageBytesTarget = 1 << 20

/** Longer strings are in statistics and indexes as a prefix, rounded up for the largest. */
export const boundBytesMax = 64

/** Codes longer than this are written as plain values; a dictionary so large saves nothing. */
const codeBitsMax = 24

export type PageIndexes = Parameters<typeof writeIndexes>[1][number]

export interface EncodedChunk {
  readonly parts: readonly Uint8Array[]
  readonly indexes: PageIndexes
  /** Where in the file the next chunk begins. */
  readonly end: number
}

/** One column of one row group, beginning at byte `start` of the file. */
export function encodeChunk(
  layout: ColumnLayout,
  given: WritableColumn,
  from: number,
  to: number,
  start: number,
  settings: Settings,
): EncodedChunk {
  const column = layout.encode === undefined ? given : (layout.encode(given, from, to) as WritableColumn)
  const fixed = layout.element.type === 'FIXED_LEN_BYTE_ARRAY'
  const dictionary = dictionaryOf(column, to - from, settings)
  const pages = new PageWriter(start, settings)
  if (dictionary !== null) pages.writeDictionary(dictionary, fixed)
  const dataStart = pages.offset
  const summaries: PageSummary[] = []
  const step = rowsPerPage(column, from, to, settings.pageRows)
  for (let row = from; row < to; row += step) {
    const end = Math.min(to, row + step)
    const values = selectValues(column, row, end)
    const levels = layout.nullable ? definitionLevels(column, row, end, values.count) : new Uint8Array(0)
    const body =
      dictionary === null
        ? plainPage(levels, values, fixed)
        : dictionaryPage(levels, values.positions!, codeBits(dictionary.length))
    const location = pages.writeData(body, end - row, dictionary === null ? 'PLAIN' : 'RLE_DICTIONARY')
    summaries.push({
      location: { ...location, first_row_index: BigInt(row - from) },
      nulls: end - row - values.count,
      empty: values.count === 0,
      bounds: layout.bounded ? boundsOf(values) : null,
    })
  }
  const chunk: ColumnChunk = {
    file_offset: BigInt(start),
    meta_data: {
      type: layout.element.type!,
      encodings: dictionary === null ? ['PLAIN', 'RLE'] : ['PLAIN', 'RLE', 'RLE_DICTIONARY'],
      path_in_schema: [layout.name],
      codec: settings.codec,
      num_values: BigInt(to - from),
      total_uncompressed_size: BigInt(pages.bytesUncompressed),
      total_compressed_size: BigInt(pages.offset - start),
      data_page_offset: BigInt(dataStart),
      ...(dictionary === null ? {} : { dictionary_page_offset: BigInt(start) }),
      statistics: statisticsOf(summaries),
      encoding_stats: encodingStatistics(summaries.length, dictionary !== null),
    },
  }
  return { parts: pages.parts, indexes: { chunk, ...indexesOf(layout, summaries) }, end: pages.offset }
}

/** The dictionary that the column's pages are written with, or `null` where its values are written as they are. */
function dictionaryOf(column: WritableColumn, rows: number, settings: Settings): DictionaryColumn['dictionary'] | null {
  if (!settings.dictionary || column.kind !== 'dictionary') return null
  const { dictionary } = column
  const pays = dictionary.length > 0 && dictionary.length <= rows && codeBits(dictionary.length) <= codeBitsMax
  return pays ? dictionary : null
}

/** A multiple of eight where it can be, so that the validity bitmap of a page is copied without shifting. */
function rowsPerPage(column: WritableColumn, from: number, to: number, pageRows: number): number {
  if (column.kind !== 'bytes') return pageRows
  const average = (column.offsets[to]! - column.offsets[from]!) / (to - from)
  if (average * pageRows <= pageBytesTarget) return pageRows
  return Math.min(pageRows, Math.max(8, Math.floor(pageBytesTarget / average / 8) * 8))
}

/** Puts headers before page bodies and tracks offsets and sizes. */
class PageWriter {
  readonly parts: Uint8Array[] = []
  readonly #settings: Settings
  offset: number
  bytesUncompressed = 0

  constructor(offset: number, settings: Settings) {
    this.offset = offset
    this.#settings = settings
  }

  writeDictionary(dictionary: DictionaryColumn['dictionary'], fixed: boolean): void {
    const body = plainPage(new Uint8Array(0), selectValues(dictionary, 0, dictionary.length), fixed)
    this.#write(body, {
      type: 'DICTIONARY_PAGE',
      dictionary_page_header: { num_values: dictionary.length, encoding: 'PLAIN' },
    })
  }

  writeData(body: Uint8Array, rows: number, encoding: 'PLAIN' | 'RLE_DICTIONARY'): Location {
    const offset = this.offset
    this.#write(body, {
      type: 'DATA_PAGE',
      data_page_header: {
        num_values: rows,
        encoding,
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    })
    return { offset: BigInt(offset), compressed_page_size: this.offset - offset }
  }

  #write(body: Uint8Array, header: Omit<PageHeader, 'uncompressed_page_size' | 'compressed_page_size'>): void {
    const { compress } = this.#settings
    const stored = compress === null ? body : compress(body)
    const writer = new ByteWriter(64)
    writePageHeader(writer, {
      ...header,
      uncompressed_page_size: body.length,
      compressed_page_size: stored.length,
    })
    const headerBytes = writer.getBytes()
    this.parts.push(headerBytes, stored)
    this.offset += headerBytes.length + stored.length
    this.bytesUncompressed += headerBytes.length + body.length
  }
}

type PageHeader = Parameters<typeof writePageHeader>[1]
type EncodingStatistics = NonNullable<ColumnMetaData['encoding_stats']>
type Location = Pick<OffsetIndex['page_locations'][number], 'offset' | 'compressed_page_size'>

interface PageSummary {
  readonly location: OffsetIndex['page_locations'][number]
  readonly nulls: number
  /** No row has a value. */
  readonly empty: boolean
  readonly bounds: Bounds | null
}

function statisticsOf(pages: readonly PageSummary[]): Statistics {
  const null_count = BigInt(pages.reduce((total, page) => total + page.nulls, 0))
  let bounds: Bounds | null = null
  for (const page of pages) {
    if (page.empty) continue
    if (page.bounds === null) return { null_count }
    bounds = bounds === null ? page.bounds : uniteBounds(bounds, page.bounds)
  }
  if (bounds === null) return { null_count }
  return {
    null_count,
    min_value: bounds.min,
    max_value: bounds.max,
    // hyparquet-writer marks the bounds that it cuts as inexact.
    ...(isWhole(bounds.min) ? { is_min_value_exact: true } : {}),
    ...(isWhole(bounds.max) ? { is_max_value_exact: true } : {}),
  }
}

function isWhole(bound: Bound): boolean {
  return !(bound instanceof Uint8Array) || bound.length <= boundBytesMax
}

function encodingStatistics(pages: number, hasDictionary: boolean): EncodingStatistics {
  if (!hasDictionary) return [{ page_type: 'DATA_PAGE', encoding: 'PLAIN', count: pages }]
  return [
    { page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 },
    { page_type: 'DATA_PAGE', encoding: 'RLE_DICTIONARY', count: pages },
  ]
}

/** A column index needs bounds for every page that has a value; without them only the offsets are written. */
function indexesOf(layout: ColumnLayout, pages: readonly PageSummary[]): Omit<PageIndexes, 'chunk'> {
  const offsetIndex: OffsetIndex = { page_locations: pages.map((page) => page.location) }
  if (pages.some((page) => !page.empty && page.bounds === null)) return { offsetIndex }
  const bytesOf = ({ bounds }: PageSummary, side: 'min' | 'max'): Uint8Array =>
    unconvertMinMax(bounds?.[side], layout.element, side === 'max', boundBytesMax) ?? new Uint8Array(0)
  const columnIndex: ColumnIndex = {
    null_pages: pages.map((page) => page.empty),
    min_values: pages.map((page) => bytesOf(page, 'min')),
    max_values: pages.map((page) => bytesOf(page, 'max')),
    boundary_order: isAscending(pages) ? 'ASCENDING' : 'UNORDERED',
    null_counts: pages.map((page) => BigInt(page.nulls)),
  }
  return { offsetIndex, columnIndex }
}

function isAscending(pages: readonly PageSummary[]): boolean {
  const bounds = pages.flatMap((page) => page.bounds ?? [])
  return bounds.every((current, index) => {
    const before = bounds[index - 1]
    if (before === undefined) return true
    return compareBounds(before.min, current.min) <= 0 && compareBounds(before.max, current.max) <= 0
  })
}
