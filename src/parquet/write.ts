import type { RowGroup } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeIndexes } from 'hyparquet-writer/src/indexes.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { type Column, isPresent } from '../model/column.ts'
import { ConfigurationError, OutputError } from '../model/errors.ts'
import { boundBytesMax, encodeChunk, type PageIndexes, type Settings, type WritableColumn } from './write-chunk.ts'
import { compressorOf, type OutputCodec } from './write-codec.ts'
import { type ColumnLayout, layOut, type OutputColumn, schemaOf } from './write-schema.ts'

export type { OutputCodec } from './write-codec.ts'
export type { OutputColumn } from './write-schema.ts'

/**
 * Parquet files straight from typed arrays. Levels, values and statistics are written here; the Thrift structures
 * (page headers, page indexes, footer) by hyparquet-writer.
 *
 *     PAR1 · row groups · column indexes · offset indexes · footer · u32 footer length · PAR1
 *     row group: one chunk a column;  chunk: [dictionary page] data pages;  page: header, body
 *
 * The plainest layout that carries page indexes was chosen, because every reader knows it: version 1 pages, PLAIN values,
 * no compression. A byte of such a file depends on the rows and the options alone.
 */

export interface WriteOptions {
  /** Rows in a row group; the last has what is left. Default 65,536. */
  readonly rowGroupRows?: number
  /** Rows in a page at most; fewer where values are long. Default 8,192. */
  readonly pageRows?: number
  /** Default UNCOMPRESSED. */
  readonly codec?: OutputCodec
  readonly keyValueMetadata?: Readonly<Record<string, string>>
  /** How many leading columns the rows are sorted by, ascending, nulls first. Default 0. */
  readonly sorting?: number
  /** Whether a dictionary column is written as codes and a dictionary. Default false: as plain values. */
  readonly dictionary?: boolean
}

const magic = Uint8Array.of(0x50, 0x41, 0x52, 0x31)

export const rowGroupRowsDefault = 65_536
const pageRowsDefault = 8_192

/**
 * A whole file of `columns` with the rows of `data`, as chunks in the order of the file.
 *
 * @throws ConfigurationError for columns or options that no file can have, OutputError where `data` doesn't fit `columns`.
 */
export function encodeParquet(
  columns: readonly OutputColumn[],
  data: readonly Column[],
  options: WriteOptions = {},
): Uint8Array[] {
  const { rowGroupRows = rowGroupRowsDefault } = options
  requirePositive('rowGroupRows', rowGroupRows)
  const encoder = new ParquetEncoder(columns, options)
  const rows = data[0]?.length ?? 0
  const chunks: Uint8Array[] = []
  let from = 0
  do {
    const to = Math.min(rows, from + rowGroupRows)
    for (const chunk of encoder.writeRowGroup(data, from, to)) chunks.push(chunk)
    from = to
  } while (from < rows)
  chunks.push(...encoder.finish())
  return chunks
}

/** Writes a file row group by row group. What it returns are the next bytes of the file; they don't alias `data`. */
export class ParquetEncoder {
  readonly #layouts: readonly ColumnLayout[]
  readonly #options: WriteOptions
  readonly #settings: Settings
  readonly #rowGroups: RowGroup[] = []
  readonly #pageIndexes: PageIndexes[] = []
  #rows = 0
  #offset = 0
  #finished = false

  constructor(columns: readonly OutputColumn[], options: WriteOptions = {}) {
    const { pageRows = pageRowsDefault, codec = 'UNCOMPRESSED', dictionary = false, sorting = 0 } = options
    requirePositive('pageRows', pageRows)
    requireColumns(columns, sorting)
    this.#layouts = columns.map(layOut)
    this.#options = options
    this.#settings = { pageRows, codec, compress: compressorOf(codec), dictionary }
  }

