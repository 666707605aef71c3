import { readDataPage } from 'hyparquet/src/datapage.js'
import type { BytesColumn, Column } from '../model/column.ts'
import { PageError } from './decompress.ts'
import { decodeHybrid } from './hybrid.ts'
import type { ChunkPages, DataPage } from './pages.ts'

/**
 * Decodes the pages of a flat column, or of a leaf of structs, into one column. PLAIN and dictionary pages go straight
 * into typed arrays; other encodings go through hyparquet, page by page. Null rows have a slot, as in Arrow.
 */

export type Physical = 'BOOLEAN' | 'INT32' | 'INT64' | 'INT96' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY'

export interface FlatColumn {
  readonly physical: Physical
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly typeLength: number
  readonly maxDefinitionLevel: number
  readonly rows: number
}

export function decodeFlat(chunk: ChunkPages, column: FlatColumn): Column {
  const presence = new Presence(column)
  const present = chunk.pages.map((page) => presence.add(page))
  const base = { length: column.rows, nullCount: presence.nullCount, validity: presence.validity }
  const coded = chunk.pages.filter((page) => page.encoding.endsWith('_DICTIONARY')).length
  if (coded > 0 && chunk.dictionary === null) throw new PageError('expected a dictionary before pages that use it, found none')
  const inDictionary = chunk.dictionary !== null && coded === chunk.pages.length && coded > 0 && column.physical !== 'BOOLEAN'
  if (!inDictionary) return { ...decodeValues(chunk, column, present, base.validity), ...base }
  const dictionary = decodeDictionary(chunk.dictionary!, column)
  const codes = new Int32Array(column.rows)
  let row = 0
  chunk.pages.forEach((page, i) => {
    decodeCodes(page, codes, row, present[i]!, dictionary.length)
    spread(codes, row, page.rows, present[i]!, base.validity)
    row += page.rows
  })
  return { kind: 'dictionary', ...base, codes, dictionary }
}

/** Which rows are present, gathered page by page. The bitmap is made when the first null is met. */
class Presence {
  validity: Uint8Array | null = null
  nullCount = 0
  #row = 0
  #levels = new Int32Array(0)
  readonly #column: FlatColumn

  constructor(column: FlatColumn) {
    this.#column = column
  }

