/**
 * What a rebuild found of the order in which it folded a view's events. All of it follows from the events and the
 * definitions, however the log is split and the view is folded.
 */
export interface OrderReport {
  /** Events which only their id, or the name of their stream, puts after the one before of the same key: nothing declared does. */
  readonly ties: OrderFinding
  /**
   * Of views that are ordered by recordedAt, though the log has a sequence of streams: events that come after an event of
   * their stream and key with a larger sequence, because they were recorded later.
   */
  readonly againstSequence: OrderFinding
}

export interface OrderFinding {
  /** An event of several keys counts for each. */
  readonly events: number
  /** Keys that have any. */
  readonly keys: number
  /** The first in the view's order of keys, null where there is none. */
  readonly example: OrderExample | null
}

export interface OrderExample {
  /** As text. */
  readonly key: string
  /** Ids: of the event that is counted, and before it that of the event it comes after. */
  readonly events: readonly [string, string]
}
