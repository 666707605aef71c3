import { crc32 } from 'node:zlib'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompress, PageError } from './decompress.ts'

/** A data page of a flat column, decompressed: where its levels and its values lie. */
export interface DataPage {
  readonly rows: number
  readonly encoding: string
  /** Definition levels, without their length prefix; empty where the column can't be null. */
  readonly levels: Uint8Array
  readonly values: Uint8Array
}

export interface ChunkPages {
  readonly dictionary: { readonly values: Uint8Array; readonly count: number } | null
  readonly pages: readonly DataPage[]
}

/** What a column chunk promises; page headers are held against it before anything is allocated. */
export interface ChunkLimits {
  readonly codec: string
  readonly rows: number
  readonly bytesUncompressed: number
  readonly maxDefinitionLevel: number
}

interface PageHeader {
  readonly type: string
  readonly uncompressed_page_size: number
  readonly compressed_page_size: number
  readonly crc?: number
  readonly data_page_header?: { num_values: number; encoding: string; definition_level_encoding: string }
  readonly data_page_header_v2?: {
    num_values: number
    num_nulls: number
    num_rows: number
    encoding: string
    definition_levels_byte_length: number
    repetition_levels_byte_length: number
    is_compressed: boolean
  }
  readonly dictionary_page_header?: { num_values: number; encoding: string }
}

/** Splits the bytes of a flat column's chunk, or of some of its pages, into pages and decompresses them. */
export function readPages(bytes: Uint8Array, limits: ChunkLimits): ChunkPages {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  const pages: DataPage[] = []
  let dictionary: ChunkPages['dictionary'] = null
  let rows = 0
  while (rows < limits.rows && reader.offset < bytes.length) {
    const header = readHeader(reader, pages.length)
    const start = reader.offset
    checkSizes(header, bytes.length - start, limits)
    const body = bytes.subarray(start, start + header.compressed_page_size)
    reader.offset = start + header.compressed_page_size
    checkSum(header, body)
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = readDictionary(header, body, limits)
    } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
      const page = header.type === 'DATA_PAGE' ? readPageV1(header, body, limits) : readPageV2(header, body, limits)
      rows += page.rows
      pages.push(page)
    }
  }
  if (rows !== limits.rows) throw new PageError(`expected ${limits.rows} rows, found pages of ${rows}`)
  return { dictionary, pages }
}

function readHeader(reader: { view: DataView; offset: number }, page: number): PageHeader {
  try {
    return parquetHeader(reader) as PageHeader
  } catch (error) {
    throw new PageError(`page ${page}: expected a page header, found something else (${(error as Error).message})`)
  }
}

function checkSizes(header: PageHeader, available: number, limits: ChunkLimits): void {
  const { compressed_page_size: compressed, uncompressed_page_size: uncompressed } = header
  if (!(Number.isInteger(compressed) && compressed >= 0 && compressed <= available)) {
    throw new PageError(`expected a page of at most ${available} bytes, found one of ${compressed}`)
  }
  if (!(Number.isInteger(uncompressed) && uncompressed >= 0 && uncompressed <= limits.bytesUncompressed)) {
    throw new PageError(`expected a page of at most ${limits.bytesUncompressed} bytes when decompressed, found one of ${uncompressed}`)
  }
}

function checkSum(header: PageHeader, body: Uint8Array): void {
  if (header.crc === undefined) return
  const found = crc32(body)
  if (found !== header.crc >>> 0) throw new PageError(`expected a page with checksum ${header.crc >>> 0}, found ${found}: its bytes have changed`)
}

function readDictionary(header: PageHeader, body: Uint8Array, limits: ChunkLimits): ChunkPages['dictionary'] {
  const count = header.dictionary_page_header?.num_values
  if (count === undefined || count < 0 || count > header.uncompressed_page_size) {
    throw new PageError(`expected a dictionary of at most ${header.uncompressed_page_size} values, found ${count}`)
  }
  return { count, values: decompress(limits.codec, body, header.uncompressed_page_size) }
}

function readPageV1(header: PageHeader, body: Uint8Array, limits: ChunkLimits): DataPage {
  const rows = header.data_page_header?.num_values
  const page = decompress(limits.codec, body, header.uncompressed_page_size)
  checkRows(rows, limits)
  const encoding = header.data_page_header!.encoding
  if (limits.maxDefinitionLevel === 0) return { rows: rows!, encoding, levels: page.subarray(0, 0), values: page }
  if (header.data_page_header!.definition_level_encoding === 'BIT_PACKED') throw new PageError('expected definition levels in RLE, found BIT_PACKED')
  if (page.length < 4) throw new PageError('expected definition levels, found the end of the page')
  const length = new DataView(page.buffer, page.byteOffset, 4).getUint32(0, true)
  if (length > page.length - 4) throw new PageError(`expected at most ${page.length - 4} bytes of definition levels, found ${length}`)
  return { rows: rows!, encoding, levels: page.subarray(4, 4 + length), values: page.subarray(4 + length) }
}

function readPageV2(header: PageHeader, body: Uint8Array, limits: ChunkLimits): DataPage {
  const own = header.data_page_header_v2
  if (own === undefined) throw new PageError('expected a header of a version 2 page, found none')
  checkRows(own.num_values, limits)
  const repetition = own.repetition_levels_byte_length ?? 0
  const definition = own.definition_levels_byte_length ?? 0
  const levels = repetition + definition
  if (repetition < 0 || definition < 0 || levels > body.length || levels > header.uncompressed_page_size) {
    throw new PageError(`expected at most ${body.length} bytes of levels, found ${levels}`)
  }
  const rest = body.subarray(levels)
  const length = header.uncompressed_page_size - levels
  const values = own.is_compressed === false ? rest : decompress(limits.codec, rest, length)
  return { rows: own.num_values, encoding: own.encoding, levels: body.subarray(repetition, levels), values }
}

function checkRows(rows: number | undefined, limits: ChunkLimits): void {
  if (rows === undefined || rows < 0 || rows > limits.rows) throw new PageError(`expected a page of at most ${limits.rows} rows, found ${rows}`)
}
