import { resized } from '../columns/grow.ts'
import type { BytesColumn } from '../model/column.ts'
import { type DenseBytes, decodeDeltaBytes, decodeDeltaLengths } from './delta.ts'
import { PageError } from './page-error.ts'
import type { DataPage } from './pages.ts'
import { newMemory, type ReadMemory } from './read-memory.ts'

export type BytesValues = Pick<BytesColumn, 'kind' | 'offsets' | 'data' | 'gap'>

/** Offsets are 32-bit. */
const BYTES_MAX = 2 ** 31 - 1

/** Null-free PLAIN strings: pages are concatenated as they are, and only the lengths are walked. */
export function joinPlainPages(pages: readonly DataPage[], rows: number, memory: ReadMemory): BytesValues {
  const offsets = memory.int32(rows + 1)
  const pieces: Uint8Array[] = []
  let start = 0
  let row = 0
  for (const { values, slots } of pages) {
    const length = walkLengths(values, offsets, row, slots, start)
    // What follows a page's last value is left out, so that the next page's first value follows it.
    pieces.push(values.subarray(0, length))
    row += slots
    start += length
    if (start > BYTES_MAX - 4) throw tooLarge(start)
  }
  offsets[rows] = start + 4
  return { kind: 'bytes', offsets, data: joinBytes(pieces, memory), gap: 4 }
}

/**
 * PLAIN strings of which a few are null: concatenated as they are, run by run, with an empty string in the
 * place of each null.
 */
export function joinPlainPagesWithNulls(
  pages: readonly DataPage[],
  rows: number,
  nullCount: number,
  validity: Uint8Array,
): BytesValues {
  const length = pages.reduce((sum, page) => sum + page.values.length, 4 * nullCount)
  if (length > BYTES_MAX - 4) throw tooLarge(length)
  const offsets = new Int32Array(rows + 1)
  const data = new Uint8Array(length)
  let to = 0
  let row = 0
  for (const { values, slots } of pages) {
    let copied = 0
    let at = 0
    for (const end = row + slots; row < end; row++) {
      if ((validity[row >> 3]! & (1 << (row & 7))) === 0) {
        data.set(values.subarray(copied, at), to)
        to += at - copied + 4
        copied = at
        offsets[row] = to
        continue
      }
      const next = endOfValue(values, at)
      offsets[row] = to + at - copied + 4
      at = next
    }
    data.set(values.subarray(copied, at), to)
    to += at - copied
  }
  offsets[rows] = to + 4
  return { kind: 'bytes', offsets, data: data.subarray(0, to), gap: 4 }
}

/** Where a PLAIN value ends that begins at `at` with four bytes of length. */
function endOfValue(page: Uint8Array, at: number): number {
  const left = page.length - at - 4
  if (left < 0) throw new PageError('expected another string, found the end of the page')
  const length = page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16) | (page[at + 3]! << 24)
  if (length < 0 || length > left)
    throw new PageError(`expected a string of at most ${left} bytes, found one of ${length >>> 0}`)
  return at + 4 + length
}

function tooLarge(bytes: number): PageError {
  return new PageError(
    `expected less than 2 GiB of strings in a row group, found ${bytes} bytes; write smaller row groups`,
  )
}

/** Not Buffer.concat, which may put small results into memory that others share. */
export function joinBytes(pieces: readonly Uint8Array[], memory: ReadMemory = newMemory): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const all = memory.bytes(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/**
 * Notes where each value of a PLAIN page begins, after its four bytes of length, counted from `base`.
 *
 * @returns Where in the page the last value ends.
 */
function walkLengths(page: Uint8Array, offsets: Int32Array, first: number, count: number, base: number): number {
  const end = page.length
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) throw new PageError(`expected ${count} strings, found ${i}`)
    const length = page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16) | (page[at + 3]! << 24)
    at += 4
    offsets[first + i] = base + at
    if (length < 0 || length > end - at) {
      throw new PageError(`expected a string of at most ${end - at} bytes, found one of ${length >>> 0}`)
    }
    at += length
  }
  return at
}

