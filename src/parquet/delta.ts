import { bitsAt } from './hybrid.ts'
import { PageError } from './page-error.ts'

/**
 * DELTA_BINARY_PACKED and what builds on it. Ours, because hyparquet's reads past a page's end into the next one where a
 * length is damaged, and adds 64-bit integers as BigInts. Source: Apache Parquet format, Encodings.md, "Delta Encoding".
 *
 * Integers of 64 bits are kept as two words of 32, the lower first, and added with a carry.
 */

interface Reader {
  readonly bytes: Uint8Array
  at: number
}

/** A block's integers may not be spread thinner than this; real writers use 32 and 4. */
const MINIBLOCKS_MAX = 512

/**
 * Decodes `count` integers.
 *
 * @param output Int32Array: one word a value (lower 32 bits); of a BigInt64Array's memory: two.
 * @param wordsPerValue 1 or 2.
 * @returns Where the integers end.
 */
function decodeWords(reader: Reader, output: Int32Array, first: number, count: number, wordsPerValue: 1 | 2): void {
  const blockSize = readVarint(reader)
  const miniblocks = readVarint(reader)
  const promised = readVarint(reader)
  const perMiniblock = blockSize / miniblocks
  if (!(miniblocks > 0 && miniblocks <= MINIBLOCKS_MAX && perMiniblock > 0 && perMiniblock % 8 === 0)) {
    throw new PageError(`expected blocks of delta encoding, found ${miniblocks} parts of ${blockSize} values`)
  }
  if (promised < count) throw new PageError(`expected ${count} integers, found ${promised}`)
  const value: Words = { low: 0, high: 0 }
  readZigzag(reader, value)
  // Where there are no values at all, the first one is absent or without meaning; some writers count more than are wanted.
  if (count > 0) store(output, first, value, wordsPerValue)
  const minimum: Words = { low: 0, high: 0 }
  let done = Math.min(1, promised)
  while (done < promised) {
    readZigzag(reader, minimum)
    const widths = reader.at
    reader.at += miniblocks
    if (reader.at > reader.bytes.length) throw cutOff(count, done)
    for (let i = 0; i < miniblocks && done < promised; i++) {
      const width = reader.bytes[widths + i]!
      const take = Math.min(perMiniblock, promised - done)
      if (width > 64) throw new PageError(`expected integers of at most 64 bits, found ${width}`)
      if (reader.at + Math.ceil((take * width) / 8) > reader.bytes.length) throw cutOff(count, done)
      addMiniblock(reader, width, take, minimum, value, output, first + done, Math.max(0, count - done), wordsPerValue)
      reader.at = Math.min(reader.bytes.length, reader.at + (perMiniblock / 8) * width)
      done += take
    }
  }
}

interface Words {
  low: number
  high: number
}

function addMiniblock(
  { bytes, at }: Reader,
  width: number,
  take: number,
  minimum: Words,
  value: Words,
  output: Int32Array,
  first: number,
  room: number,
  wordsPerValue: 1 | 2,
): void {
  let { low, high } = value
  const lowWidth = Math.min(width, 32)
  for (let i = 0, byte = at, bit = 0; i < take; i++) {
    const deltaLow = lowWidth === 0 ? 0 : bitsAt(bytes, byte, bit, lowWidth)
    if (wordsPerValue === 2) {
      const deltaHigh = width > 32 ? bitsAt(bytes, byte + 4, bit, width - 32) : 0
      const sum = (low >>> 0) + (minimum.low >>> 0) + (deltaLow >>> 0)
      low = sum | 0
      high = (high + minimum.high + deltaHigh + (sum - (sum >>> 0)) / 2 ** 32) | 0
    } else {
      low = (low + minimum.low + deltaLow) | 0
    }
    if (i < room) {
      output[(first + i) * wordsPerValue] = low
      if (wordsPerValue === 2) output[(first + i) * 2 + 1] = high
    }
    bit += width
    byte += bit >> 3
    bit &= 7
  }
  value.low = low
  value.high = high
}

