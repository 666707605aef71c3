import type { Column } from '../model/column.ts'
import type { GroupPlan } from '../model/plan.ts'
import type { Storage } from '../model/slots.ts'
import type { Batch } from '../scan/event-batch.ts'

/** Makes what finds the columns that travel of a batch: its own, and zeros for slots that only events of other logs have. */
export function travellingColumns({ slots, share }: GroupPlan): (batch: Batch) => Column[] {
  if (share === null) return ({ columns }) => slots.map((slot) => columns[slot]!)
  const { from, member } = share
  return (batch) =>
    from.map((slot, index) => {
      if (slot === 'member') return filled('i32', batch.rows, member)
      return slot < 0 ? filled(share.slots[index]!.storage, batch.rows, 0) : batch.columns[slot]!
    })
}

/** A column of one number; of empty strings where it is one of strings. Nothing reads the zeros but the comparison of rows. */
function filled(storage: Storage, length: number, value: number): Column {
  const base = { length, nullCount: 0, validity: null }
  switch (storage) {
    case 'i32':
      return { kind: 'int32', ...base, values: new Int32Array(length).fill(value) }
    case 'i64':
      return { kind: 'int64', ...base, values: new BigInt64Array(length) }
    case 'f64':
      return { kind: 'float64', ...base, values: new Float64Array(length) }
    case 'bool':
      return { kind: 'bool', ...base, bits: new Uint8Array((length + 7) >> 3) }
    case 'str':
      return { kind: 'bytes', ...base, offsets: new Int32Array(length + 1), data: new Uint8Array(0), gap: 0 }
  }
}
