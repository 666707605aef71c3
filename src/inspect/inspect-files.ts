import type { LogicalType } from '../model/column.ts'
import { openParquet, type ParquetFile, type SchemaField } from '../parquet/file.ts'
import { folderColumns, listFiles } from '../plan/files.ts'
import { describeType } from '../plan/sources.ts'
import { converterOf } from '../read/values.ts'
import { disk } from '../storage/disk.ts'

/** What the footers of a log's files say. */
export interface FilesReport {
  readonly name: string
  readonly files: readonly FileEntry[]
  readonly rows: number
  readonly bytes: number
  readonly rowGroups: number
  /** `name=value` folders, with their distinct values. */
  readonly partitions: readonly { readonly name: string; readonly values: readonly string[] }[]
  /** In the order in which they first appear. */
  readonly columns: readonly ColumnEntry[]
  readonly codecs: readonly string[]
  readonly writers: readonly string[]
}

export interface FileEntry {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly rowGroups: number
}

export interface ColumnEntry {
  readonly name: string
  /** More than one where files differ. */
  readonly types: readonly string[]
  /** Files that lack the column. */
  readonly missingIn: readonly string[]
  /** Files in which it has another type than in the first that has it. */
  readonly otherIn: readonly string[]
  /** Null where a file has no statistics. */
  readonly nulls: number | null
  /** Null where statistics don't have it. */
  readonly min: unknown
  readonly max: unknown
  /** Compressed, over all files. */
  readonly bytes: number
}

export function inspectFiles(name: string, patterns: string | readonly string[]): FilesReport {
  const paths = listFiles(name, patterns, disk)
  const partitions = new Map<string, Set<string>>()
  const columns = new Map<string, ColumnTally>()
  const codecs = new Set<string>()
  const writers = new Set<string>()
  const files = paths.map((path): FileEntry => {
    for (const [folder, value] of folderColumns(path)) {
      partitions.set(folder, (partitions.get(folder) ?? new Set()).add(value))
    }
    const parquet = openParquet(disk.openForReading(path))
    try {
      for (const field of leaves(parquet.schema)) {
        const dotted = field.path.join('.')
        const tally = columns.get(dotted) ?? new ColumnTally(dotted)
        tally.add(parquet, field)
        columns.set(dotted, tally)
      }
      for (const codec of codecsOf(parquet)) codecs.add(codec)
      if (parquet.createdBy !== undefined) writers.add(parquet.createdBy)
      return { path, rows: parquet.rows, bytes: parquet.file.byteLength, rowGroups: parquet.rowGroups.length }
    } finally {
      parquet.file.close()
    }
  })
  return {
    name,
    files,
    rows: sum(files, ({ rows }) => rows),
    bytes: sum(files, ({ bytes }) => bytes),
    rowGroups: sum(files, ({ rowGroups }) => rowGroups),
    partitions: [...partitions].map(([folder, values]) => ({ name: folder, values: [...values].sort() })),
    columns: [...columns.values()].map((tally) => tally.result(paths)),
    codecs: [...codecs].sort(),
    writers: [...writers].sort(),
  }
}

/** Columns that hold values; a nested field is reported by them. */
function* leaves(fields: readonly SchemaField[]): Generator<SchemaField> {
  for (const field of fields) {
    if (field.children.length === 0) yield field
    else yield* leaves(field.children)
  }
}

function codecsOf({ metadata }: ParquetFile): Set<string> {
  const codecs = new Set<string>()
  for (const rowGroup of metadata.row_groups) {
    for (const { meta_data } of rowGroup.columns) if (meta_data !== undefined) codecs.add(String(meta_data.codec))
  }
  return codecs
}

type Bound = bigint | number | string | boolean

class ColumnTally {
  readonly #name: string
  readonly #typeByFile = new Map<string, string>()
  #type: LogicalType | undefined
  #nulls: number | null = 0
  #min: Bound | undefined
  #max: Bound | undefined
  #bounded = true
  #bytes = 0

  constructor(name: string) {
    this.#name = name
  }

  add(parquet: ParquetFile, field: SchemaField): void {
    this.#typeByFile.set(parquet.path, describeType(field.type))
    this.#type ??= field.type
    for (const rowGroup of parquet.rowGroups) {
      const statistics = rowGroup.statistics(field.path)
      const nulls = statistics?.nullCount
      this.#nulls = this.#nulls === null || nulls === undefined ? null : this.#nulls + nulls
      this.#bytes += rowGroup.columnBytes(field.path)
      if (nulls === rowGroup.rows) continue
      const { min, max } = statistics ?? {}
      if (min === undefined || max === undefined) this.#bounded = false
      else this.#widen(min, max)
    }
  }

  result(paths: readonly string[]): ColumnEntry {
    const types = [...new Set(this.#typeByFile.values())]
    const convert = converterOf(this.#type!)
    const shown = (bound: Bound | undefined): unknown =>
      bound === undefined || !this.#bounded || types.length > 1 ? null : convert(bound)
    return {
      name: this.#name,
      types,
      missingIn: paths.filter((path) => !this.#typeByFile.has(path)),
      otherIn: paths.filter((path) => (this.#typeByFile.get(path) ?? types[0]) !== types[0]),
      nulls: this.#nulls,
      min: shown(this.#min),
      max: shown(this.#max),
      bytes: this.#bytes,
    }
  }

  #widen(min: Bound, max: Bound): void {
    if (this.#min === undefined || min < this.#min) this.#min = min
    if (this.#max === undefined || max > this.#max) this.#max = max
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
