import { createHash } from 'node:crypto'
import {
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  type RowGroup as RowGroupMetaData,
  type SchemaTree,
} from 'hyparquet'
import { InputError } from '../model/errors.ts'
import type { ReadableFile } from '../storage/store.ts'
import { noteLocalInt96, type SchemaField, schemaFields } from './schema.ts'
import { type ColumnStatistics, chunkStatistics } from './statistics.ts'
import { checkThrift } from './thrift.ts'

export type { SchemaField } from './schema.ts'

/** A Parquet file whose footer was read and found valid. */
export interface ParquetFile {
  readonly file: ReadableFile
  readonly path: string
  readonly rows: number
  readonly createdBy: string | undefined
  /** Top-level columns, in the file's order. */
  readonly schema: readonly SchemaField[]
  readonly rowGroups: readonly RowGroup[]
  readonly keyValueMetadata: ReadonlyMap<string, string>
  /** The footer as hyparquet gives it; for this folder only. */
  readonly metadata: FileMetaData
  readonly tree: SchemaTree
}

export interface RowGroup {
  readonly index: number
  readonly rows: number
  readonly byteOffset: number
  readonly bytesCompressed: number
  readonly bytesUncompressed: number
  readonly codecs: readonly string[]
  /** Bytes of a column, or of all leaves below a path. */
  columnBytes(path: readonly string[]): number
  /** Undefined where there are none, or none that can be trusted. */
  statistics(path: readonly string[]): ColumnStatistics | undefined
}

const MAGIC = 'PAR1'
const ENCRYPTED_MAGIC = 'PARE'
/** Magic at both ends and the footer's length. */
const BYTES_MIN = 12
const ROWS_MAX = 2 ** 31 - 1

/** The raw values of statistics: bigints of moments, bytes of strings. */
const parsers = {
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
  stringFromBytes: (bytes: Uint8Array) => bytes,
  uuidFromBytes: (bytes: Uint8Array) => bytes,
}

/**
 * Reads and checks a file's footer.
 *
 * @throws InputError where it isn't Parquet, is cut off, is encrypted, or claims the impossible.
 */
export function openParquet(file: ReadableFile): ParquetFile {
  const metadata = readFooter(file)
  // Any error that hyparquet's code or ours throws here means that the footer is damaged.
  return understood(file, () => {
    const tree = parquetSchema(metadata)
    if (metadata.created_by?.startsWith('impala')) noteLocalInt96(metadata.schema)
    checkFooter(file, metadata)
    const order = leafNames(tree)
    return {
      file,
      path: file.path,
      rows: metadata.row_groups.reduce((sum, rowGroup) => sum + Number(rowGroup.num_rows), 0),
      createdBy: metadata.created_by,
      schema: schemaFields(tree),
      rowGroups: metadata.row_groups.map((rowGroup, index) => describeRowGroup(rowGroup, index, tree, order)),
      keyValueMetadata: new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ''])),
      metadata,
      tree,
    }
  })
}

/** The schema's leaves, in its order, which the chunks of each row group should have too. */
function leafNames(tree: SchemaTree): string[] {
  return tree.children.length === 0 ? [tree.path.join('.')] : tree.children.flatMap(leafNames)
}

function readFooter(file: ReadableFile): FileMetaData {
  const { byteLength } = file
  if (byteLength < BYTES_MIN)
    throw refuse(file, `a Parquet file of at least ${BYTES_MIN} bytes`, `a file of ${byteLength} bytes`)
  const head = textOf(file.read(0, 4))
  const tail = file.read(byteLength - 8, 8)
  const end = textOf(tail.subarray(4))
  if (head === ENCRYPTED_MAGIC || end === ENCRYPTED_MAGIC)
    throw refuse(file, 'a file that is not encrypted', 'one with an encrypted footer, which Refold does not support')
  if (head !== MAGIC)
    throw refuse(file, `"${MAGIC}" at the beginning`, `${JSON.stringify(head)}; it is not a Parquet file`)
  if (end !== MAGIC)
    throw refuse(file, `"${MAGIC}" at the end`, `${JSON.stringify(end)}; the file is cut off or was not finished`)
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  if (length > byteLength - BYTES_MIN)
    throw refuse(file, `a footer of at most ${byteLength - BYTES_MIN} bytes`, `one of ${length}`)
  const footer = file.read(byteLength - 8 - length, length + 8)
  return understood(file, () => {
    checkThrift(footer.subarray(0, length), 0)
    return parquetMetadata(footer, { parsers: parsers as never, geoparquet: false })
  })
}

