import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { columnFromValues } from '../../src/columns/from-values.ts'
import { uuidOfHex } from '../../src/model/byte-text.ts'
import { type Column, isPresent } from '../../src/model/column.ts'
import type { Manifest } from '../../src/model/manifest.ts'
import { isWide } from '../../src/model/slots.ts'
import type { Fields, Type } from '../../src/model/type.ts'
import { openParquet } from '../../src/parquet/file.ts'
import { readColumns } from '../../src/parquet/scan.ts'
import { encodeParquet, type OutputCodec } from '../../src/parquet/write.ts'
import { disk } from '../../src/storage/disk.ts'

export type Row = Readonly<Record<string, unknown>>

/** A new folder under the system's temporary folder, and how to remove it. */
export function scratch(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `refold-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** How a log's events are laid out in a file. */
export interface Encoding {
  readonly rowGroupRows?: number
  readonly codec?: OutputCodec
  /** Strings as codes and a dictionary. */
  readonly dictionary?: boolean
}

/** Writes a Parquet file of rows whose values are as handlers see them; its folder is made where it isn't there. */
export function writeRows(path: string, fields: Fields, rows: readonly Row[], encoding: Encoding = {}): string {
  const columns = Object.entries(fields).map(([name, type]) => ({ name, type }))
  const data = columns.map(({ name, type }) => {
    const column = columnFromValues(
      type,
      rows.map((row) => row[name]),
      'handler',
    )
    return encoding.dictionary === true && column.kind === 'bytes' ? coded(column) : column
  })
  const { rowGroupRows = 65_536, codec = 'UNCOMPRESSED', dictionary = false } = encoding
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Buffer.concat(encodeParquet(columns, data, { rowGroupRows, codec, dictionary })))
  return path
}

function coded(column: Extract<Column, { kind: 'bytes' }>): Column {
  const texts = textsOf(column)
  const distinct = [...new Set(texts)]
  const codeOf = new Map(distinct.map((text, code) => [text, code]))
  const { length, nullCount, validity } = column
  const dictionary = columnFromValues({ kind: 'string', nullable: false }, distinct) as typeof column
  const codes = Int32Array.from(texts, (text, row) => (isPresent(column, row) ? codeOf.get(text)! : 0))
  return { kind: 'dictionary', length, nullCount, validity, codes, dictionary }
}

function textsOf(column: Extract<Column, { kind: 'bytes' }>): string[] {
  const { data, offsets, gap } = column
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: column.length }, (_, row) =>
    buffer.toString('utf8', offsets[row], offsets[row + 1]! - gap),
  )
}

/** Spreads rows over files and row groups, in the order of `rank`. */
export interface Layout extends Encoding {
  readonly files: number
  /** Gives each row its place; absent: as they are. */
  readonly rank?: (index: number) => number
  /** Hive folders, as `p=1`; file i goes into folder i modulo their number. */
  readonly folders?: readonly string[]
}

/** Writes a log as several files below `folder`. @returns A glob of them. */
export function writeLogFiles(folder: string, fields: Fields, rows: readonly Row[], layout: Layout): string {
  const { files, rank, folders = ['.'] } = layout
  const order = [...rows.keys()]
  if (rank !== undefined) order.sort((a, b) => rank(a) - rank(b) || a - b)
  for (let file = 0; file < files; file++) {
    const from = Math.floor((order.length * file) / files)
    const to = Math.floor((order.length * (file + 1)) / files)
    const own = order.slice(from, to).map((index) => rows[index]!)
    writeRows(
      join(folder, folders[file % folders.length]!, `${String(file).padStart(4, '0')}.parquet`),
      fields,
      own,
      layout,
    )
  }
  return join(folder, '**/*.parquet')
}

/** The published rows of a generation as handlers would see their values, part after part. */
export function readPublished(path: string): {
  readonly manifest: Manifest
  readonly rows: Row[]
  readonly parts: Row[][]
} {
  const manifest = JSON.parse(readFileSync(join(path, '_manifest.json'), 'utf8')) as Manifest
  const columns = [...manifest.key, ...manifest.columns]
  const types = Object.fromEntries(columns.map(({ name, type, ...rest }) => [name, { kind: type, ...rest } as Type]))
  const parts = manifest.files.map(({ name }) => readFile(join(path, name), types))
  return { manifest, rows: parts.flat(), parts }
}

/** The list of exceptions of a generation. */
export function readExceptions(path: string): Row[] {
  const { manifest } = readPublished(path)
  const text: Type = { kind: 'string', nullable: false }
  const types = { reason: text, event_id: text, type: text, detail: text }
  return manifest.exceptions.flatMap(({ name }) => readFile(join(path, name), types))
}

/** All rows of a file, by its columns' declared types. */
export function readFile(path: string, types: Fields): Row[] {
  const names = Object.keys(types)
  const file = disk.openForReading(path)
  try {
    const parquet = openParquet(file)
    return parquet.rowGroups.flatMap(({ index, rows }) => {
      const columns = readColumns(
        parquet,
        index,
        names.map((name) => [name]),
      )
      return Array.from({ length: rows }, (_, row) =>
        Object.fromEntries(names.map((name, i) => [name, handlerValue(columns[i]!, types[name]!, row)])),
      )
    })
  } finally {
    file.close()
  }
}

/** A value of a column as handlers would see it. */
export function handlerValue(column: Column, type: Type, row: number): unknown {
  if (!isPresent(column, row)) return null
  if (type.kind === 'bytes') return storedValue(column, row, 'hex')
  if (type.kind === 'uuid') return uuidOfHex(storedValue(column, row, 'hex') as string)
  const value = storedValue(column, row)
  if (type.kind === 'json') return JSON.parse(value as string)
  const asBigInt = ['bigint', 'uint64'].includes(type.kind) || isWide(type) || type.unit === 'ns'
  return typeof value === 'bigint' && !asBigInt ? Number(value) : value
}

function storedValue(column: Column, row: number, encoding: 'utf8' | 'hex' = 'utf8'): unknown {
  switch (column.kind) {
    case 'bool':
      return (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
    case 'bytes': {
      const { data, offsets, gap } = column
      return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(
        encoding,
        offsets[row],
        offsets[row + 1]! - gap,
      )
    }
    case 'dictionary':
      return storedValue(column.dictionary, column.codes[row]!, encoding)
    default:
      return column.values[row]
  }
}
