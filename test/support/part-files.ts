import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bucketOf, hashBytes } from '../../src/columns/hash.ts'
import type { ComparedGeneration } from '../../src/compare/stream.ts'
import { manifestColumn } from '../../src/model/manifest.ts'
import type { Fields } from '../../src/model/type.ts'
import { partName } from '../../src/storage/generations.ts'
import { ByteWriter, makeKeyCodec } from '../../src/view/key-codec.ts'
import { type Row, writeRows } from './logs.ts'

export interface Shape {
  readonly key: Fields
  readonly columns: Fields
}

/** The key of a row as the bytes by which rows are sorted and dealt. */
export function keyBytes(key: Fields, row: Row): Buffer {
  const writer = new ByteWriter()
  makeKeyCodec(key).write(row, writer)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

/** Writes 2^`bits` part files as the engine deals and sorts them; rows of one key stay in their order. */
export function writeParts(
  folder: string,
  { key, columns }: Shape,
  rows: readonly Row[],
  bits: number,
  rowGroupRows = 65_536,
): ComparedGeneration {
  mkdirSync(folder, { recursive: true })
  const keyed = rows.map((row) => ({ row, bytes: keyBytes(key, row) }))
  keyed.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  const files = Array.from({ length: 2 ** bits }, (_, part) => {
    const own = keyed.filter(({ bytes }) => bucketOf(hashBytes(bytes, 0, bytes.length), bits) === part)
    writeRows(
      join(folder, partName(part)),
      { ...key, ...columns },
      own.map(({ row }) => row),
      { rowGroupRows },
    )
    return { name: partName(part), rows: own.length }
  })
  const described = (fields: Fields) => Object.entries(fields).map(([name, type]) => manifestColumn(name, type))
  return { folder, files, key: described(key), columns: described(columns) }
}
