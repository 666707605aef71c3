import { columnFromValues } from '../columns/from-values.ts'
import { noticeColumns } from '../correct/notices.ts'
import type { LogicalType } from '../model/column.ts'
import type { Manifest } from '../model/manifest.ts'
import type { TypeKind } from '../model/type.ts'
import { string } from '../model/types.ts'
import { openParquet } from '../parquet/file.ts'
import { disk } from '../storage/disk.ts'
import { generationFolder } from '../storage/generations.ts'
import { openListed } from '../storage/listed-file.ts'
import type { NamedColumn } from './arrow.ts'
import { cellText, valueReader } from './values.ts'
import { readNamedColumns } from './view-files.ts'

/**
 * The notices of generations, a row group at a time, each with its id and generation in front; where there are none, one
 * batch of no rows tells the columns.
 */
export function* correctionBatches(out: string, generations: readonly Manifest[]): Generator<readonly NamedColumn[]> {
  let batches = 0
  for (const { view, generation, corrections } of generations) {
    let first = 0
    for (const listed of corrections) {
      const file = openListed(generationFolder(out, view, generation), listed, disk)
      try {
        const part = openParquet(file)
        for (const { index, rows } of part.rowGroups) {
          const ids = Array.from({ length: rows }, (_, row) => `${view}/${generation}/${first + row}`)
          const names = ids.map(() => generation)
          yield [textColumn('id', ids), textColumn('generation', names), ...readNamedColumns(part, index)]
          first += rows
          batches++
        }
      } finally {
        file.close()
      }
    }
  }
  if (batches === 0) yield emptyBatch()
}

/** What a table shows besides the key: the rest is for programs. */
const shownInTable = [
  ...['generation', 'key', 'column', 'change', 'old', 'new', 'cause'],
  ...['was_final', 'first_published_at', 'events'],
]

/** Notices as a table shows them. */
export class CorrectionTable {
  /** Why something could not be found out of the notices that were shown, each reason once. */
  readonly details = new Set<string>()
  readonly #shown: ReadonlySet<string>
  /** The columns of the key, where all generations have the same. */
  readonly #key: readonly string[] | undefined

  constructor(generations: readonly Manifest[], withGeneration: boolean) {
    const keys = new Set(generations.map(({ key }) => JSON.stringify(key.map(({ name }) => name))))
    this.#key = keys.size === 1 ? generations[0]!.key.map(({ name }) => name) : undefined
    this.#shown = new Set(shownInTable.filter((name) => withGeneration || name !== 'generation'))
  }

  /** Only the first `limit` rows are looked through for details. */
  *select(batches: Iterable<readonly NamedColumn[]>, limit: number): Generator<readonly NamedColumn[]> {
    let left = limit
    for (const columns of batches) {
      this.#gatherDetails(columns, left)
      left -= columns[0]!.column.length
      yield columns
        .filter(({ name }) => this.#shown.has(name))
        .flatMap((column) => (column.name === 'key' && this.#key !== undefined ? splitKey(column, this.#key) : column))
    }
  }

  #gatherDetails(columns: readonly NamedColumn[], rows: number): void {
    const { column, type } = columns.find(({ name }) => name === 'detail')!
    const read = valueReader(column, type)
    for (let row = 0; row < Math.min(rows, column.length); row++) {
      const detail = read(row)
      if (detail !== null) this.details.add(detail as string)
    }
  }
}

/** The JSON objects of keys as a column for each of their members. */
function splitKey({ column, type }: NamedColumn, names: readonly string[]): NamedColumn[] {
  const read = valueReader(column, type)
  const keys = Array.from({ length: column.length }, (_, row) => read(row) as Readonly<Record<string, unknown>>)
  return names.map((name) =>
    textColumn(
      name,
      keys.map((key) => cellText(key[name])),
    ),
  )
}

function textColumn(name: string, texts: readonly string[]): NamedColumn {
  return { name, type: { kind: 'string' }, column: columnFromValues(string(), texts) }
}

function emptyBatch(): readonly NamedColumn[] {
  const described = noticeColumns.map(({ name, type }) => ({
    name,
    type: logicalTypes[type.kind]!,
    column: columnFromValues(type, []),
  }))
  return [textColumn('id', []), textColumn('generation', []), ...described]
}

/** Of the columns of notices, as they stand in a file. */
const logicalTypes: Readonly<Partial<Record<TypeKind, LogicalType>>> = {
  string: { kind: 'string' },
  json: { kind: 'json' },
  bool: { kind: 'bool' },
  int32: { kind: 'int', bits: 32, signed: true },
  int64: { kind: 'int', bits: 64, signed: true },
  timestamp: { kind: 'timestamp', unit: 'us', utc: true },
}