/** Where the present values of a page of any encoding but the dictionary's lie. */
export function denseBytes(page: DataPage, count: number, fixedLength: number | undefined): DenseBytes {
  const { values, encoding } = page
  if (fixedLength !== undefined && (encoding === 'PLAIN' || encoding === 'BYTE_STREAM_SPLIT')) {
    if (values.length < count * fixedLength) {
      throw new PageError(`expected ${count} values of ${fixedLength} bytes, found ${values.length} bytes`)
    }
    const data = encoding === 'PLAIN' ? values : joinStreams(values, count, fixedLength)
    const starts = new Int32Array(count)
    for (let i = 0; i < count; i++) starts[i] = i * fixedLength
    return { data, starts, lengths: new Int32Array(count).fill(fixedLength), contiguous: true }
  }
  const dense = variableBytes(page, count)
  if (fixedLength !== undefined && !dense.lengths.every((length) => length === fixedLength)) {
    throw new PageError(`expected values of ${fixedLength} bytes, found others`)
  }
  return dense
}

function variableBytes({ values, encoding }: DataPage, count: number): DenseBytes {
  switch (encoding) {
    case 'PLAIN': {
      const starts = new Int32Array(count)
      const lengths = new Int32Array(count)
      const end = walkLengths(values, starts, 0, count, 0)
      for (let i = 0; i < count; i++) lengths[i] = (i + 1 < count ? starts[i + 1]! - 4 : end) - starts[i]!
      return { data: values, starts, lengths, contiguous: false }
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
      return decodeDeltaLengths(values, count)
    case 'DELTA_BYTE_ARRAY':
      return decodeDeltaBytes(values, count)
  }
  throw new PageError(`expected an encoding of bytes, found ${encoding}`)
}

/** BYTE_STREAM_SPLIT: all first bytes, then all second ones, and so on; made PLAIN again. */
export function joinStreams(streams: Uint8Array, count: number, width: number): Uint8Array {
  const plain = new Uint8Array(count * width)
  for (let byte = 0; byte < width; byte++) {
    for (let i = 0, at = byte * count, to = byte; i < count; i++, to += width) plain[to] = streams[at++]!
  }
  return plain
}

/** Where the values of dictionary codes lie. */
export function codedBytes(dictionary: BytesColumn, codes: Int32Array): DenseBytes {
  const starts = new Int32Array(codes.length)
  const lengths = new Int32Array(codes.length)
  const { offsets, gap, data } = dictionary
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    starts[i] = offsets[code]!
    lengths[i] = offsets[code + 1]! - gap - offsets[code]!
  }
  return { data, starts, lengths, contiguous: false }
}

/** Below, a loop is faster than a call that copies. */
const LOOP_BYTES_MAX = 24

/** Puts values side by side, as Arrow wants them; null rows are empty. */
export class BytesGatherer {
  readonly #offsets: Int32Array
  #data = new Uint8Array(0)
  #length = 0
  #row = 0

  constructor(rows: number) {
    this.#offsets = new Int32Array(rows + 1)
  }

  add(dense: DenseBytes, rows: number, validity: Uint8Array | null): void {
    this.#reserve(dense.lengths)
    if (dense.contiguous) this.#copyWhole(dense)
    else this.#copyEach(dense)
    const offsets = this.#offsets
    const first = this.#row
    let at = offsets[first]!
    let next = 0
    for (let row = first; row < first + rows; row++) {
      if (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0) at += dense.lengths[next++]!
      offsets[row + 1] = at
    }
    this.#row = first + rows
  }

  #copyWhole({ data, starts, lengths }: DenseBytes): void {
    if (lengths.length === 0) return
    const end = starts.at(-1)! + lengths.at(-1)!
    this.#data.set(data.subarray(starts[0]!, end), this.#length)
    this.#length += end - starts[0]!
  }

  #copyEach({ data: from, starts, lengths }: DenseBytes): void {
    const to = this.#data
    let at = this.#length
    for (let value = 0; value < lengths.length; value++) {
      const start = starts[value]!
      const length = lengths[value]!
      if (length > LOOP_BYTES_MAX) to.set(from.subarray(start, start + length), at)
      else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!
      at += length
    }
    this.#length = at
  }

  #reserve(lengths: Int32Array): void {
    let needed = this.#length
    for (let i = 0; i < lengths.length; i++) needed += lengths[i]!
    if (needed > BYTES_MAX) throw tooLarge(needed)
    if (needed <= this.#data.length) return
    const length = this.#length === 0 ? needed : Math.min(BYTES_MAX, Math.max(needed, 2 * this.#data.length))
    this.#data = resized(this.#data, length, this.#length)
  }

  finish(): BytesValues {
    return { kind: 'bytes', offsets: this.#offsets, data: this.#data.subarray(0, this.#length), gap: 0 }
  }
}
