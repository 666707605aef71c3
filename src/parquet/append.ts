import { createHash } from 'node:crypto'
import type { FileMetaData } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import parquetjs, { type ParquetSchema, type ParquetWriter, type WriterOptions } from 'parquetjs-lite'
import { ConfigurationError, OutputError } from '../model/errors.ts'
import type { Disk, WritableFile } from '../storage/store.ts'
import { type AppendedKind, appendedKindOf, encodeValue } from './append-values.ts'
import { type ColumnLayout, layOut, type OutputColumn, schemaOf } from './write-schema.ts'

/**
 * Parquet files from rows that arrive one at a time, by parquetjs-lite: it splits rows into columns, buffers them and
 * encodes and compresses their pages. The file is as plain as possible (version 1 pages, PLAIN, no statistics, no page
 * indexes), because parquetjs-lite's other formats are not read correctly everywhere.
 *
 * The footer is written here, since parquetjs-lite's can't name a decimal's scale, nanoseconds, or UTC.
 */

export interface AppendOptions {
  /** Rows that are held in memory and written together. Default 16,384. */
  readonly rowGroupRows?: number
  /** Default UNCOMPRESSED. */
  readonly codec?: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP'
}

export interface AppendedFile {
  readonly rows: number
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

export interface Appender {
  /**
   * Adds a row: a value for each column, as handlers see them; a nullable column may be left out. It needn't be awaited
   * before the next call. An OutputError where a value doesn't fit its column; the file is then as before the call.
   */
  append(row: Readonly<Record<string, unknown>>): Promise<void>
  /** Ends the file and flushes it to the disk. Without it there is no readable file. */
  close(): Promise<AppendedFile>
}

const rowGroupRowsDefault = 16_384

/**
 * Creates `path`, whose folder must exist, for rows of `columns`.
 *
 * @throws OutputError where the file exists already or can't be created.
 */
export async function openAppender(
  path: string,
  columns: readonly OutputColumn[],
  files: Disk,
  options: AppendOptions = {},
): Promise<Appender> {
  if (columns.length === 0) {
    throw new ConfigurationError(`Cannot write ${path}: expected at least one column, found none.`, { file: path })
  }
  const layouts = columns.map(layOut)
  return new RowAppender(new HashedFile(path, files), columns, layouts, options)
}

class RowAppender implements Appender {
  readonly #file: HashedFile
  readonly #columns: readonly (readonly [OutputColumn, AppendedKind])[]
  readonly #names: ReadonlySet<string>
  readonly #writer: ParquetWriter
  #rows = 0
  #closed = false
  /** parquetjs-lite loses rows that are appended while it writes a row group, so rows queue here. */
  #queue: Promise<void> = Promise.resolve()

  constructor(
    file: HashedFile,
    columns: readonly OutputColumn[],
    layouts: readonly ColumnLayout[],
    options: AppendOptions,
  ) {
    const { codec = 'UNCOMPRESSED', rowGroupRows = rowGroupRowsDefault } = options
    this.#file = file
    this.#columns = columns.map((column) => [column, appendedKindOf(column)])
    this.#names = new Set(columns.map((column) => column.name))
    const schema = new parquetjs.ParquetSchema(
      Object.fromEntries(
        this.#columns.map(([column, { type, typeLength }], index) => [
          shredName(index),
          {
            type,
            ...(typeLength === undefined ? {} : { typeLength }),
            optional: column.type.nullable,
            encoding: 'PLAIN',
            compression: codec,
            statistics: false,
          },
        ]),
      ),
    )
    const plain = { useDataPageV2: false, pageIndex: false, rowGroupSize: rowGroupRows }
    this.#writer = new parquetjs.ParquetWriter(schema, new FootedWriter(schema, file, layouts, codec, plain), plain)
  }

  async append(row: Readonly<Record<string, unknown>>): Promise<void> {
    this.#requireOpen()
    const shredded = this.#encode(row)
    this.#rows++
    const written = this.#queue.then(() => this.#writer.appendRow(shredded))
    this.#queue = written
    await written
  }

  async close(): Promise<AppendedFile> {
    this.#requireOpen()
    this.#closed = true
    try {
      await this.#queue
      await this.#writer.close()
      return { rows: this.#rows, ...this.#file.sync() }
    } finally {
      this.#file.close()
    }
  }

  #encode(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const place = { file: this.#file.path, row: this.#rows }
    for (const name of Object.keys(row)) {
      if (this.#names.has(name)) continue
      const known = [...this.#names].join(', ')
      throw new OutputError(
        `Cannot append row ${place.row} to ${place.file}: expected the columns ${known}, found "${name}" as well.`,
        { ...place, column: name },
      )
    }
    const shredded: Record<string, unknown> = {}
    for (const [index, [column, kind]] of this.#columns.entries()) {
      shredded[shredName(index)] = encodeValue(column, kind, row[column.name], place)
    }
    return shredded
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new OutputError(`Cannot append to ${this.#file.path}: it is closed.`, { file: this.#file.path })
  }
}

/**
 * A column's name within parquetjs-lite, which keeps columns in the order of an object's keys; an object would put a
 * column called "2024" first.
 */
function shredName(index: number): string {
  return `c${index}`
}

class FootedWriter extends parquetjs.ParquetEnvelopeWriter {
  readonly #layouts: readonly ColumnLayout[]
  readonly #codec: NonNullable<AppendOptions['codec']>

  constructor(
    schema: ParquetSchema,
    file: HashedFile,
    layouts: readonly ColumnLayout[],
    codec: NonNullable<AppendOptions['codec']>,
    options: WriterOptions,
  ) {
    super(
      schema,
      (bytes) => file.write(bytes),
      () => {},
      0,
      options,
    )
    this.#layouts = layouts
    this.#codec = codec
  }

  override writeFooter(): void {
    const writer = new ByteWriter()
    writer.offset = this.offset
    writeMetadata(writer, this.#metadata())
    writer.appendBytes(Buffer.from('PAR1'))
    this.writeSection(writer.getBytes())
  }

  #metadata(): FileMetaData {
    return {
      version: 1,
      schema: schemaOf(this.#layouts),
      num_rows: BigInt(this.rowCount),
      created_by: 'refold',
      metadata_length: 0,
      row_groups: this.rowGroups.map((group) => ({
        num_rows: BigInt(group.num_rows),
        total_byte_size: BigInt(group.total_byte_size),
        columns: group.columns.map(({ file_offset, meta_data }, index) => ({
          file_offset: BigInt(file_offset),
          meta_data: {
            type: this.#layouts[index]!.element.type!,
            encodings: ['PLAIN', 'RLE'],
            path_in_schema: [this.#layouts[index]!.name],
            codec: this.#codec,
            num_values: BigInt(meta_data.num_values),
            total_uncompressed_size: BigInt(meta_data.total_uncompressed_size),
            total_compressed_size: BigInt(meta_data.total_compressed_size),
            data_page_offset: BigInt(meta_data.data_page_offset),
          },
        })),
      })),
    }
  }
}

/** A new file that hashes what is written to it. */
class HashedFile {
  readonly path: string
  readonly #file: WritableFile
  readonly #hash = createHash('sha256')

  constructor(path: string, files: Disk) {
    this.path = path
    this.#file = files.openForWriting(path)
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes)
    this.#hash.update(bytes)
  }

  sync(): { bytes: number; sha256: string } {
    this.#file.flush()
    return { bytes: this.#file.position, sha256: this.#hash.digest('hex') }
  }

  close(): void {
    this.#file.close()
  }
}
