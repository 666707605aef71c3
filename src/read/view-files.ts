import { join } from 'node:path'
import { columnFromValues } from '../columns/from-values.ts'
import type { Manifest, ManifestFile } from '../model/manifest.ts'
import type { Type } from '../model/type.ts'
import { openParquet, type ParquetFile } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { disk } from '../storage/disk.ts'
import { generationFolder, readManifest, resolveGeneration } from '../storage/generations.ts'
import type { Store } from '../storage/store.ts'
import type { NamedColumn } from './named-column.ts'

/** A generation, none of its files opened yet. */
export interface FoundView {
  readonly manifest: Manifest
  readonly folder: string
}

/** A generation, opened for reading. */
export interface OpenView {
  readonly manifest: Manifest
  /** In the manifest's order; each is sorted by key. */
  readonly parts: readonly ParquetFile[]
  close(): void
}

/** Finds the current generation, or the one that is wanted: its name, its number, or the beginning of its name. */
export function findView(out: string, view: string, wanted?: string): FoundView {
  const generation = resolveGeneration(out, view, wanted)
  return { manifest: readManifest(out, view, generation), folder: generationFolder(out, view, generation) }
}

/** Opens some of a generation's part files. */
export function openParts(
  { manifest, folder }: FoundView,
  files: readonly ManifestFile[],
  storage: Store = disk,
): OpenView {
  const parts: ParquetFile[] = []
  const close = (): void => {
    for (const { file } of parts) file.close()
  }
  try {
    for (const { name } of files) parts.push(openPart(join(folder, name), storage))
  } catch (error) {
    close()
    throw error
  }
  return { manifest, parts, close }
}

/** Opens a part file, which stays open unless it is damaged. */
export function openPart(path: string, storage: Store = disk): ParquetFile {
  const file = storage.openForReading(path)
  try {
    return openParquet(file)
  } catch (error) {
    file.close()
    throw error
  }
}

/**
 * Some rows of a row group.
 *
 * @param names Only these columns; all where absent. In the order of the file.
 */
export function readNamedColumns(
  part: ParquetFile,
  rowGroup: number,
  rows?: RowSpan,
  names?: readonly string[],
): NamedColumn[] {
  const fields = names === undefined ? part.schema : part.schema.filter(({ name }) => names.includes(name))
  const paths = fields.map(({ path }) => path)
  const columns = readColumns(part, rowGroup, paths, rows)
  return fields.map(({ name, type }, index) => ({ name, type, column: columns[index]! }))
}

interface RowSpan {
  readonly from: number
  readonly to: number
}

/** The rows of a part, a row group at a time; only some columns where they are named. */
export function* readPart(part: ParquetFile, names?: readonly string[]): Generator<NamedColumn[]> {
  for (const { index } of part.rowGroups) yield readNamedColumns(part, index, undefined, names)
}

/** The rows of all parts, a row group at a time; where there are none, one batch of no rows gives the columns. */
export function* readBatches({ manifest, parts }: OpenView): Generator<NamedColumn[]> {
  for (const part of parts) yield* readPart(part)
  const [first] = parts
  if (first === undefined || parts.some((part) => part.rowGroups.length > 0)) return
  const declared = [...manifest.key, ...manifest.columns]
  yield first.schema.map(({ name, type }, index) => {
    const { type: kind, ...rest } = declared[index]!
    return { name, type, column: columnFromValues({ kind, ...rest } as Type, []) }
  })
}
