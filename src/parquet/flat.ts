import type { BytesColumn, Column, ValuesColumn } from '../model/column.ts'
import {
  BytesGatherer,
  type BytesValues,
  codedBytes,
  denseBytes,
  joinPlainPages,
  joinPlainPagesWithNulls,
  joinStreams,
} from './bytes.ts'
import { decodeDelta } from './delta.ts'
import { decodeBits, decodeHybrid } from './hybrid.ts'
import { decodeInt96 } from './int96.ts'
import { Presence, spread, spreadBits } from './levels.ts'
import { PageError } from './page-error.ts'
import type { ChunkPages, DataPage } from './pages.ts'
import { newMemory, type ReadMemory } from './read-memory.ts'

/**
 * Decodes the pages of a flat column, or of a leaf of structs, into one column. A chunk that is in its dictionary
 * throughout keeps its codes; where a writer abandoned the dictionary half-way, the codes are written out. Null rows have
 * a slot, as in Arrow.
 */

export type Physical =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY'

export interface FlatColumn {
  readonly physical: Physical
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly typeLength: number
  readonly maxDefinitionLevel: number
  readonly rows: number
}

/** A chunk, and all that is known of it before its values are decoded. */
interface Source extends FlatColumn {
  readonly pages: readonly DataPage[]
  /** Of each page. */
  readonly present: readonly number[]
  readonly validity: Uint8Array | null
  readonly nullCount: number
  readonly memory: ReadMemory
  /** Decoded once, when first used. */
  readonly dictionary: () => Dictionary
}

type Dictionary = Exclude<Column, { kind: 'dictionary' | 'bool' }>

type Values =
  | BytesValues
  | { kind: 'int32'; values: Int32Array }
  | { kind: 'int64'; values: BigInt64Array }
  | { kind: 'float64'; values: Float64Array }
  | { kind: 'bool'; bits: Uint8Array }
  | Pick<ValuesColumn, 'kind' | 'values'>

/**
 * @param memory What the column's arrays are made in, but for its dictionary and its validity.
 * @param dictionary The chunk's, for a chunk whose pages are decoded one by one.
 */
export function decodeFlat(
  chunk: ChunkPages,
  column: FlatColumn,
  memory: ReadMemory = newMemory,
  dictionary: () => Dictionary = dictionaryOnce(chunk.dictionary, column),
): Column {
  const presence = new Presence(column.rows, column.maxDefinitionLevel)
  const present = chunk.pages.map((page) => presence.add(page))
  const { nullCount, validity } = presence
  const base = { length: column.rows, nullCount, validity }
  const source = {
    ...column,
    pages: chunk.pages,
    present,
    validity,
    nullCount,
    memory,
    dictionary,
  }
  const filled = chunk.pages.filter((_, i) => present[i]! > 0)
  if (chunk.dictionary === null || !filled.every(isCoded)) return { ...decodeValues(source), ...base }
  const entries = dictionary()
  const codes = decodeAllCodes(source, entries.length)
  if (entries.kind !== 'values') return { kind: 'dictionary', ...base, codes, dictionary: entries }
  return { kind: 'values', ...base, values: Array.from(codes, (code) => entries.values[code] ?? null) }
}

function isCoded({ encoding }: DataPage): boolean {
  return encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY'
}

function decodeAllCodes(source: Source, size: number): Int32Array {
  const codes = source.memory.int32(source.rows)
  let row = 0
  source.pages.forEach((page, i) => {
    decodeCodes(page, codes, row, source.present[i]!, size)
    spread(codes, row, page.slots, source.present[i]!, source.validity)
    row += page.slots
  })
  return codes
}

function decodeCodes(page: DataPage, codes: Int32Array, first: number, count: number, size: number): void {
  if (count === 0) return
  const width = page.values[0]
  if (width === undefined) throw new PageError('expected dictionary codes, found an empty page')
  if (width > 0) decodeHybrid(page.values.subarray(1), width, codes, first, count)
  else codes.fill(0, first, first + count)
  let largest = 0
  // Unsigned, so that a negative code is too large.
  for (let i = first; i < first + count; i++) if (codes[i]! >>> 0 > largest) largest = codes[i]! >>> 0
  if (largest >= size) throw new PageError(`expected dictionary codes below ${size}, found ${largest}`)
}

