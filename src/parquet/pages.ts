import { crc32 } from 'node:zlib'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompress } from './decompress.ts'
import { PageError } from './page-error.ts'
import { checkThrift } from './thrift.ts'

/** A data page, decompressed: where its levels and its values lie. */
export interface DataPage {
  /** Values, nulls among them: rows, unless the column is repeated. */
  readonly slots: number
  readonly encoding: string
  /** Repetition and definition levels, without their length prefix; empty where the column has none. */
  readonly repetition: Uint8Array
  readonly definition: Uint8Array
  readonly values: Uint8Array
}

export interface ChunkPages {
  readonly dictionary: { readonly values: Uint8Array; readonly count: number } | null
  readonly pages: readonly DataPage[]
}

/** What a column chunk promises; page headers are checked against it before anything is allocated. */
export interface ChunkLimits {
  readonly codec: string
  /** Values, nulls among them: rows, unless the column is repeated. */
  readonly slots: number
  readonly maxDefinitionLevel: number
  readonly maxRepetitionLevel: number
}

interface PageHeader {
  readonly type: string
  readonly uncompressed_page_size: number
  readonly compressed_page_size: number
  readonly crc?: number
  readonly data_page_header?: {
    num_values: number
    encoding: string
    definition_level_encoding: string
    repetition_level_encoding: string
  }
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

/** Splits the bytes of a chunk, or of some of its pages, into pages and decompresses them. */
export function readPages(bytes: Uint8Array, limits: ChunkLimits): ChunkPages {
  const reader = new PageReader(bytes, limits)
  const pages: DataPage[] = []
  for (let page = reader.next(); page !== null; page = reader.next()) pages.push(page)
  return { dictionary: reader.dictionary, pages }
}

/** The pages of a chunk one by one, so that no two of them need be in memory. */
export class PageReader {
  /** Known once the first data page was read. */
  dictionary: ChunkPages['dictionary'] = null
  readonly #bytes: Uint8Array
  readonly #limits: ChunkLimits
  readonly #reader: { view: DataView; offset: number }
  #pages = 0
  #slots = 0

