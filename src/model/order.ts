import type { ViewDefinition } from './view.ts'

/**
 * One of the comparisons by which a key's events are ordered. A group's order is a list of them, most significant first,
 * whose last are the parts of the id: no two events are equal in all of them, but the versions that an upcaster made of one.
 */
export type OrderTerm = SlotTerm | TypeTerm

/** By the value of a slot, ascending, null first; strings by their UTF-8 bytes. */
export interface SlotTerm {
  readonly by: 'slot'
  readonly slot: number
  /** False where the log doesn't declare it, so that what it decides is a tie: it only makes the order total. */
  readonly isDeclared: boolean
}

/** By the place of the event's type in a list. Types that aren't in it come after those that are. */
export interface TypeTerm {
  readonly by: 'type'
  readonly types: readonly string[]
  /** Where events of several logs are compared: of which of them the types are. */
  readonly member?: number
  readonly isDeclared: true
}

/** What comparing two events comes to, of either sign, where a term decided that the log doesn't declare. */
export const TIE = 2

/** The place of an event's type in a list of types; after all of them where it isn't in it. */
export function typeRank(types: readonly string[], type: string): number {
  const rank = types.indexOf(type)
  return rank < 0 ? types.length : rank
}

/** The slots that an order reads. */
export function orderSlots(order: readonly OrderTerm[]): number[] {
  return order.flatMap((term) => (term.by === 'slot' ? [term.slot] : []))
}

/** Whether it matters in which order a view's events are folded: what is ordered by nothing declared is then counted. */
export function isOrderSensitive({ orderFree, merge }: ViewDefinition): boolean {
  return !orderFree && merge === undefined
}

/** Whether events of several streams may be of one key of the view, as it isn't the log's own. */
export function crossesStreams({ keyBy, window }: ViewDefinition): boolean {
  return keyBy !== undefined || window !== undefined
}
