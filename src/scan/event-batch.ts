import type { SlotColumn } from '../columns/slot-column.ts'
import type { ReadMemory } from '../parquet/read-memory.ts'

/** The events of one row group, as a column for each slot that is needed. */
export interface Batch {
  readonly rows: number
  /** By slot of the log; undefined where it isn't needed. */
  readonly columns: readonly (SlotColumn | undefined)[]
  readonly file: string
  readonly rowGroup: number
  /** Rows of the row group that the batch's rows come from; null where they are the same. */
  readonly origin: Int32Array | null
  /** Where whatever is needed no longer than the batch may lie, its columns among it. */
  readonly memory: ReadMemory
  /** The id of the event in a row of the row group, for messages and lists: ids are read when they are asked for. */
  readonly eventIdAt: (row: number) => string
}
