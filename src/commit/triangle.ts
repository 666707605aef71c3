import { columnFromValues } from '../columns/from-values.ts'
import type { TriangleTable } from '../map/timelines.ts'
import type { Column } from '../model/column.ts'
import type { ManifestFile } from '../model/manifest.ts'
import type { Fields } from '../model/type.ts'
import { bool, date, float64, int32, int64, timestamp } from '../model/types.ts'
import { encodeParquet } from '../parquet/write.ts'
import { partName, triangleFolder, triangleFolderName } from '../storage/generations.ts'
import type { Disk } from '../storage/store.ts'

/** Writes a view's reporting triangle below a generation's folder, as one file. */
export function writeTriangle(table: TriangleTable, folder: string, files: Disk): ManifestFile {
  const fields: Fields = {
    window: table.unit === null ? date() : timestamp(table.unit as 'us'),
    delay: int32(),
    late: bool(),
    events: int64(),
    measure: table.isExact ? int64() : float64(),
  }
  const columns = Object.entries(fields).map(([name, type]) => ({ name, type }))
  const data = columns.map(({ name, type }): Column => columnFromValues(type, table[name as 'window'], 'handler'))
  files.makeFolder(triangleFolder(folder))
  const name = `${triangleFolderName}/${partName(0)}`
  const chunks = encodeParquet(columns, data, { sorting: 3 })
  return { name, rows: table.delay.length, ...files.writeNew(`${folder}/${name}`, chunks) }
}
