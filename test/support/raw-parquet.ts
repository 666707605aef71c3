import type { SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'

/** A required column: its schema element and its values as PLAIN bytes. */
export interface RawColumn {
  readonly element: SchemaElement
  readonly bytes: Uint8Array
}

/** A file of one row group, of columns that no writer of the project makes: INT96, or another writer's name. */
export function rawParquet(rows: number, columns: readonly RawColumn[], createdBy: string): Uint8Array {
  const writer = new ByteWriter()
  writer.appendBytes(Buffer.from('PAR1'))
  const chunks = columns.map(({ element, bytes }) => {
    const offset = BigInt(writer.offset)
    writePageHeader(writer, {
      type: 'DATA_PAGE',
      uncompressed_page_size: bytes.length,
      compressed_page_size: bytes.length,
      data_page_header: {
        num_values: rows,
        encoding: 'PLAIN',
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    })
    writer.appendBytes(bytes)
    const size = BigInt(writer.offset) - offset
    return {
      file_offset: 0n,
      meta_data: {
        type: element.type!,
        encodings: ['PLAIN' as const],
        path_in_schema: [element.name],
        codec: 'UNCOMPRESSED' as const,
        num_values: BigInt(rows),
        total_uncompressed_size: size,
        total_compressed_size: size,
        data_page_offset: offset,
      },
    }
  })
  writeMetadata(writer, {
    version: 2,
    created_by: createdBy,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.map(({ element }) => element)],
    num_rows: BigInt(rows),
    row_groups: [
      {
        columns: chunks,
        total_byte_size: chunks.reduce((sum, { meta_data }) => sum + meta_data.total_compressed_size, 0n),
        num_rows: BigInt(rows),
      },
    ],
    metadata_length: 0,
  })
  writer.appendBytes(Buffer.from('PAR1'))
  return writer.getBytes()
}

const NANOSECONDS_A_DAY = 86_400_000_000_000n
const JULIAN_DAY_OF_1970 = 2_440_588n

/** Moments in nanoseconds as PLAIN INT96. */
export function int96Bytes(moments: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(12 * moments.length)
  const view = new DataView(bytes.buffer)
  moments.forEach((moment, i) => {
    const time = ((moment % NANOSECONDS_A_DAY) + NANOSECONDS_A_DAY) % NANOSECONDS_A_DAY
    view.setBigInt64(12 * i, time, true)
    view.setInt32(12 * i + 8, Number((moment - time) / NANOSECONDS_A_DAY + JULIAN_DAY_OF_1970), true)
  })
  return bytes
}

/** Strings as PLAIN bytes. */
export function stringBytes(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => [new Uint8Array(Uint32Array.of(Buffer.byteLength(text)).buffer), Buffer.from(text)]),
  )
}
