import { PageError } from './page-error.ts'

/**
 * LZ4 blocks. Ours, because a block that ends too early must be an error: hyparquet-compressors fills what is missing
 * with zeros. Source: LZ4 Block Format Description.
 */

/** Decompresses one raw block to exactly `length` bytes. */
export function decompressLz4Raw(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  const end = decompressBlock(input, output, 0)
  if (end !== length) throw new PageError(`expected ${length} bytes when decompressed, found ${end}`)
  return output
}

/**
 * Decompresses what Parquet calls LZ4: Hadoop's frames of two big-endian lengths and a block each, or, by some
 * writers, one raw block. Only a whole chain of frames that fits exactly is taken for Hadoop's.
 */
export function decompressLz4(input: Uint8Array, length: number): Uint8Array {
  const frames = hadoopFrames(input, length)
  if (frames === undefined) return decompressLz4Raw(input, length)
  const output = new Uint8Array(length)
  let at = 0
  for (const frame of frames) {
    const end = decompressBlock(input.subarray(frame.start, frame.end), output, at)
    if (end !== at + frame.length) return decompressLz4Raw(input, length)
    at = end
  }
  return output
}

interface Frame {
  readonly start: number
  readonly end: number
  readonly length: number
}

function hadoopFrames(input: Uint8Array, length: number): Frame[] | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const frames: Frame[] = []
  let total = 0
  for (let at = 0; at < input.length; ) {
    if (at + 8 > input.length) return undefined
    const frame = { length: view.getUint32(at), start: at + 8, end: at + 8 + view.getUint32(at + 4) }
    if (frame.end > input.length) return undefined
    frames.push(frame)
    total += frame.length
    at = frame.end
  }
  return total === length ? frames : undefined
}

/** @returns Where in `output` the block ends. */
function decompressBlock(input: Uint8Array, output: Uint8Array, start: number): number {
  let from = 0
  let to = start
  while (from < input.length) {
    const token = input[from++]!
    let literals = token >> 4
    if (literals === 15) {
      const extra = extraLength(input, from)
      literals += extra.length
      from = extra.next
    }
    if (literals > input.length - from || literals > output.length - to)
      throw new PageError('expected LZ4 data, found literals beyond its end')
    output.set(input.subarray(from, from + literals), to)
    from += literals
    to += literals
    if (from === input.length) break
    const distance = input[from]! | (input[from + 1]! << 8)
    from += 2
    let length = (token & 15) + 4
    if ((token & 15) === 15) {
      const extra = extraLength(input, from)
      length += extra.length
      from = extra.next
    }
    if (distance === 0 || distance > to - start || length > output.length - to) {
      throw new PageError('expected LZ4 data, found a copy from before its beginning or beyond its end')
    }
    if (distance >= length) output.copyWithin(to, to - distance, to - distance + length)
    else for (let i = 0; i < length; i++) output[to + i] = output[to + i - distance]!
    to += length
  }
  return to
}

function extraLength(input: Uint8Array, start: number): { length: number; next: number } {
  let length = 0
  for (let at = start; at < input.length; at++) {
    length += input[at]!
    if (input[at] !== 255) return { length, next: at + 1 }
  }
  throw new PageError('expected LZ4 data, found a length without an end')
}