  /** Rows `from` to `to` of `data` as one row group; nothing where there are none. */
  writeRowGroup(data: readonly Column[], from = 0, to: number = data[0]?.length ?? 0): Uint8Array[] {
    this.#requireUnfinished()
    requireFit(this.#layouts, data, to)
    if (to <= from) return []
    const chunks = this.#start()
    const start = this.#offset
    const written = this.#layouts.map((layout, index) => {
      const chunk = encodeChunk(layout, data[index] as WritableColumn, from, to, this.#offset, this.#settings)
      for (const part of chunk.parts) chunks.push(part)
      this.#offset = chunk.end
      this.#pageIndexes.push(chunk.indexes)
      return chunk.indexes.chunk
    })
    this.#rows += to - from
    this.#rowGroups.push({
      columns: written,
      total_byte_size: written.reduce((total, { meta_data }) => total + meta_data!.total_uncompressed_size, 0n),
      num_rows: BigInt(to - from),
      ...sortingColumns(this.#options.sorting ?? 0),
      file_offset: BigInt(start),
      total_compressed_size: BigInt(this.#offset - start),
    })
    return chunks
  }

  /** The end of the file: indexes and footer. */
  finish(): Uint8Array[] {
    this.#requireUnfinished()
    this.#finished = true
    const chunks = this.#start()
    const writer = new ByteWriter()
    writer.offset = this.#offset
    writeIndexes(writer, this.#pageIndexes)
    const pairs = Object.entries(this.#options.keyValueMetadata ?? {}).map(([key, value]) => ({ key, value }))
    const metadata = {
      // Version 2 adds nothing, and parquetjs-lite refuses it.
      version: 1,
      schema: schemaOf(this.#layouts),
      num_rows: BigInt(this.#rows),
      row_groups: this.#rowGroups,
      created_by: 'refold',
      // Not a part of the file: readers derive it.
      metadata_length: 0,
      ...(pairs.length === 0 ? {} : { key_value_metadata: pairs }),
    }
    writeMetadata(writer, metadata, boundBytesMax)
    writer.appendBytes(magic)
    chunks.push(writer.getBytes())
    return chunks
  }

  #start(): Uint8Array[] {
    if (this.#offset > 0) return []
    this.#offset = magic.length
    return [magic.slice()]
  }

  #requireUnfinished(): void {
    if (this.#finished) throw new OutputError('Cannot write rows: the file was finished already.')
  }
}

function sortingColumns(count: number): Partial<RowGroup> {
  if (count === 0) return {}
  const columns = Array.from({ length: count }, (_, column_idx) => ({
    column_idx,
    descending: false,
    nulls_first: true,
  }))
  return { sorting_columns: columns }
}

function requirePositive(option: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return
  throw new ConfigurationError(`Cannot write Parquet: expected ${option} to be a positive integer, found ${value}.`)
}

function requireColumns(columns: readonly OutputColumn[], sorting: number): void {
  if (columns.length === 0)
    throw new ConfigurationError('Cannot write Parquet: expected at least one column, found none.')
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name)) {
      throw new ConfigurationError(`Cannot write Parquet: expected different column names, found "${name}" twice.`, {
        column: name,
      })
    }
    names.add(name)
  }
  if (!Number.isInteger(sorting) || sorting < 0 || sorting > columns.length) {
    throw new ConfigurationError(
      `Cannot write Parquet: expected sorting to be a number of columns, 0 to ${columns.length}, found ${sorting}.`,
    )
  }
}

function requireFit(layouts: readonly ColumnLayout[], data: readonly Column[], rows: number): void {
  if (data.length !== layouts.length) {
    throw new OutputError(`Cannot write Parquet: expected ${layouts.length} columns of rows, found ${data.length}.`)
  }
  for (const [index, { name, stored, nullable }] of layouts.entries()) {
    const column = data[index]!
    const kind = column.kind === 'dictionary' ? column.dictionary.kind : column.kind
    if (kind !== stored) {
      throw new OutputError(`Cannot write column "${name}": expected ${stored} values, found ${kind}.`, {
        column: name,
      })
    }
    if (column.length < rows || column.length !== data[0]!.length) {
      throw new OutputError(`Cannot write column "${name}": expected ${rows} rows, found ${column.length}.`, {
        column: name,
      })
    }
    if (!nullable && column.nullCount > 0) {
      const row = firstNull(column)
      throw new OutputError(
        `Cannot write column "${name}": expected a value in every row, found a null in row ${row}.`,
        {
          column: name,
          row,
        },
      )
    }
  }
}

function firstNull(column: Column): number {
  let row = 0
  while (row < column.length && isPresent(column, row)) row++
  return row
}
