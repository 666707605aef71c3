import type { Place } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/batch.ts'
import { eventPlace } from '../scan/places.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import type { PartitionReader } from './partition-fold.ts'
import { PartitionKeys } from './partition-keys.ts'

/** Looks for the first event of a key, for a message. */
export class KeySearch implements PartitionReader {
  /** Where the event is; null while none was found. */
  found: Place | null = null
  readonly #keys: PartitionKeys
  readonly #key: Uint8Array

  constructor(log: LogPlan, group: PreparedGroup, key: Uint8Array) {
    this.#keys = new PartitionKeys(log, group.views[0]!)
    this.#key = key
  }

  add(batch: Batch, rows: Int32Array): void {
    if (this.found !== null) return
    const slots = this.#keys.slotsOf(batch, rows)
    const at = slots.findIndex((slot) => Buffer.compare(this.#keys.bytesAt(slot), this.#key) === 0)
    if (at >= 0) this.found = eventPlace(batch, rows[at]!)
  }
}
