import type { FilePlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import type { BatchTypes } from '../scan/types.ts'

/** What of what a log declares occurs in a split, as far as it was read. */
export interface Occurring {
  /** Slots within documents and nested columns that were read. */
  readonly sought: readonly number[]
  /** Those of them of which any event has a value. */
  readonly found: readonly number[]
  /** Types as the files have them. */
  readonly types: readonly string[]
  /** Types as views see them, where events were upcast. */
  readonly upcastTypes: readonly string[]
}

/** Notes what occurs batch by batch: nothing is done for a single event. */
export class OccurringNames {
  readonly #inside: readonly number[]
  readonly #sought = new Set<number>()
  readonly #found = new Set<number>()
  readonly #types = new Set<string>()
  readonly #upcastTypes = new Set<string>()

  constructor({ sources }: FilePlan) {
    this.#inside = [...sources.keys()].filter((slot) => sources[slot]!.kind === 'inside')
  }

  /** @param isOld By local type code: whether events of the type are upcast. */
  add({ columns, rows }: Batch, { names }: BatchTypes, isOld: Uint8Array | null): void {
    for (const slot of this.#inside) {
      const column = columns[slot]
      if (column === undefined || rows === 0) continue
      this.#sought.add(slot)
      if (column.nullCount < rows) this.#found.add(slot)
    }
    names.forEach((name, code) => {
      this.#types.add(name)
      if (isOld?.[code] !== 1) this.#upcastTypes.add(name)
    })
  }

  addUpcast({ names }: BatchTypes): void {
    for (const name of names) this.#upcastTypes.add(name)
  }

  result(): Occurring {
    return {
      sought: [...this.#sought],
      found: [...this.#found],
      types: [...this.#types],
      upcastTypes: [...this.#upcastTypes],
    }
  }
}
