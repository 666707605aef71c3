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
  /** Called after each row group. */
  readonly onProgress?: (progress: Progress) => void
}

/** All events of one key, and what became of each. Values are as those of a view's rows. */
export interface KeyTrace {
  readonly view: string
  /** The log's name, and the zone in which its days begin. */
  readonly log: string
  readonly zone: string
  /** The view's columns, the key first. */
  readonly columns: readonly ManifestColumn[]
  /** In the order in which they are folded; those that were not applied where they would have been. */
  readonly events: readonly KeyEvent[]
  /** What the key is in the view; none where no event was applied. */
  readonly rows: readonly Row[]
  /** Events of the key recorded after `knownAt` or occurred after `asOf`. */
  readonly outside: number
  /** Row groups of the log that were read, and those that their statistics excluded. */
  readonly rowGroups: { readonly read: number; readonly skipped: number }
}

export type Outcome = 'applied' | 'duplicate' | 'filtered' | 'late' | 'quarantined'

export interface KeyEvent {
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
  /** Columns of the state that the event changed. */
  readonly changed: readonly string[]
  readonly place: Place
}
