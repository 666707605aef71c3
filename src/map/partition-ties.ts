import type { GatheredRows } from '../columns/gather.ts'
import { type OrderTerm, TIE } from '../model/order.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import { idText } from '../scan/identity.ts'
import { NO_HANDLER } from '../view/fold.ts'
import { showKey } from '../view/key-codec.ts'
import { type OrderFound, OrderTally } from '../view/order-tally.ts'
import type { PreparedView } from '../view/view-set.ts'
import { compareEvents, type OrderColumns } from './key-order.ts'
import type { PartitionKeys } from './partition-keys.ts'

/** Events of a partition that were gathered from its batches and put in order, those of a key one after the other. */
export interface OrderedEvents {
  readonly log: LogPlan
  readonly keys: PartitionKeys
  readonly batches: readonly Batch[]
  readonly gathered: GatheredRows
  /** Numbers of the events, in order. */
  readonly order: Int32Array
  /** By event: its key, and the code of its type. */
  readonly slots: Int32Array
  readonly typeCodes: Uint16Array
  readonly terms: readonly OrderTerm[]
  readonly columns: OrderColumns
}

/** Counts the events of a view that nothing declared tells apart from the one before, as `OrderCount` does where events travel. */
export function countTies(events: OrderedEvents, { handlerOf }: PreparedView): OrderFound {
  const { order, slots, typeCodes, terms, columns, keys } = events
  const tally = new OrderTally()
  let before = -1
  for (const event of order) {
    if (handlerOf[typeCodes[event]!] === NO_HANDLER) continue
    const slot = slots[event]!
    if (before >= 0 && slots[before] === slot) {
      const compared = compareEvents(terms, columns, before, columns, event)
      const pair = [before, event] as const
      if (compared === TIE || compared === -TIE) {
        tally.add(slot, () => ({
          keyBytes: keys.bytesAt(slot),
          describe: () => ({ key: showKey(keys.keyAt(slot)), events: [idOf(events, pair[0]), idOf(events, pair[1])] }),
        }))
      }
    }
    before = event
  }
  return { ties: tally.found(), againstSequence: new OrderTally().found() }
}

/** Of a partition without any. */
export const noTies: OrderFound = { ties: new OrderTally().found(), againstSequence: new OrderTally().found() }

function idOf({ log, batches, gathered }: OrderedEvents, event: number): string {
  return idText(log, batches[gathered.batches[event]!]!, gathered.rows[event]!)
}
