import { join } from 'node:path'
import { noticeColumns } from '../correct/notices.ts'
import type { LogicalType } from '../model/column.ts'
import type { Manifest } from '../model/manifest.ts'
import type { TypeKind } from '../model/type.ts'
import { string } from '../model/types.ts'
import { openParquet } from '../parquet/file.ts'
import { disk } from '../storage/disk.ts'
import { generationFolder } from '../storage/generations.ts'
import { columnFromValues } from '../view/from-values.ts'
import type { NamedColumn } from './arrow.ts'
import { readNamedColumns } from './view-files.ts'

/**
 * The notices of generations, a row group at a time, each with its id and generation in front; where there are none, one
 * batch of no rows tells the columns.
 */
export function* correctionBatches(out: string, generations: readonly Manifest[]): Generator<readonly NamedColumn[]> {
  let batches = 0
  for (const { view, generation, corrections } of generations) {
    let first = 0
    for (const { name } of corrections) {
      const file = disk.openForReading(join(generationFolder(out, view, generation), name))
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
