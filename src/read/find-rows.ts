import { bucketOf, hashBytes } from '../columns/hash.ts'
import { isPresent } from '../model/column.ts'
import type { Manifest, ManifestFile } from '../model/manifest.ts'
import type { ParquetFile, RowGroup, SchemaField } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import type { Store } from '../storage/store.ts'
import { ByteWriter, KeyValueError, makeKeyCodec } from '../view/key-codec.ts'
import { handlerValue, type KeyValue } from './key-text.ts'
import type { Rows } from './rows.ts'
import { rawReader, spellingOf } from './values.ts'
import { type FoundView, type OpenView, openParts, readNamedColumns } from './view-files.ts'

export interface RowRange {
  readonly rowGroup: number
  readonly from: number
  readonly to: number
}

/** Rows that are read at once when the place of a key is narrowed down to them: about a page. */
const windowRows = 4096

/** The key columns of a view, which come first in its files. */
export function keyFields({ manifest, parts }: Pick<OpenView, 'manifest' | 'parts'>): readonly SchemaField[] {
  return parts[0]?.schema.slice(0, manifest.key.length) ?? []
}

/**
 * Opens the part files in which a key may lie: one where all of its columns are given, as the hash that dealt the keys
 * out to the parts says which; else all of them.
 */
export function openForKey(view: FoundView, key: readonly KeyValue[], storage?: Store): OpenView {
  return openParts(view, filesOfKey(view.manifest, key), storage)
}

/** The part files in which a key may lie. */
export function filesOfKey(manifest: Manifest, key: readonly KeyValue[]): readonly ManifestFile[] {
  const part = partOf(manifest, key)
  return part === undefined ? manifest.files : [manifest.files[part]!]
}

function partOf({ key: allColumns, files, options }: Manifest, whole: readonly KeyValue[]): number | undefined {
  const bits = Math.log2(files.length)
  if (whole.length < allColumns.length || !Number.isInteger(bits)) return undefined
  // All vintages of a key are in one part: that of the key itself.
  const behind = options.vintages === null ? 0 : 1
  const columns = allColumns.slice(behind)
  const key = whole.slice(behind)
  const codec = makeKeyCodec(
    Object.fromEntries(columns.map((column) => [column.name, { ...column, kind: column.type }])),
  )
  const values = columns.map((column, index) => [column.name, handlerValue(column, key[index]!)])
  const writer = new ByteWriter()
  try {
    codec.write(Object.fromEntries(values), writer)
  } catch (error) {
    // No key of the view has such a value. Where it would lie nobody knows.
    if (error instanceof KeyValueError) return undefined
    throw error
  }
  return bucketOf(hashBytes(writer.bytes, 0, writer.length), bits)
}

/** The rows that begin with `key`, of the parts that are open. */
export function rowsOfKey(opened: Pick<OpenView, 'manifest' | 'parts'>, key: readonly KeyValue[]): Rows {
  const fields = keyFields(opened)
  const ranges = opened.parts.flatMap((part) => findRows(part, fields, key).map((range) => ({ part, range })))
  return {
    total: ranges.reduce((sum, { range }) => sum + range.to - range.from, 0),
    batches: ranges.map(({ part, range }) => readNamedColumns(part, range.rowGroup, range)),
  }
}

/**
 * The rows that begin with `key`, at most one range for each row group. Rows are sorted by key, nulls first; where
 * statistics don't exclude a row group, its place is narrowed down by reading single pages.
 */
export function findRows(part: ParquetFile, fields: readonly SchemaField[], key: readonly KeyValue[]): RowRange[] {
  const used = fields.slice(0, key.length)
  const ranges: RowRange[] = []
  for (const rowGroup of part.rowGroups) {
    if (isExcluded(rowGroup, used[0]!, key[0]!)) continue
    const from = boundary(part, rowGroup, used, 0, (row) => compareKeys(row, key) < 0)
    const to = boundary(part, rowGroup, used, from, (row) => compareKeys(row, key) <= 0)
    if (from < to) ranges.push({ rowGroup: rowGroup.index, from, to })
  }
  return ranges
}

function isExcluded(rowGroup: RowGroup, field: SchemaField, value: KeyValue): boolean {
  const statistics = rowGroup.statistics(field.path)
  if (value === null || statistics?.min === undefined || statistics.max === undefined) return false
  return compareValues(value, statistics.min) < 0 || compareValues(value, statistics.max) > 0
}

/** The first row from `first` on for which `isBefore` no longer holds. */
function boundary(
  part: ParquetFile,
  rowGroup: RowGroup,
  fields: readonly SchemaField[],
  first: number,
  isBefore: (key: readonly KeyValue[]) => boolean,
): number {
  let low = first
  let high = rowGroup.rows
  while (high - low > windowRows) {
    const middle = (low + high) >>> 1
    if (isBefore(readKeys(part, rowGroup.index, fields, middle, middle + 1)(0))) low = middle + 1
    else high = middle
  }
  const start = low
  const keyAt = readKeys(part, rowGroup.index, fields, low, high)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(keyAt(middle - start))) low = middle + 1
    else high = middle
  }
  return low
}

/** Reads the keys of some rows: the one of each row, counted from `from`, when it is asked for. */
function readKeys(
  part: ParquetFile,
  rowGroup: number,
  fields: readonly SchemaField[],
  from: number,
  to: number,
): (row: number) => readonly KeyValue[] {
  if (from === to) return () => []
  const paths = fields.map(({ path }) => path)
  const readers = readColumns(part, rowGroup, paths, { from, to }).map((column, i) => {
    const raw = rawReader(column, spellingOf(fields[i]!.type))
    return (row: number) => (isPresent(column, row) ? (raw(row) as KeyValue) : null)
  })
  return (row) => readers.map((read) => read(row))
}

/** Compares the columns that both have. */
function compareKeys(a: readonly KeyValue[], b: readonly KeyValue[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareValues(a[index]!, b[index]!)
    if (order !== 0) return order
  }
  return 0
}

/** Nulls first, texts by their UTF-8 bytes, numbers and bigints by value. */
function compareValues(a: KeyValue, b: KeyValue): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}
