import { isPresent, type LogicalType } from '../model/column.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { ParquetFile, RowGroup, SchemaField } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { rawReader } from './values.ts'
import type { OpenView } from './view-files.ts'

type KeyValue = string | number | bigint | boolean | null

export interface RowRange {
  readonly rowGroup: number
  readonly from: number
  readonly to: number
}

/** Rows that are read at once when the place of a key is narrowed down to them: about a page. */
const windowRows = 4096

/** The key columns of a view, which come first in its files. */
export function keyFields({ manifest, parts }: OpenView): readonly SchemaField[] {
  return parts[0]?.schema.slice(0, manifest.key.length) ?? []
}

export function parseKey(fields: readonly SchemaField[], texts: readonly string[]): readonly KeyValue[] {
  return texts.map((text, index) => {
    const { name, type } = fields[index]!
    const value = parseValue(type, text)
    if (value !== undefined) return value
    throw new ConfigurationError(`Key column ${name}: expected ${describeExpected(type)}, found ${text}.`)
  })
}

function parseValue(type: LogicalType, text: string): KeyValue | undefined {
  switch (type.kind) {
    case 'string':
    case 'json':
      return text
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : nullOf(text)
    case 'int':
      return /^-?\d+$/.test(text) ? BigInt(text) : nullOf(text)
    case 'float':
      return text !== '' && Number.isFinite(Number(text)) ? Number(text) : nullOf(text)
    case 'decimal':
      return parseDecimal(text, type.scale) ?? nullOf(text)
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
        ? BigInt(Date.parse(text) / 86_400_000)
        : nullOf(text)
    case 'timestamp':
      return parseTimestamp(text, { ms: 3, us: 6, ns: 9 }[type.unit]) ?? nullOf(text)
    default:
      return undefined
  }
}

function nullOf(text: string): null | undefined {
  return text === 'null' ? null : undefined
}

function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null || (match[3]?.length ?? 0) > scale) return undefined
  return BigInt(match[1]! + match[2]! + (match[3] ?? '').padEnd(scale, '0'))
}

/** An ISO 8601 moment, UTC where it names no zone, or the number that the column holds. */
function parseTimestamp(text: string, digits: number): bigint | undefined {
  if (/^-?\d{5,}$/.test(text)) return BigInt(text)
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (match === null || (match[3]?.length ?? 0) > digits) return undefined
  const milliseconds = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[4] ?? 'Z'}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds / 1000) * 10n ** BigInt(digits) + BigInt((match[3] ?? '').padEnd(digits, '0'))
}

function describeExpected(type: LogicalType): string {
  const examples: Partial<Record<LogicalType['kind'], string>> = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    decimal: 'a decimal such as 12.50, with no more digits than the column has',
    date: 'a day such as 2021-05-22',
    timestamp: 'a moment such as 2021-05-22T06:00:00Z',
  }
  return examples[type.kind] ?? `nothing: a key of type ${type.kind} can't be looked up`
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
    const from = boundary(part, rowGroup, used, (row) => compareKeys(row, key) < 0)
    const to = boundary(part, rowGroup, used, (row) => compareKeys(row, key) <= 0)
    if (from < to) ranges.push({ rowGroup: rowGroup.index, from, to })
  }
  return ranges
}

function isExcluded(rowGroup: RowGroup, field: SchemaField, value: KeyValue): boolean {
  const statistics = rowGroup.statistics(field.path)
  if (value === null || statistics?.min === undefined || statistics.max === undefined) return false
  return compareValues(value, statistics.min) < 0 || compareValues(value, statistics.max) > 0
}

/** The first row for which `isBefore` no longer holds. */
function boundary(
  part: ParquetFile,
  rowGroup: RowGroup,
  fields: readonly SchemaField[],
  isBefore: (key: readonly KeyValue[]) => boolean,
): number {
  let low = 0
  let high = rowGroup.rows
  while (high - low > windowRows) {
    const middle = (low + high) >>> 1
    const [key] = readKeys(part, rowGroup.index, fields, middle, middle + 1)
    if (isBefore(key!)) low = middle + 1
    else high = middle
  }
  const at = readKeys(part, rowGroup.index, fields, low, high).findIndex((key) => !isBefore(key))
  return at === -1 ? high : low + at
}

function readKeys(
  part: ParquetFile,
  rowGroup: number,
  fields: readonly SchemaField[],
  from: number,
  to: number,
): KeyValue[][] {
  if (from === to) return []
  const paths = fields.map(({ path }) => path)
  const columns = readColumns(part, rowGroup, paths, { from, to })
  const readers = columns.map((column) => {
    const raw = rawReader(column, 'utf8')
    return (row: number) => (isPresent(column, row) ? (raw(row) as KeyValue) : null)
  })
  return Array.from({ length: to - from }, (_, row) => readers.map((read) => read(row)))
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