/** A chunk's dictionary, decoded when it is first asked for. */
export function dictionaryOnce(dictionary: ChunkPages['dictionary'], column: FlatColumn): () => Dictionary {
  let decoded: Dictionary | undefined
  return () => {
    decoded ??= decodeDictionary(dictionary, column)
    return decoded
  }
}

function decodeDictionary(dictionary: ChunkPages['dictionary'], column: FlatColumn): Dictionary {
  if (dictionary === null) throw new PageError('expected a dictionary before pages that use it, found none')
  const { count, values } = dictionary
  const empty = values.subarray(0, 0)
  const page: DataPage = { slots: count, encoding: 'PLAIN', repetition: empty, definition: empty, values }
  const flat = { ...column, rows: count, maxDefinitionLevel: 0 }
  const decoded = decodeFlat({ dictionary: null, pages: [page] }, flat)
  if (decoded.kind === 'bool' || decoded.kind === 'dictionary')
    throw new PageError('expected no dictionary of booleans, found one')
  return decoded
}

function decodeValues(source: Source): Values {
  const { rows, physical, memory } = source
  switch (physical) {
    case 'INT32':
      return { kind: 'int32', values: decodeNumbers(source, memory.int32(rows), 4) }
    case 'INT64':
      return { kind: 'int64', values: decodeNumbers(source, memory.int64(rows), 8) }
    case 'DOUBLE':
      return { kind: 'float64', values: decodeNumbers(source, memory.float64(rows), 8) }
    case 'FLOAT':
      return { kind: 'float64', values: decodeNumbers(source, memory.float64(rows), 4) }
    case 'INT96':
      return decodeMoments(source)
    case 'BOOLEAN':
      return { kind: 'bool', bits: decodeBooleans(source) }
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return decodeBytes(source)
  }
  throw new PageError(`expected a type of Parquet, found ${physical as unknown}`)
}

function decodeNumbers<T extends Int32Array | BigInt64Array | Float64Array>(
  source: Source,
  output: T,
  width: 4 | 8,
): T {
  let row = 0
  source.pages.forEach((page, i) => {
    const count = source.present[i]!
    if (isCoded(page)) copyCoded(source, page, output, row, count)
    else if (page.encoding === 'DELTA_BINARY_PACKED' && !(output instanceof Float64Array))
      decodeDelta(page.values, output, row, count)
    else copyPlain(plainBytes(page, count, width), output, row, count, width)
    spread(output, row, page.slots, count, source.validity)
    row += page.slots
  })
  return output
}

/** A page of fixed width as in PLAIN, at least as long as its values. */
function plainBytes(page: DataPage, count: number, width: number): Uint8Array {
  const { values, encoding } = page
  if (count === 0) return values.subarray(0, 0)
  if (encoding !== 'PLAIN' && encoding !== 'BYTE_STREAM_SPLIT')
    throw new PageError(`expected an encoding of numbers, found ${encoding}`)
  if (values.length < count * width)
    throw new PageError(`expected ${count} values of ${width} bytes, found ${values.length} bytes`)
  return encoding === 'PLAIN' ? values : joinStreams(values, count, width)
}

function copyPlain(
  from: Uint8Array,
  output: Int32Array | BigInt64Array | Float64Array,
  first: number,
  count: number,
  width: 4 | 8,
): void {
  if (width === output.BYTES_PER_ELEMENT) {
    new Uint8Array(output.buffer, output.byteOffset, output.byteLength).set(
      from.subarray(0, count * width),
      first * width,
    )
    return
  }
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength)
  for (let i = 0; i < count; i++) output[first + i] = view.getFloat32(4 * i, true)
}

/** A page in dictionary codes in a chunk where other pages are not: its values are written out. */
function copyCoded(
  source: Source,
  page: DataPage,
  output: Int32Array | BigInt64Array | Float64Array,
  first: number,
  count: number,
): void {
  const dictionary = source.dictionary()
  if (dictionary.kind === 'bytes' || dictionary.kind === 'values')
    throw new PageError('expected a dictionary of numbers, found another')
  const codes = new Int32Array(count)
  decodeCodes(page, codes, 0, count, dictionary.length)
  const { values } = dictionary
  if (values instanceof Int32Array) for (let i = 0; i < count; i++) output[first + i] = values[codes[i]!]!
  else copyPairs(values, codes, output, first)
}

