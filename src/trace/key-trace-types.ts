/** What programs ask of a trace, and get. */
import type { Place } from '../model/errors.ts'
import type { ManifestColumn } from '../model/manifest.ts'
import type { Progress } from '../model/report.ts'
import type { Key } from '../read/key-text.ts'
import type { Row } from '../read/program-rows.ts'

export interface TraceOptions {
  readonly view: string
  /** By log: what to read instead of the files its definition names. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>>
  readonly knownAt?: string
  readonly asOf?: string
}

export interface TraceKeyOptions extends TraceOptions {
  /** All columns of the key, in their order or by name. */
  readonly key: Key
  /** Of how many events, the latest, the states before and after are kept. Default: of all. */
  readonly statesMax?: number
  /**
   * Of a free-form state: whether `before` and `after` hold properties of any size. By default one whose JSON is longer than
   * 1,000 characters is left out and named in `omitted`; `changes` says what became of it.
   */
  readonly wholeStates?: boolean
  /** Called after each row group. */
  readonly onProgress?: (progress: Progress) => void
}

/** What a trace says besides its events. Values are as those of a view's rows. */
interface AboutTrace {
  readonly view: string
  /** The log's name, or those of several logs joined by ` and `; and the zone in which days begin. */
  readonly log: string
  readonly zone: string
  /** The view's columns, the key first. */
  readonly columns: readonly ManifestColumn[]
  /** Events of the key recorded after `knownAt` or occurred after `asOf`. */
  readonly outside: number
  /** Row groups of the log that were read, and those that their statistics excluded. */
  readonly rowGroups: { readonly read: number; readonly skipped: number }
}

/** All events of one key, and what became of each. */
export interface KeyTrace extends AboutTrace {
  /** In the order in which they are folded; those that were not applied where they would have been. */
  readonly events: readonly KeyEvent[]
  /** What the key is in the view; none where no event was applied. */
  readonly rows: readonly Row[]
}

/** The same, one event at a time: nothing of earlier ones is kept. */
export interface KeyTraceStream extends AboutTrace {
  /** How many events there are. */
  readonly count: number
  /** The events in their order; what it returns at its end are the key's rows in the view. May be called once. */
  events(): Generator<KeyEvent, readonly Row[]>
}

export type Outcome = 'applied' | 'duplicate' | 'filtered' | 'late' | 'quarantined'

export interface KeyEvent {
  /** Of a view of several logs: which of them it is of. */
  readonly log?: string
  /** Its id. */
  readonly event: string
  readonly type: string
  /** ISO 8601; absent where the log says nothing of them. */
  readonly occurredAt?: string | null
  readonly recordedAt?: string | null
  /** What the view's handlers read of it. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly outcome: Outcome
  /** Why it was not applied; of one that was applied though it was late, how late. */
  readonly reason: string | null
  /** The state before and after; null where the event wasn't folded, or states are not kept. */
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  /** Properties of a free-form state that are too large for `before` and `after`, which lack them. */
  readonly omitted: readonly string[]
  /** Columns or properties of the state that the event changed. */
  readonly changed: readonly string[]
  /** What the event changed of a free-form state, place by place, the first 100; empty for a typed state. */
  readonly changes: readonly StateChange[]
  /** How many places changed beyond those. */
  readonly moreChanges: number
  readonly place: Place
}

/** One place of a free-form state that an event changed. */
export interface StateChange {
  /** Names of properties, indexes of arrays, and keys of maps, from the state down to the place. */
  readonly path: readonly (string | number)[]
  /** Absent where there was, or is, none. */
  readonly before?: unknown
  readonly after?: unknown
}
