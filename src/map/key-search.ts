import type { Place } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import { eventPlace } from '../scan/places.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { keySlots, makeRowFilter } from './key-source.ts'
import { BatchwiseSide, type MapSide, type Sendable } from './map-side.ts'
import { PartitionKeys } from './partition-keys.ts'

/** Looks for the first event of a key, for a message, in place of the strategy that folds the events. */
export class KeySearch extends BatchwiseSide implements MapSide {
  readonly slots: readonly number[]
  /** Where the event is; null while none was found. */
  found: Place | null = null
  readonly #keys: PartitionKeys
  readonly #key: Uint8Array
  readonly #filter: (batch: Batch, kept: Int32Array) => Int32Array

  constructor(log: LogPlan, group: PreparedGroup, key: Uint8Array) {
    super()
    this.slots = keySlots(log, group)
    this.#keys = new PartitionKeys(log, group.views[0]!)
    this.#key = key
    this.#filter = makeRowFilter(log, group)
  }

  emit(batch: Batch, kept: Int32Array): Sendable {
    const rows = this.#filter(batch, kept)
    const send = () => {
      this.#look(batch, rows)
      return null
    }
    return { emission: { count: rows.length, rows, hasMultiKeyRows: false }, send }
  }

  #look(batch: Batch, rows: Int32Array): void {
    if (this.found !== null) return
    const slots = this.#keys.slotsOf(batch, rows)
    const at = slots.findIndex((slot) => Buffer.compare(this.#keys.bytesAt(slot), this.#key) === 0)
    if (at >= 0) this.found = eventPlace(batch, rows[at]!)
  }
}