function store(output: Int32Array, index: number, value: Words, wordsPerValue: 1 | 2): void {
  output[index * wordsPerValue] = value.low
  if (wordsPerValue === 2) output[index * 2 + 1] = value.high
}

function cutOff(count: number, done: number): PageError {
  return new PageError(`expected ${count} delta-encoded integers, found ${done}`)
}

function readVarint(reader: Reader): number {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 128) return value
  }
  throw new PageError('expected a length in delta encoding, found none')
}

/** Integers whose sign is the lowest bit, as in Protocol Buffers, of up to 64 bits. */
function readZigzag(reader: Reader, into: Words): void {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) break
    value |= BigInt(byte & 0x7f) << shift
    if (byte >= 128) continue
    const signed = (value >> 1n) ^ -(value & 1n)
    into.low = Number(BigInt.asIntN(32, signed))
    into.high = Number(BigInt.asIntN(32, signed >> 32n))
    return
  }
  throw new PageError('expected an integer in delta encoding, found none')
}

/** Decodes a page of DELTA_BINARY_PACKED integers into `output` from `first` on. */
export function decodeDelta(bytes: Uint8Array, output: Int32Array | BigInt64Array, first: number, count: number): void {
  if (count === 0) return
  const words = new Int32Array(output.buffer, output.byteOffset, output.byteLength / 4)
  decodeWords({ bytes, at: 0 }, words, first, count, output instanceof Int32Array ? 1 : 2)
}

/** Where the values of a page of bytes lie: value i is `data[starts[i] … starts[i] + lengths[i])`. */
export interface DenseBytes {
  readonly data: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
  /** Whether the values lie side by side, in their order. */
  readonly contiguous: boolean
}

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. */
export function decodeDeltaLengths(bytes: Uint8Array, count: number): DenseBytes {
  return layOut({ bytes, at: 0 }, count)
}

function layOut(reader: Reader, count: number): DenseBytes {
  const lengths = new Int32Array(count)
  const starts = new Int32Array(count)
  if (count > 0) decodeWords(reader, lengths, 0, count, 1)
  let { at } = reader
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    if (length < 0 || length > reader.bytes.length - at) {
      throw new PageError(`expected a value of at most ${reader.bytes.length - at} bytes, found one of ${length}`)
    }
    starts[i] = at
    at += length
  }
  return { data: reader.bytes, starts, lengths, contiguous: true }
}

/** More than any real page, less than what would exhaust memory. */
const BYTES_MAX = 2 ** 31 - 1

/** DELTA_BYTE_ARRAY: how much each value shares with the one before, then the rest of each. */
export function decodeDeltaBytes(bytes: Uint8Array, count: number): DenseBytes {
  const reader = { bytes, at: 0 }
  const shared = new Int32Array(count)
  if (count > 0) decodeWords(reader, shared, 0, count, 1)
  const rest = layOut(reader, count)
  const lengths = new Int32Array(count)
  const starts = new Int32Array(count)
  let total = 0
  for (let i = 0; i < count; i++) {
    const before = i === 0 ? 0 : lengths[i - 1]!
    if (shared[i]! < 0 || shared[i]! > before)
      throw new PageError(`expected to share at most ${before} bytes, found ${shared[i]}`)
    starts[i] = total
    lengths[i] = shared[i]! + rest.lengths[i]!
    total += lengths[i]!
    if (total > BYTES_MAX) throw new PageError(`expected at most 2 GiB of values in a page, found more`)
  }
  const data = new Uint8Array(total)
  for (let i = 0; i < count; i++) {
    if (shared[i]! > 0) data.copyWithin(starts[i]!, starts[i - 1]!, starts[i - 1]! + shared[i]!)
    data.set(rest.data.subarray(rest.starts[i]!, rest.starts[i]! + rest.lengths[i]!), starts[i]! + shared[i]!)
  }
  return { data, starts, lengths, contiguous: true }
}