/** Hash of a file's footer and what follows it, lower-case hexadecimal. */
export function footerSha256(file: ReadableFile): string {
  const { byteLength } = file
  const tail = file.read(byteLength - 8, 8)
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  // A file that was replaced may end with any number.
  const bytes = Math.min(length + 8, byteLength)
  return createHash('sha256')
    .update(file.read(byteLength - bytes, bytes))
    .digest('hex')
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function refuse(file: ReadableFile, expected: string, found: string): InputError {
  return new InputError(`Cannot read ${file.path}: expected ${expected}, found ${found}.`, { file: file.path })
}

function understood<T>(file: ReadableFile, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof InputError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new InputError(
      `Cannot read ${file.path}: expected a Parquet footer, found one that makes no sense (${message}).`,
      { file: file.path },
      { cause: error },
    )
  }
}

function checkFooter(file: ReadableFile, metadata: FileMetaData): void {
  if (!Array.isArray(metadata.row_groups)) throw refuse(file, 'row groups in the footer', 'none')
  let rows = 0
  for (const [index, rowGroup] of metadata.row_groups.entries()) {
    const count = Number(rowGroup.num_rows)
    if (!(Number.isInteger(count) && count >= 0 && count <= ROWS_MAX)) {
      throw refuse(file, `row group ${index} to have 0 to ${ROWS_MAX} rows`, String(rowGroup.num_rows))
    }
    rows += count
    for (const column of rowGroup.columns) checkChunk(file, index, column, count)
  }
  // Some writers leave the file's own count at zero.
  const claimed = Number(metadata.num_rows)
  if (claimed !== rows && claimed !== 0)
    throw refuse(file, `${claimed} rows, as the footer says`, `row groups of ${rows}`)
}

function checkChunk(
  file: ReadableFile,
  rowGroup: number,
  column: RowGroupMetaData['columns'][number],
  rows: number,
): void {
  if (
    column.crypto_metadata !== undefined ||
    (column as { encrypted_column_metadata?: unknown }).encrypted_column_metadata !== undefined
  ) {
    throw refuse(
      file,
      'columns that are not encrypted',
      `an encrypted one in row group ${rowGroup}, which Refold does not support`,
    )
  }
  if (column.file_path) throw refuse(file, 'columns in the file itself', `one in ${column.file_path}`)
  const chunk = column.meta_data
  if (chunk === undefined || !Array.isArray(chunk.path_in_schema))
    throw refuse(file, `columns in row group ${rowGroup}`, 'one without a description')
  // A chunk without rows may claim to begin anywhere, and is never read.
  if (rows === 0) return
  const name = chunk.path_in_schema.join('.')
  const start = chunkStart(chunk)
  const length = Number(chunk.total_compressed_size)
  if (!(start >= 4 && length >= 0 && start + length <= file.byteLength - 8)) {
    throw new InputError(
      `Cannot read ${file.path}, row group ${rowGroup}, column "${name}": expected its bytes within the file's ${file.byteLength}, found ${length} bytes from byte ${start}.`,
      { file: file.path, rowGroup, column: name },
    )
  }
}

type ChunkMetaData = NonNullable<RowGroupMetaData['columns'][number]['meta_data']>

/** Where a chunk's first page begins. Some writers say 0 for a dictionary that isn't there. */
export function chunkStart(chunk: ChunkMetaData): number {
  const dictionary = Number(chunk.dictionary_page_offset ?? 0)
  const data = Number(chunk.data_page_offset)
  return dictionary > 0 && dictionary < data ? dictionary : data
}

function describeRowGroup(
  rowGroup: RowGroupMetaData,
  index: number,
  tree: SchemaTree,
  order: readonly string[],
): RowGroup {
  const chunks = rowGroup.columns.map((column) => column.meta_data!)
  // hyparquet reads a chunk's bounds as the type of the leaf at its place.
  const inOrder = chunks.every((chunk, i) => chunk.path_in_schema.join('.') === order[i])
  const below = (path: readonly string[]) =>
    chunks.filter((chunk) => path.every((name, i) => chunk.path_in_schema[i] === name))
  const sum = (of: readonly ChunkMetaData[], size: 'total_compressed_size' | 'total_uncompressed_size') =>
    of.reduce((total, chunk) => total + Number(chunk[size]), 0)
  return {
    index,
    rows: Number(rowGroup.num_rows),
    byteOffset: Math.min(...chunks.map(chunkStart)),
    bytesCompressed: sum(chunks, 'total_compressed_size'),
    bytesUncompressed: sum(chunks, 'total_uncompressed_size'),
    codecs: [...new Set(chunks.map((chunk) => chunk.codec as string))],
    columnBytes: (path) => sum(below(path), 'total_compressed_size'),
    statistics: (path) => {
      const [chunk, ...more] = below(path)
      return chunk === undefined || more.length > 0 || !inOrder ? undefined : chunkStatistics(chunk, tree)
    },
  }
}