  /** @returns How many of the page's rows are present. */
  add(page: DataPage): number {
    const { maxDefinitionLevel: max, rows } = this.#column
    const first = this.#row
    this.#row += page.rows
    if (max === 0 || page.rows === 0 || isOneRun(page, max)) {
      if (this.validity !== null) for (let row = first; row < this.#row; row++) this.validity[row >> 3]! |= 1 << (row & 7)
      return page.rows
    }
    if (this.#levels.length < page.rows) this.#levels = new Int32Array(page.rows)
    decodeHybrid(page.levels, 32 - Math.clz32(max), this.#levels, 0, page.rows)
    if (this.validity === null) {
      this.validity = new Uint8Array((rows + 7) >> 3)
      for (let row = 0; row < first; row++) this.validity[row >> 3]! |= 1 << (row & 7)
    }
    let present = 0
    for (let i = 0; i < page.rows; i++) {
      if (this.#levels[i] !== max) continue
      const row = first + i
      this.validity[row >> 3]! |= 1 << (row & 7)
      present++
    }
    this.nullCount += page.rows - present
    return present
  }
}

/** Whether the levels are one run of the highest level over the whole page: no nulls, the usual case. */
function isOneRun({ levels, rows }: DataPage, max: number): boolean {
  let header = 0
  let at = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = levels[at++]
    if (byte === undefined) return false
    header |= (byte & 0x7f) << shift
    if (byte < 128) break
  }
  return (header & 1) === 0 && header >>> 1 >= rows && levels[at] === max
}

function decodeCodes(page: DataPage, codes: Int32Array, first: number, count: number, size: number): void {
  if (count === 0) return
  const width = page.values[0]
  if (width === undefined) throw new PageError('expected dictionary codes, found an empty page')
  if (width > 0) decodeHybrid(page.values.subarray(1), width, codes, first, count)
  let largest = 0
  for (let i = first; i < first + count; i++) if (codes[i]! >>> 0 > largest) largest = codes[i]! >>> 0
  if (largest >= size) throw new PageError(`expected dictionary codes below ${size}, found ${largest}`)
}

/** Moves values that stand side by side to the rows that are present; from the back, so that none is overwritten. */
function spread(values: Int32Array | BigInt64Array | Float64Array, first: number, rows: number, present: number, validity: Uint8Array | null): void {
  if (present === rows || validity === null) return
  let from = first + present - 1
  for (let row = first + rows - 1; row >= first; row--) {
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) values[row] = values[from--]!
    else values[row] = (values instanceof BigInt64Array ? 0n : 0) as never
  }
}

function decodeDictionary(dictionary: NonNullable<ChunkPages['dictionary']>, column: FlatColumn) {
  const page: DataPage = { rows: dictionary.count, encoding: 'PLAIN', levels: new Uint8Array(0), values: dictionary.values }
  const decoded = decodeValues({ dictionary: null, pages: [page] }, { ...column, rows: dictionary.count, maxDefinitionLevel: 0 }, [dictionary.count], null)
  return { ...decoded, length: dictionary.count, nullCount: 0, validity: null } as Exclude<Column, { kind: 'dictionary' | 'values' | 'bool' }>
}

type Values = Pick<BytesColumn, 'kind' | 'offsets' | 'data' | 'gap'> | { kind: 'int32'; values: Int32Array } | { kind: 'int64'; values: BigInt64Array } | { kind: 'float64'; values: Float64Array } | { kind: 'bool'; bits: Uint8Array }

function decodeValues(chunk: ChunkPages, column: FlatColumn, present: readonly number[], validity: Uint8Array | null): Values {
  switch (column.physical) {
    case 'INT32':
      return { kind: 'int32', values: decodeNumbers(chunk, column, present, validity, new Int32Array(column.rows), 4) }
    case 'INT64':
      return { kind: 'int64', values: decodeNumbers(chunk, column, present, validity, new BigInt64Array(column.rows), 8) }
    case 'DOUBLE':
      return { kind: 'float64', values: decodeNumbers(chunk, column, present, validity, new Float64Array(column.rows), 8) }
    case 'FLOAT':
      return { kind: 'float64', values: decodeNumbers(chunk, column, present, validity, new Float64Array(column.rows), 4) }
    case 'INT96':
      return { kind: 'int64', values: decodeNumbers(chunk, column, present, validity, new BigInt64Array(column.rows), 12) }
    case 'BOOLEAN':
      return { kind: 'bool', bits: decodeBooleans(chunk, column, present, validity) }
    default:
      return decodeBytes(chunk, column, present, validity)
  }
}

function decodeNumbers<T extends Int32Array | BigInt64Array | Float64Array>(chunk: ChunkPages, column: FlatColumn, present: readonly number[], validity: Uint8Array | null, output: T, width: 4 | 8 | 12): T {
  let row = 0
  chunk.pages.forEach((page, i) => {
    const count = present[i]!
    if (page.encoding === 'PLAIN') {
      if (page.values.length < count * width) throw new PageError(`expected ${count} values of ${width} bytes, found ${page.values.length} bytes`)
      copyPlain(page.values, output, row, count, width)
    } else if (page.encoding.endsWith('_DICTIONARY')) {
      copyCoded(chunk, column, page, output, row, count)
    } else {
      const dense = decodeOther(page, column, count)
      for (let j = 0; j < count; j++) output[row + j] = (column.physical === 'INT96' ? momentOf96(dense[j] as never) : dense[j]) as never
    }
    spread(output, row, page.rows, count, validity)
    row += page.rows
  })
  return output
}

function copyPlain(from: Uint8Array, output: Int32Array | BigInt64Array | Float64Array, first: number, count: number, width: 4 | 8 | 12): void {
  if (width === output.BYTES_PER_ELEMENT) {
    new Uint8Array(output.buffer, output.byteOffset, output.byteLength).set(from.subarray(0, count * width), first * width)
    return
  }
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength)
  if (width === 4) for (let i = 0; i < count; i++) output[first + i] = view.getFloat32(4 * i, true) as never
  else for (let i = 0; i < count; i++) output[first + i] = nanosecondsOf(view, 12 * i) as never
}

const JULIAN_DAY_OF_1970 = 2_440_588n
const NANOSECONDS_A_DAY = 86_400_000_000_000n

/** INT96, as Impala and old Spark write moments: nanoseconds of the day, then the Julian day. */
function nanosecondsOf(view: DataView, at: number): bigint {
  return (BigInt(view.getInt32(at + 8, true)) - JULIAN_DAY_OF_1970) * NANOSECONDS_A_DAY + view.getBigInt64(at, true)
}

function momentOf96(value: bigint): bigint {
  return ((value >> 64n) - JULIAN_DAY_OF_1970) * NANOSECONDS_A_DAY + BigInt.asIntN(64, value)
}

/** A page in dictionary codes in a chunk where other pages are not: its values are written out. */
function copyCoded(chunk: ChunkPages, column: FlatColumn, page: DataPage, output: Int32Array | BigInt64Array | Float64Array, first: number, count: number): void {
  const dictionary = decodeDictionary(chunk.dictionary!, column)
  if (dictionary.kind === 'bytes') throw new PageError('expected a dictionary of numbers, found one of bytes')
  const codes = new Int32Array(count)
  decodeCodes(page, codes, 0, count, dictionary.length)
  for (let i = 0; i < count; i++) output[first + i] = dictionary.values[codes[i]!] as never
}

/** Any other encoding, by hyparquet: the page's present values side by side. */
function decodeOther(page: DataPage, column: FlatColumn, count: number): ArrayLike<unknown> {
  // Without levels in its schema path hyparquet takes the bytes for values alone.
  const decoder = { type: column.physical, element: { type_length: column.typeLength }, schemaPath: [{ element: { repetition_type: 'REQUIRED' } }] }
  const bytes = page.encoding === 'RLE' && column.physical === 'BOOLEAN' ? page.values : page.values
  try {
    const { dataPage } = readDataPage(bytes, { num_values: count, encoding: page.encoding } as never, decoder as never)
    return dataPage as ArrayLike<unknown>
  } catch (error) {
    throw new PageError(`expected ${count} values in ${page.encoding}, found something else (${(error as Error).message})`)
  }
}

function decodeBooleans(chunk: ChunkPages, column: FlatColumn, present: readonly number[], validity: Uint8Array | null): Uint8Array {
  const bits = new Uint8Array((column.rows + 7) >> 3)
  let row = 0
  chunk.pages.forEach((page, i) => {
    const count = present[i]!
    const isSet = booleanReader(page, column, count)
    let next = 0
    for (let end = row + page.rows; row < end; row++) {
      if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue
      if (isSet(next++)) bits[row >> 3]! |= 1 << (row & 7)
    }
  })
  return bits
}

function booleanReader(page: DataPage, column: FlatColumn, count: number): (index: number) => boolean {
  const { values } = page
  if (page.encoding === 'PLAIN') {
    if (values.length * 8 < count) throw new PageError(`expected ${count} booleans, found ${values.length} bytes`)
    return (index) => (values[index >> 3]! & (1 << (index & 7))) !== 0
  }
  const dense = decodeOther(page, column, count)
  return (index) => dense[index] === true
}

function decodeBytes(chunk: ChunkPages, column: FlatColumn, present: readonly number[], validity: Uint8Array | null): Values {
  const fixed = column.physical === 'FIXED_LEN_BYTE_ARRAY'
  const allPlain = chunk.pages.every((page) => page.encoding === 'PLAIN')
  if (allPlain && !fixed && validity === null) return joinPlainPages(chunk.pages, column.rows)
  return gatherBytes(chunk, column, present, validity)
}

/** Null-free PLAIN strings: pages are laid behind each other as they are, and only the lengths are walked. */
function joinPlainPages(pages: readonly DataPage[], rows: number): Values {
  const data = pages.length === 1 ? pages[0]!.values : joined(pages.map((page) => page.values))
  const offsets = new Int32Array(rows + 1)
  let pageStart = 0
  let row = 0
  for (const page of pages) {
    const end = walkLengths(data, pageStart, pageStart + page.values.length, offsets, row, page.rows)
    row += page.rows
    // Where a page holds bytes behind its last value, the next one's first value would not follow: they are cut out.
    if (end !== pageStart + page.values.length && row < rows) data.copyWithin(end, pageStart + page.values.length)
    pageStart = end
  }
  offsets[rows] = pageStart + 4
  return { kind: 'bytes', offsets, data, gap: 4 }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** @returns Where the last value ends. */
function walkLengths(data: Uint8Array, start: number, end: number, offsets: Int32Array, row: number, rows: number): number {
  let at = start
  for (let i = row; i < row + rows; i++) {
    if (at + 4 > end) throw new PageError(`expected ${rows} strings, found ${i - row}`)
    const length = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    at += 4
    offsets[i] = at
    if (length < 0 || length > end - at) throw new PageError(`expected a string of at most ${end - at} bytes, found one of ${length >>> 0}`)
    at += length
  }
  return at
}

/** Everything else: values are copied side by side, null rows are empty. */
function gatherBytes(chunk: ChunkPages, column: FlatColumn, present: readonly number[], validity: Uint8Array | null): Values {
  const offsets = new Int32Array(column.rows + 1)
  const pieces: Uint8Array[] = []
  let row = 0
  let total = 0
  chunk.pages.forEach((page, i) => {
    const valueAt = bytesReader(chunk, column, page, present[i]!)
    let next = 0
    for (let end = row + page.rows; row < end; row++) {
      if (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0) {
        const value = valueAt(next++)
        pieces.push(value)
        total += value.length
      }
      offsets[row + 1] = total
    }
  })
  if (total > 0x7fffffff) throw new PageError(`expected at most 2 GiB of strings in a row group, found ${total} bytes`)
  return { kind: 'bytes', offsets, data: joined(pieces), gap: 0 }
}

function bytesReader(chunk: ChunkPages, column: FlatColumn, page: DataPage, count: number): (index: number) => Uint8Array {
  const { values } = page
  if (page.encoding.endsWith('_DICTIONARY')) {
    const dictionary = decodeDictionary(chunk.dictionary!, column)
    if (dictionary.kind !== 'bytes') throw new PageError('expected a dictionary of bytes, found one of numbers')
    const codes = new Int32Array(count)
    decodeCodes(page, codes, 0, count, dictionary.length)
    const { data, offsets, gap } = dictionary
    return (index) => data.subarray(offsets[codes[index]!]!, offsets[codes[index]! + 1]! - gap)
  }
  if (page.encoding !== 'PLAIN') {
    const dense = decodeOther(page, column, count)
    return (index) => dense[index] as Uint8Array
  }
  const width = column.typeLength
  if (column.physical === 'FIXED_LEN_BYTE_ARRAY') {
    if (values.length < count * width) throw new PageError(`expected ${count} values of ${width} bytes, found ${values.length} bytes`)
    return (index) => values.subarray(index * width, (index + 1) * width)
  }
  const offsets = new Int32Array(count + 1)
  walkLengths(values, 0, values.length, offsets, 0, count)
  return (index) => {
    const start = offsets[index]!
    const length = new DataView(values.buffer, values.byteOffset + start - 4, 4).getUint32(0, true)
    return values.subarray(start, start + length)
  }
}
