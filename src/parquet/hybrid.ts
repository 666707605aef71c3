import { PageError } from './decompress.ts'

/**
 * Parquet's RLE / bit-packed hybrid: runs of one repeated value, and runs of eight values each in `width` bits. Source:
 * Apache Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

/** Decodes `count` integers of `width` bits into `output` from `first` on. */
export function decodeHybrid(bytes: Uint8Array, width: number, output: Int32Array, first: number, count: number): void {
  if (width > 32) throw new PageError(`expected integers of at most 32 bits, found ${width}`)
  const end = first + count
  let at = 0
  let to = first
  while (to < end) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new PageError(`expected ${count} encoded integers, found ${to - first}`)
      const byte = bytes[at++]!
      header |= (byte & 0x7f) << shift
      if (byte < 128) break
    }
    if ((header & 1) === 1) {
      const values = (header >>> 1) * 8
      const length = (header >>> 1) * width
      const take = Math.min(values, end - to)
      if (at + ((take * width + 7) >> 3) > bytes.length) throw new PageError(`expected ${count} encoded integers, found the end of the page`)
      unpack(bytes, at, width, output, to, take)
      at += length
      to += take
    } else {
      const repeat = Math.min(header >>> 1, end - to)
      if (header === 0) throw new PageError('expected a run of integers, found one of none')
      let value = 0
      for (let i = 0; i < (width + 7) >> 3; i++) value |= (bytes[at++] ?? 0) << (8 * i)
      output.fill(value, to, to + repeat)
      to += repeat
    }
  }
}

function unpack(bytes: Uint8Array, start: number, width: number, output: Int32Array, first: number, count: number): void {
  if (width === 8) {
    for (let i = 0; i < count; i++) output[first + i] = bytes[start + i]!
    return
  }
  if (width > 24) return unpackWide(bytes, start, width, output, first, count)
  const mask = 2 ** width - 1
  let buffer = 0
  let bits = 0
  let at = start
  for (let i = 0; i < count; i++) {
    while (bits < width) {
      buffer |= bytes[at++]! << bits
      bits += 8
    }
    output[first + i] = buffer & mask
    buffer >>>= width
    bits -= width
  }
}

/** More than 24 bits don't fit a 32-bit buffer beside what is left of the byte before. */
function unpackWide(bytes: Uint8Array, start: number, width: number, output: Int32Array, first: number, count: number): void {
  for (let i = 0; i < count; i++) {
    let value = 0n
    const from = i * width
    for (let byte = from >> 3; byte <= (from + width - 1) >> 3; byte++) value |= BigInt(bytes[start + byte]!) << BigInt(8 * (byte - (from >> 3)))
    output[first + i] = Number(BigInt.asIntN(32, (value >> BigInt(from & 7)) & ((1n << BigInt(width)) - 1n)))
  }
}
