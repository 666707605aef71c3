import { getMaxDefinitionLevel } from 'hyparquet/src/schema.js'
import { InputError } from '../model/errors.ts'
import { chunkStart, type ParquetFile } from './file.ts'
import { type DataPage, readPages } from './pages.ts'

/**
 * The data pages of a flat top-level column, read and decompressed, but not decoded: to measure what that alone costs.
 *
 * @throws InputError where the column isn't there.
 */
export function readColumnPages(file: ParquetFile, rowGroup: number, column: string): readonly DataPage[] {
  const chunk = file.metadata.row_groups[rowGroup]?.columns.find(
    ({ meta_data }) => meta_data!.path_in_schema.length === 1 && meta_data!.path_in_schema[0] === column,
  )?.meta_data
  const leaf = file.tree.children.find(({ element }) => element.name === column)
  if (chunk === undefined || leaf === undefined) {
    const found = file.schema.map(({ name }) => name).join(', ')
    throw new InputError(`Cannot read ${file.path}: expected column "${column}", found ${found}.`, { file: file.path })
  }
  const bytes = file.file.read(chunkStart(chunk), Number(chunk.total_compressed_size))
  const maxDefinitionLevel = getMaxDefinitionLevel([file.tree, leaf])
  return readPages(bytes, {
    codec: chunk.codec,
    slots: file.rowGroups[rowGroup]!.rows,
    maxDefinitionLevel,
    maxRepetitionLevel: 0,
  }).pages
}
