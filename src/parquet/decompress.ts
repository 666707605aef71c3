import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { compressors } from 'hyparquet-compressors'
import { snappyUncompressor } from 'hysnappy'

/** A page that can't be decompressed; the caller adds the place. */
export class PageError extends Error {}

let snappy: ((input: Uint8Array, outputLength: number) => Uint8Array) | undefined

/**
 * Decompresses one page to exactly `length` bytes, which the caller found plausible.
 *
 * Snappy runs as WebAssembly, because it is three times as fast as JavaScript; gzip, brotli and zstd are Node's own.
 */
export function decompress(codec: string, input: Uint8Array, length: number): Uint8Array {
  const output = length === 0 && codec !== 'UNCOMPRESSED' ? new Uint8Array(0) : decompressAs(codec, input, length)
  if (output.length !== length) throw new PageError(`expected ${length} bytes when decompressed, found ${output.length}`)
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
        return gunzipSync(input, { maxOutputLength: length })
      case 'BROTLI':
        return brotliDecompressSync(input, { maxOutputLength: length })
      case 'ZSTD':
        return zstdDecompressSync(input, { maxOutputLength: length })
      case 'LZ4':
      case 'LZ4_RAW':
        return compressors[codec]!(input, length)
    }
  } catch (error) {
    if (error instanceof PageError) throw error
    throw new PageError(`expected ${codec} data, found something else (${(error as Error).message})`)
  }
  throw new PageError(`expected a codec of Parquet, found ${codec}`)
}

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