/** Values of 64 bits, moved as words of 32: one by one they would become BigInts. */
function copyPairs(
  values: BigInt64Array | Float64Array,
  codes: Int32Array,
  output: Int32Array | BigInt64Array | Float64Array,
  first: number,
): void {
  const from = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const to = new Int32Array(output.buffer, output.byteOffset + first * 8, codes.length * 2)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    to[2 * i] = from[2 * code]!
    to[2 * i + 1] = from[2 * code + 1]!
  }
}

/** INT96 pages hold moments, which may be beyond 64 bits. */
function decodeMoments(source: Source): Values {
  const parts = source.pages.map((page, i) => {
    const count = source.present[i]!
    if (!isCoded(page)) return decodeInt96(plainBytes(page, count, 12), count)
    const dictionary = source.dictionary()
    if (dictionary.kind !== 'int64' && dictionary.kind !== 'values')
      throw new PageError('expected a dictionary of moments, found another')
    const codes = new Int32Array(count)
    decodeCodes(page, codes, 0, count, dictionary.length)
    const moments = dictionary.values as ArrayLike<bigint>
    return Array.from(codes, (code) => moments[code]!)
  })
  const fits = parts.every(
    (part) => part instanceof BigInt64Array || part.every((moment) => BigInt.asIntN(64, moment) === moment),
  )
  if (!fits) return { kind: 'values', values: spreadMoments(source, parts) }
  const values = new BigInt64Array(source.rows)
  let row = 0
  source.pages.forEach((page, i) => {
    values.set(parts[i]!, row)
    spread(values, row, page.slots, source.present[i]!, source.validity)
    row += page.slots
  })
  return { kind: 'int64', values }
}

function spreadMoments({ rows, validity }: Source, parts: readonly (BigInt64Array | bigint[])[]): (bigint | null)[] {
  const moments = parts.flatMap((part) => Array.from(part))
  let next = 0
  return Array.from({ length: rows }, (_, row) => {
    const isPresent = validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0
    return isPresent ? moments[next++]! : null
  })
}

function decodeBooleans(source: Source): Uint8Array {
  const bits = new Uint8Array((source.rows + 7) >> 3)
  let row = 0
  source.pages.forEach((page, i) => {
    const count = source.present[i]!
    spreadBits(denseBits(page, count), bits, row, page.slots, count, source.validity)
    row += page.slots
  })
  return bits
}

function denseBits({ values, encoding }: DataPage, count: number): Uint8Array {
  if (count === 0) return values.subarray(0, 0)
  if (encoding === 'PLAIN') {
    if (values.length * 8 < count) throw new PageError(`expected ${count} booleans, found ${values.length} bytes`)
    return values
  }
  if (encoding !== 'RLE') throw new PageError(`expected an encoding of booleans, found ${encoding}`)
  // Four bytes of length come first.
  if (values.length < 4) throw new PageError(`expected ${count} booleans, found ${values.length} bytes`)
  const bits = new Uint8Array((count + 7) >> 3)
  decodeBits(values.subarray(4), bits, 0, count)
  return bits
}

/** With this many rows between two nulls, strings are copied faster run by run than one by one. */
const NULLS_MIN_RUN = 8

function decodeBytes(source: Source): BytesValues {
  const { pages, rows, validity } = source
  const fixedLength = source.physical === 'FIXED_LEN_BYTE_ARRAY' ? source.typeLength : undefined
  const asTheyAre = fixedLength === undefined && pages.every((page) => page.encoding === 'PLAIN')
  if (asTheyAre && validity === null) return joinPlainPages(pages, rows, source.memory)
  if (asTheyAre && validity !== null && source.nullCount * NULLS_MIN_RUN < rows) {
    return joinPlainPagesWithNulls(pages, rows, source.nullCount, validity)
  }
  const gatherer = new BytesGatherer(rows)
  pages.forEach((page, i) => {
    const count = source.present[i]!
    const dense = isCoded(page) ? codedPage(source, page, count) : denseBytes(page, count, fixedLength)
    gatherer.add(dense, page.slots, validity)
  })
  return gatherer.finish()
}

function codedPage(source: Source, page: DataPage, count: number) {
  const dictionary = source.dictionary()
  if (dictionary.kind !== 'bytes') throw new PageError('expected a dictionary of bytes, found another')
  const codes = new Int32Array(count)
  decodeCodes(page, codes, 0, count, dictionary.length)
  return codedBytes(dictionary as BytesColumn, codes)
}
