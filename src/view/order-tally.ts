import type { OrderExample, OrderFinding, OrderReport } from '../model/order-report.ts'

/** A finding in a part of a view's keys, to be added to those of the other parts. */
export interface FoundInPart {
  readonly events: number
  readonly keys: number
  readonly example: (OrderExample & { readonly keyBytes: Uint8Array }) | null
}

/** What is found of a view's order, in a part of its keys. */
export type OrderFound = Readonly<Record<keyof OrderReport, FoundInPart>>

/** Where an event was found: in which key, and how that is told. */
export interface FoundEvent {
  readonly keyBytes: Uint8Array
  describe(): OrderExample
}

/** Counts events that are found; those of a key come one after the other. */
export class OrderTally {
  #events = 0
  #keys = 0
  #example: FoundInPart['example'] = null
  #key = -1

  /** Numbers of keys begin again. */
  restart(): void {
    this.#key = -1
  }

  /** @param at Is called where the event may be the example. */
  add(key: number, at: () => FoundEvent): void {
    this.#events++
    if (key === this.#key) return
    this.#key = key
    this.#keys++
    const found = at()
    if (this.#example !== null && Buffer.compare(this.#example.keyBytes, found.keyBytes) < 0) return
    this.#example = { ...found.describe(), keyBytes: found.keyBytes.slice() }
  }

  found(): FoundInPart {
    return { events: this.#events, keys: this.#keys, example: this.#example }
  }
}

/** What was found of a view in all parts together. */
export function orderReport(parts: readonly OrderFound[]): OrderReport {
  return {
    ties: together(parts.map(({ ties }) => ties)),
    againstSequence: together(parts.map(({ againstSequence }) => againstSequence)),
  }
}

function together(parts: readonly FoundInPart[]): OrderFinding {
  let events = 0
  let keys = 0
  let first: FoundInPart['example'] = null
  for (const part of parts) {
    events += part.events
    keys += part.keys
    const { example } = part
    if (example !== null && (first === null || Buffer.compare(example.keyBytes, first.keyBytes) < 0)) first = example
  }
  return { events, keys, example: first === null ? null : { key: first.key, events: first.events } }
}
