import { blankColumn } from '../columns/slot-column.ts'
import type { Column } from '../model/column.ts'
import type { GroupPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'

/** Makes what finds the columns that travel of a batch: its own, and zeros for slots that only events of other logs have. */
export function travellingColumns({ slots, share }: GroupPlan): (batch: Batch) => Column[] {
  if (share === null) return ({ columns }) => slots.map((slot) => columns[slot]!)
  const { from, member } = share
  return (batch) =>
    from.map((slot, index) => {
      if (slot === 'member')
        return { ...noNulls(batch), kind: 'int32', values: new Int32Array(batch.rows).fill(member) }
      // Nothing reads these but the comparison of rows.
      return slot < 0 ? blankColumn(share.slots[index]!.storage, noNulls(batch)) : batch.columns[slot]!
    })
}

function noNulls({ rows }: Batch): { length: number; nullCount: number; validity: null } {
  return { length: rows, nullCount: 0, validity: null }
}
