import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteFile } from 'hyparquet-writer'
import type { Runner } from '../runner.ts'
import type { ColumnKind } from '../workloads.ts'
import { type LedgerRow, type Library, type ResultRow, runScript } from './script.ts'

/** Dates would lose the microseconds. */
const parsers = { timestampFromMicroseconds: (value: bigint) => Number(value) }

const library: Library = {
  read: async (path, columns, add) => {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    let rowStart = 0
    for (const rowGroup of metadata.row_groups) {
      const rowEnd = rowStart + Number(rowGroup.num_rows)
      const options = {
        file,
        metadata,
        columns: [...columns],
        compressors,
        rowStart,
        rowEnd,
        parsers: parsers as never,
      }
      for (const row of await parquetReadObjects(options)) add(toLedgerRow(row))
      rowStart = rowEnd
    }
  },
  write: async (filename, columns, rows) => {
    const columnData = Object.entries(columns).map(([name, kind]) => ({ name, data: valuesOf(rows, name, kind) }))
    const schema = Object.entries(columns).map(([name, kind]) => ({
      name,
      repetition_type: 'REQUIRED' as const,
      ...types[kind],
    }))
    parquetWriteFile({ filename, columnData, schema: [{ name: 'root', num_children: schema.length }, ...schema] })
  },
}

/** hyparquet reads integers of 64 bits as bigints. */
function toLedgerRow(row: Record<string, unknown>): LedgerRow {
  for (const name in row) if (typeof row[name] === 'bigint') row[name] = Number(row[name])
  const payload = row['payload'] as { readonly amount: number } | undefined
  if (payload !== undefined) row['amount'] = payload.amount
  return row as unknown as LedgerRow
}

const types = {
  integer: { type: 'INT64' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  moment: { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
  day: { type: 'INT32', converted_type: 'DATE' },
} as const

function valuesOf(rows: readonly ResultRow[], name: string, kind: ColumnKind): (string | number | bigint)[] {
  if (kind === 'integer' || kind === 'moment') return rows.map((row) => BigInt(row[name]!))
  return rows.map((row) => row[name]!)
}

export const hyparquetRunner: Runner = {
  prepare: async ({ files, out }, workload) => {
    return () => runScript(library, workload, files, (view) => join(out, `${view}.parquet`))
  },
}
