import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ColumnSource } from 'hyparquet-writer'
import { defineJob, defineLog, defineView } from '../../src/index.ts'
import { loadedFromDefinition } from '../../src/job/load.ts'
import type { RoleSource } from '../../src/model/log.ts'
import type { RebuildReport } from '../../src/model/report.ts'
import type { Fields } from '../../src/model/type.ts'
import { json } from '../../src/model/types.ts'
import { rebuild } from '../../src/rebuild.ts'
import { readPublished } from './logs.ts'
import { writeSample } from './parquet-samples.ts'

/** A column of bytes as old writers leave them: without annotation. */
export function bareBytes(name: string, values: readonly (Uint8Array | null)[], width?: number): Sample {
  const fixed = width === undefined ? {} : { type_length: width }
  const type = width === undefined ? 'BYTE_ARRAY' : 'FIXED_LEN_BYTE_ARRAY'
  return {
    column: { name, data: [...values] } as ColumnSource,
    element: { name, type, repetition_type: 'OPTIONAL', ...fixed },
  }
}

/** A column whose bytes are annotated, whatever they are. */
export function annotated(name: string, values: readonly (Uint8Array | null)[], converted: 'UTF8' = 'UTF8'): Sample {
  const { column, element } = bareBytes(name, values)
  return { column, element: { ...element, converted_type: converted } }
}

interface Sample {
  readonly column: ColumnSource
  readonly element: NonNullable<Parameters<typeof writeSample>[1]>['schema'] extends (infer E)[] | undefined ? E : never
}

/** Writes a file of such columns, and of an `n` that counts its rows from `first`. @returns Its path. */
export function writeBytesFile(path: string, samples: readonly Sample[], first = 0): string {
  const count = samples[0]!.column.data.length
  const numbers = Array.from({ length: count }, (_, i) => BigInt(first + i))
  mkdirSync(join(path, '..'), { recursive: true })
  const columns = [{ name: 'n', data: numbers }, ...samples.map(({ column }) => column)]
  const n = { name: 'n', type: 'INT64', repetition_type: 'REQUIRED' } as const
  const bytes = writeSample(columns as ColumnSource[], { schema: [n, ...samples.map(({ element }) => element)] })
  writeFileSync(path, bytes)
  return path
}

export interface SeenLog {
  readonly files: string | readonly string[]
  readonly columns: Readonly<Record<string, RoleSource | readonly string[]>>
  readonly fields?: Fields
}

let places = 0

/** Counts the events of each key, and keeps of the last of them what handlers see of the fields. */
export async function rebuildSeen(
  folder: string,
  { files, columns, fields = {} }: SeenLog,
): Promise<{ report: RebuildReport; rows: readonly Readonly<Record<string, unknown>>[]; path: string }> {
  const names = Object.keys(fields)
  const log = defineLog({ name: 'log', files, columns: columns as never, fields })
  const view = defineView({
    name: 'seen',
    log,
    orderFree: true,
    state: { events: json(undefined, { initial: 0 }), seen: json(undefined, { initial: [] }) },
    on: {
      '*': (s: Record<string, unknown>, e: Record<string, unknown>) => {
        s['events'] = (s['events'] as number) + 1
        s['seen'] = names.map((name) => (typeof e[name] === 'bigint' ? `${e[name]}n` : e[name]))
      },
    },
  } as never)
  const out = join(folder, `views-${places++}`)
  const report = await rebuild(loadedFromDefinition(defineJob({ views: [view] })), { out, workers: 0 })
  const { path } = report.views[0]!
  return { report, rows: readPublished(path).rows, path }
}
