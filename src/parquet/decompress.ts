import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { snappyUncompressor } from 'hysnappy'
import { decompressLz4, decompressLz4Raw } from './lz4.ts'
import { PageError } from './page-error.ts'

/**
 * How many times larger than its input a format's output can be at most: a header that claims more is damaged, and is
 * refused before memory is allocated. The others stop by themselves when they have produced the expected length.
 */
const RATIO_MAX: Readonly<Record<string, number>> = { SNAPPY: 64, LZ4: 256, LZ4_RAW: 256 }

/**
 * Decompresses one page to exactly `length` bytes.
 *
 * Snappy runs as WebAssembly, because it is three times as fast as JavaScript; gzip, brotli and zstd are Node's own.
 */
export function decompress(codec: string, input: Uint8Array, length: number): Uint8Array {
  const ratio = RATIO_MAX[codec]
  if (ratio !== undefined && length > (input.length + 1) * ratio) {
    throw new PageError(
      `expected at most ${(input.length + 1) * ratio} bytes out of ${input.length} by ${codec}, found ${length} claimed`,
    )
  }
  const output = length === 0 && codec !== 'UNCOMPRESSED' ? new Uint8Array(0) : decompressAs(codec, input, length)
  if (output.length !== length)
    throw new PageError(`expected ${length} bytes when decompressed, found ${output.length}`)
  return output
}

function decompressAs(codec: string, input: Uint8Array, length: number): Uint8Array {
  try {
    switch (codec) {
      case 'UNCOMPRESSED':
        return input
      case 'SNAPPY':
        return decompressSnappy(input, length)
      case 'GZIP':
        return unpooled(gunzipSync(input, { maxOutputLength: length }))
      case 'BROTLI':
        return unpooled(brotliDecompressSync(input, { maxOutputLength: length }))
      case 'ZSTD':
        return unpooled(zstdDecompressSync(input, { maxOutputLength: length }))
      case 'LZ4':
        return decompressLz4(input, length)
      case 'LZ4_RAW':
        return decompressLz4Raw(input, length)
    }
  } catch (error) {
    if (error instanceof PageError) throw error
    throw new PageError(`expected ${codec} data, found something else (${(error as Error).message})`)
  }
  throw new PageError(`expected a codec of Parquet, found ${codec}`)
}

/** Small Buffers may lie in memory that others share, and that can't be handed to another thread. */
function unpooled(buffer: Buffer): Uint8Array {
  if (buffer.length < Buffer.poolSize) return Uint8Array.from(buffer)
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

let snappy: ((input: Uint8Array, outputLength: number) => Uint8Array) | undefined

/** The WebAssembly code trusts the length that the data itself declares, so that is compared first. */
function decompressSnappy(input: Uint8Array, length: number): Uint8Array {
  let declared = 0
  let at = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = input[at++]
    if (byte === undefined) throw new PageError('expected Snappy data, found none')
    declared += (byte & 0x7f) * 2 ** shift
    if (byte < 128) break
  }
  if (declared !== length) throw new PageError(`expected ${length} bytes when decompressed, found ${declared} declared`)
  snappy ??= snappyUncompressor()
  return snappy(input, length)
}
