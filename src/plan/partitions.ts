import type { FilePlan, SplitPlan } from '../model/plan.ts'
import { folderColumns } from './files.ts'

/** What holds all events of a key, in a log that says so. */
export interface Partitions {
  /** The splits of each partition, ascending; partitions in the order of their first splits. */
  readonly splits: readonly (readonly number[])[]
  readonly rows: number
  readonly largestRows: number
}

/** The partitions of a log: its files by the values of their Hive folders; a file without any is one by itself. */
export function findPartitions(files: readonly FilePlan[], splits: readonly SplitPlan[]): Partitions {
  const names = files.map(({ path }) => partitionOf(path))
  const byName = new Map<string, { splits: number[]; rows: number }>()
  splits.forEach(({ file, rows }, split) => {
    const partition = byName.get(names[file]!) ?? { splits: [], rows: 0 }
    byName.set(names[file]!, partition)
    partition.splits.push(split)
    partition.rows += rows
  })
  const partitions = [...byName.values()]
  return {
    splits: partitions.map((partition) => partition.splits),
    rows: partitions.reduce((sum, { rows }) => sum + rows, 0),
    largestRows: partitions.reduce((most, { rows }) => Math.max(most, rows), 0),
  }
}

function partitionOf(path: string): string {
  const values = [...folderColumns(path)].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(values.length === 0 ? path : values)
}
