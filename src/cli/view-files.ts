import { join } from 'node:path'
import type { Manifest } from '../model/manifest.ts'
import { openParquet, type ParquetFile } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { disk } from '../storage/disk.ts'
import { generationFolder, readManifest, resolveGeneration } from '../storage/generations.ts'
import type { NamedColumn } from './arrow.ts'

/** A generation, opened for reading. */
export interface OpenView {
  readonly manifest: Manifest
  /** As the manifest lists them; each is sorted by key. */
  readonly parts: readonly ParquetFile[]
  close(): void
}

/** Opens the current generation, or the one that is wanted: its name, its number, or the beginning of its name. */
export function openView(out: string, view: string, wanted?: string): OpenView {
  const generation = resolveGeneration(out, view, wanted)
  const manifest = readManifest(out, view, generation)
  const folder = generationFolder(out, view, generation)
  const parts: ParquetFile[] = []
  const close = (): void => {
    for (const { file } of parts) file.close()
  }
  try {
    for (const { name } of manifest.files) parts.push(openParquet(disk.openForReading(join(folder, name))))
  } catch (error) {
    close()
    throw error
  }
  return { manifest, parts, close }
}

/** All columns of some rows of a row group. */
export function readNamedColumns(part: ParquetFile, rowGroup: number, rows?: RowSpan): NamedColumn[] {
  const paths = part.schema.map(({ path }) => path)
  const columns = readColumns(part, rowGroup, paths, rows)
  return part.schema.map(({ name, type }, index) => ({ name, type, column: columns[index]! }))
}

interface RowSpan {
  readonly from: number
  readonly to: number
}

/** The rows of all parts, a row group at a time; where there are none, one batch of no rows tells the columns. */
export function* readBatches({ parts }: OpenView): Generator<NamedColumn[]> {
  for (const part of parts) {
    for (const { index } of part.rowGroups) yield readNamedColumns(part, index)
  }
}