  constructor(bytes: Uint8Array, limits: ChunkLimits) {
    this.#bytes = bytes
    this.#limits = limits
    this.#reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  }

  /** The next data page, decompressed; null after the last, which must complete what the chunk promises. */
  next(): DataPage | null {
    const limits = this.#limits
    while (this.#slots < limits.slots && this.#reader.offset < this.#bytes.length) {
      const page = this.#read()
      if (page === null) continue
      this.#slots += page.slots
      this.#pages++
      return page
    }
    if (this.#slots !== limits.slots)
      throw new PageError(`expected ${limits.slots} values, nulls among them, found pages of ${this.#slots}`)
    return null
  }

  /** Null for what holds no rows. */
  #read(): DataPage | null {
    const bytes = this.#bytes
    const limits = this.#limits
    const header = readHeader(bytes, this.#reader, this.#pages)
    const start = this.#reader.offset
    checkSizes(header, bytes.length - start)
    const body = bytes.subarray(start, start + header.compressed_page_size)
    this.#reader.offset = start + header.compressed_page_size
    checkSum(header, body)
    if (header.type === 'DATA_PAGE') return readPageV1(header, body, limits)
    if (header.type === 'DATA_PAGE_V2') return readPageV2(header, body, limits)
    if (header.type === 'DICTIONARY_PAGE') {
      if (this.dictionary !== null || this.#pages > 0)
        throw new PageError('expected one dictionary, before all other pages, found another')
      this.dictionary = readDictionary(header, body, limits)
    }
    return null
  }
}

function readHeader(bytes: Uint8Array, reader: { view: DataView; offset: number }, page: number): PageHeader {
  try {
    checkThrift(bytes, reader.offset)
    return parquetHeader(reader) as PageHeader
  } catch (error) {
    throw new PageError(`page ${page}: expected a page header, found something else (${(error as Error).message})`)
  }
}

/**
 * Pages are meant to have about a megabyte. The chunk's own total is no limit: several writers, DuckDB among them, put
 * zero or too little there.
 */
const PAGE_BYTES_MAX = 2 ** 30

function checkSizes(header: PageHeader, available: number): void {
  const { compressed_page_size: compressed, uncompressed_page_size: uncompressed } = header
  if (!(Number.isInteger(compressed) && compressed >= 0 && compressed <= available)) {
    throw new PageError(`expected a page of at most ${available} bytes, found one of ${compressed}`)
  }
  if (!(Number.isInteger(uncompressed) && uncompressed >= 0 && uncompressed <= PAGE_BYTES_MAX)) {
    throw new PageError(
      `expected a page of at most ${PAGE_BYTES_MAX} bytes when decompressed, found one of ${uncompressed}`,
    )
  }
}

function checkSum(header: PageHeader, body: Uint8Array): void {
  if (header.crc === undefined) return
  if (!Number.isInteger(header.crc)) throw new PageError('expected a checksum, found something else')
  const found = crc32(body)
  if (found !== header.crc >>> 0)
    throw new PageError(`expected a page with checksum ${header.crc >>> 0}, found ${found}: its bytes have changed`)
}

function readDictionary(header: PageHeader, body: Uint8Array, limits: ChunkLimits): ChunkPages['dictionary'] {
  const count = header.dictionary_page_header?.num_values
  if (!(Number.isInteger(count) && count! >= 0 && count! <= header.uncompressed_page_size)) {
    throw new PageError(`expected a dictionary of at most ${header.uncompressed_page_size} values, found ${count}`)
  }
  return { count: count!, values: decompress(limits.codec, body, header.uncompressed_page_size) }
}

function readPageV1(header: PageHeader, body: Uint8Array, limits: ChunkLimits): DataPage {
  const own = header.data_page_header
  if (own === undefined) throw new PageError('expected a header of a data page, found none')
  checkSlots(own.num_values, limits)
  const page = decompress(limits.codec, body, header.uncompressed_page_size)
  const repetition = levelsV1(page, limits.maxRepetitionLevel, own.repetition_level_encoding)
  const rest = page.subarray(repetition.end)
  const definition = levelsV1(rest, limits.maxDefinitionLevel, own.definition_level_encoding)
  return {
    slots: own.num_values,
    encoding: encodingOf(own.encoding),
    repetition: repetition.levels,
    definition: definition.levels,
    values: rest.subarray(definition.end),
  }
}

function levelsV1(page: Uint8Array, maxLevel: number, encoding: string): { levels: Uint8Array; end: number } {
  if (maxLevel === 0) return { levels: page.subarray(0, 0), end: 0 }
  if (encoding === 'BIT_PACKED')
    throw new PageError('expected levels in RLE, found the old BIT_PACKED, which Refold does not support')
  if (page.length < 4) throw new PageError('expected levels, found the end of the page')
  const length = new DataView(page.buffer, page.byteOffset, 4).getUint32(0, true)
  if (length > page.length - 4)
    throw new PageError(`expected at most ${page.length - 4} bytes of levels, found ${length}`)
  return { levels: page.subarray(4, 4 + length), end: 4 + length }
}

function readPageV2(header: PageHeader, body: Uint8Array, limits: ChunkLimits): DataPage {
  const own = header.data_page_header_v2
  if (own === undefined) throw new PageError('expected a header of a version 2 page, found none')
  checkSlots(own.num_values, limits)
  const repetition = Number(own.repetition_levels_byte_length ?? 0)
  const definition = Number(own.definition_levels_byte_length ?? 0)
  const levels = repetition + definition
  const most = Math.min(body.length, header.uncompressed_page_size)
  // Thrift states what type a number has: a damaged one may be anything.
  if (!(Number.isInteger(levels) && repetition >= 0 && definition >= 0 && levels <= most)) {
    throw new PageError(`expected at most ${most} bytes of levels, found ${levels}`)
  }
  const rest = body.subarray(levels)
  const length = header.uncompressed_page_size - levels
  const values = decompress(own.is_compressed === false ? 'UNCOMPRESSED' : limits.codec, rest, length)
  return {
    slots: own.num_values,
    encoding: encodingOf(own.encoding),
    repetition: body.subarray(0, repetition),
    definition: body.subarray(repetition, levels),
    values,
  }
}

function encodingOf(encoding: string | undefined): string {
  if (encoding === undefined) throw new PageError('expected an encoding of Parquet, found an unknown one')
  return encoding
}

function checkSlots(slots: number, limits: ChunkLimits): void {
  if (!(Number.isInteger(slots) && slots >= 0 && slots <= limits.slots)) {
    throw new PageError(`expected a page of at most ${limits.slots} values, found ${slots}`)
  }
}
