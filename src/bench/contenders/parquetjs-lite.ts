import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import parquetjs from 'parquetjs-lite'
import type { Runner } from '../runner.ts'
import { type LedgerRow, type Library, runScript } from './script.ts'

/** The part of a reader that parquetjs-lite's own documentation doesn't name. */
interface OpenReader {
  readonly schema: { readonly fields: Record<string, { originalType?: string | undefined }> }
  getCursor(columns: readonly string[][]): { next(): Promise<Record<string, unknown> | null> }
  close(): Promise<void>
}

const library: Library = {
  read: async (path, columns, add) => {
    const reader = (await parquetjs.ParquetReader.openFile(path)) as unknown as OpenReader
    // As moments, its Dates would lose the microseconds.
    for (const name of ['occurred_at', 'recorded_at']) delete reader.schema.fields[name]!.originalType
    const cursor = reader.getCursor(columns.map((name) => [name]))
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) add(toLedgerRow(row))
    await reader.close()
  },
  write: async (path, columns, rows) => {
    const fields = Object.entries(columns).map(([name, kind]) => [name, { type: types[kind], statistics: false }])
    const schema = new parquetjs.ParquetSchema(Object.fromEntries(fields))
    const descriptor = openSync(path, 'wx')
    const options = { useDataPageV2: false, pageIndex: false }
    const file = new parquetjs.ParquetEnvelopeWriter(
      schema,
      (bytes) => void writeSync(descriptor, bytes),
      () => closeSync(descriptor),
      0,
      options,
    )
    const writer = new parquetjs.ParquetWriter(schema, file, options)
    for (const row of rows) await writer.appendRow(row)
    await writer.close()
  },
}

function toLedgerRow(row: Record<string, unknown>): LedgerRow {
  for (const name in row) if (typeof row[name] === 'bigint') row[name] = Number(row[name])
  const payload = row['payload'] as { readonly amount: number } | undefined
  if (payload !== undefined) row['amount'] = payload.amount
  return row as unknown as LedgerRow
}

const types = { integer: 'INT64', text: 'UTF8', moment: 'TIMESTAMP_MICROS', day: 'DATE' } as const

export const parquetjsRunner: Runner = {
  prepare: async ({ files, out }, workload) => {
    return () => runScript(library, workload, files, (view) => join(out, `${view}.parquet`))
  },
}
