import { gzipSync, zstdCompressSync } from 'node:zlib'
import { snappyCompressor } from 'hysnappy'

/** Compressions that files are written with. The bytes of GZIP and ZSTD depend on the libraries inside Node.js. */
export type OutputCodec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD'

type Compress = (bytes: Uint8Array) => Uint8Array

let snappy: Compress | undefined

/** What compresses a page, or `null` where nothing does. */
export function compressorOf(codec: OutputCodec): Compress | null {
  switch (codec) {
    case 'UNCOMPRESSED':
      return null
    case 'SNAPPY':
      snappy ??= snappyCompressor()
      return snappy
    case 'GZIP':
      return (bytes) => gzipSync(bytes)
    case 'ZSTD':
      return (bytes) => zstdCompressSync(bytes)
  }
}
