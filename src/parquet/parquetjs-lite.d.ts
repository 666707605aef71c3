/** The part of parquetjs-lite that Refold uses; the package has no types of its own. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    readonly type: string
    readonly typeLength?: number
    readonly optional?: boolean
    readonly statistics?: boolean
    readonly compression?: string
    readonly encoding?: string
  }

  export class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldDefinition>>)
  }

  export interface WriterOptions {
    /** Rows in a row group. */
    readonly rowGroupSize?: number
    /** Rows in a page. */
    readonly pageSize?: number
    readonly useDataPageV2?: boolean
    readonly pageIndex?: boolean
  }

  /** Thrift structures as they are kept until the footer is written; numbers are plain JavaScript numbers. */
  export interface WrittenColumn {
    readonly file_offset: number
    readonly meta_data: {
      readonly num_values: number
      readonly data_page_offset: number
      readonly total_compressed_size: number
      readonly total_uncompressed_size: number
    }
  }

  export interface WrittenRowGroup {
    readonly num_rows: number
    readonly total_byte_size: number
    readonly columns: readonly WrittenColumn[]
  }

  export class ParquetEnvelopeWriter {
    readonly rowCount: number
    readonly rowGroups: readonly WrittenRowGroup[]
    offset: number
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => void,
      close: () => void,
      offset: number,
      options: WriterOptions,
    )
    writeSection(bytes: Uint8Array): void
    writeFooter(): void
  }

  export class ParquetWriter {
    constructor(schema: ParquetSchema, envelopeWriter: ParquetEnvelopeWriter, options: WriterOptions)
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>
    close(): Promise<void>
  }

  export class ParquetReader {
    static openFile(path: string): Promise<ParquetReader>
    static openBuffer(bytes: Buffer): Promise<ParquetReader>
    getCursor(): { next(): Promise<Record<string, unknown> | null> }
    getRowCount(): number
    close(): Promise<void>
  }

  const library: {
    ParquetSchema: typeof ParquetSchema
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter
    ParquetWriter: typeof ParquetWriter
    ParquetReader: typeof ParquetReader
  }
  export default library
}
