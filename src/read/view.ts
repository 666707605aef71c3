/** What programs get of a published view. */
import type { Manifest, ManifestColumn } from '../model/manifest.ts'
import type { GenerationEntry } from './history.ts'
import type { Key } from './key-text.ts'
import type { Row } from './program-rows.ts'
import type { Tier } from './tier.ts'
import type { Counted } from './triangle-file.ts'
import type { TriangleReport } from './triangle-rows.ts'

/**
 * One generation of a view. Generations are immutable, so all that is read of it belongs together, whatever is published
 * meanwhile. Files are read when something is asked for; damaged ones are an InputError or OutputError that names them.
 */
export interface View {
  readonly name: string
  /** Full name of the generation: `000002-9ffa9b48e03a`. */
  readonly generation: string
  /** The view's columns, those of the key first. */
  readonly columns: readonly ManifestColumn[]
  /** What the generation says about itself: options, counters of events, files, inputs, digest. */
  readonly manifest: Manifest

  /**
   * The rows in the order of their keys, nulls first, texts by their UTF-8 bytes. Some thousand rows of each part file are in memory at a
   * time, and all part files are open meanwhile.
   *
   * @throws ConfigurationError for an unknown column or none, an unknown tier, or a tier of a view without windows.
   */
  rows(options?: RowsOptions): AsyncIterable<Row>

  /**
   * The rows of one key, or of all keys that begin so where not all columns of the key are given. Reads one part file where they
   * are, and pages of it; part files that were read stay open until `close()`, at most 64 of them.
   *
   * @returns None where the view has no such key.
   * @throws ConfigurationError where a value is none of its column, or a name is no column of the key.
   */
  get(key: Key): Promise<readonly Row[]>

  /** All generations of the view, oldest first. */
  history(options?: HistoryOptions): Promise<readonly GenerationEntry[]>

  /**
   * What differs between two generations.
   *
   * @throws ConfigurationError where a generation is not there or has another key, or there is none before.
   */
  diff(options?: DiffOptions): Promise<ViewDiff>

  /**
   * The published figures that this generation changed, with their causes, in the order of keys; or all that generations from
   * `since` on did, up to this one.
   *
   * @throws ConfigurationError for a view without windows.
   */
  corrections(options?: CorrectionsOptions): AsyncIterable<Correction>

  /**
   * How much of each window was reported with which delay, and what is still to be expected.
   *
   * @throws ConfigurationError for a view without windows.
   */
  triangle(options?: TriangleOptions): Promise<TriangleReport>

  /** Closes the files that `get` left open. The view can be read on; it then opens them again. */
  close(): void
}

export interface OpenOptions {
  /** Its name, its number, or the beginning of its name. Default: the published one. */
  readonly generation?: string | number
}

export interface RowsOptions {
  /** Only these, in this order. Default: all. */
  readonly columns?: readonly string[]
  /** Where to stop, in rows. Default: after all. */
  readonly limit?: number
  /**
   * Of a view with windows: `final`, only rows that can't change any more; `live`, all of them, with the columns `completeness`
   * (the share that is known, null for final rows) and, where each window is one row, `estimate`, `estimateLow` and
   * `estimateHigh` (the final amount that is expected of what the view measures, which is the number of events where it declares no measure,
   * with its 95 % interval), `pastEstimates` and `pastHeld` (how many past estimates
   * at the same age can be compared with what is known now, and how many of their intervals held). All are of the moment of
   * the row's figure.
   */
  readonly tier?: Tier
}

export interface HistoryOptions {
  /** Called with the reason where a manifest can't be read; its generation is listed as damaged. */
  readonly onDamage?: (reason: string) => void
}

export interface DiffOptions {
  /** A generation as in `OpenOptions`. Default: the one that was published before `after`. */
  readonly before?: string | number
  /** Default: the generation that is open. */
  readonly after?: string | number
  /** Compare `knownThrough` too, which a rebuild moves on in every row of a view with windows. Default: false. */
  readonly allColumns?: boolean
}

export interface ViewDiff {
  /** Names of the generations. */
  readonly before: string
  readonly after: string
  /** Columns besides the key: those that are compared, and those that only one of the generations has. */
  readonly columns: {
    readonly compared: readonly string[]
    readonly added: readonly string[]
    readonly removed: readonly string[]
  }
  /** All rows that differ, by key within each group of part files. Each call reads both generations. */
  changes(): AsyncIterable<RowChange>
  /** How many keys and rows differ; reads both generations. */
  count(): Promise<DiffCounts>
}

/** A row that one of two generations has, or that differs. */
export interface RowChange {
  readonly change: 'added' | 'removed' | 'changed'
  /** The columns of its key. */
  readonly key: Row
  /** Which of its key's rows it is, from 0. */
  readonly row: number
  /** The values before and after: of a changed row those that differ, else all besides the key. Null where there is no row. */
  readonly old: Row | null
  readonly new: Row | null
}

export interface DiffCounts {
  /** Keys of the rows that differ; one with rows in only one of the generations is added or removed. */
  readonly keys: { readonly added: number; readonly removed: number; readonly changed: number }
  readonly rows: {
    readonly added: number
    readonly removed: number
    readonly changed: number
    readonly unchanged: number
  }
  /** For each column that is compared, in how many rows it differs. */
  readonly columns: readonly { readonly name: string; readonly rows: number }[]
}

export interface CorrectionsOptions {
  /** A generation as in `OpenOptions`, or `all`. Default: only what this generation corrected. */
  readonly since?: string | number
  /** Called with the reason where generations are left out because one was removed or is damaged. */
  readonly onGap?: (reason: string) => void
}

/** A published figure that a rebuild changed: the notice that `refold notify` delivers, as an object. */
export interface Correction {
  /** `daily-cases/000002-41d0…/17` */
  readonly id: string
  readonly view: string
  readonly generation: string
  readonly previous: string | null
  /** The columns of its key. */
  readonly key: Row
  /** Which of the key's rows, from 0. */
  readonly row: number
  readonly column: string
  /** Whether both generations have the row, or only one of them. */
  readonly change: 'changed' | 'vanished' | 'appeared'
  /** Decimals, days and moments are strings, and so are integers beyond ±(2^53 − 1). Null without a row, or without a value. */
  readonly old: unknown
  readonly new: unknown
  /** `late data`, `upstream correction`, `changed logic`, `changed options`, several joined by ` + `; or `undetermined`. */
  readonly cause: string
  /** The value after each cause. */
  readonly steps: readonly { readonly cause: string; readonly old: unknown; readonly new: unknown }[]
  /** Why causes or events could not be determined. */
  readonly detail: string | null
  /** Whether the window was final when the old figure was published. */
  readonly wasFinal: boolean | null
  /** The oldest generation that published the old figure, and when. */
  readonly firstGeneration: string
  readonly firstPublishedAt: string | null
  /** How many events caused the change, and the first 20 for each cause. */
  readonly events: number
  readonly behind: readonly { readonly id: string; readonly recordedAt: string; readonly lagSeconds: number }[]
}

export interface TriangleOptions {
  /** What is counted. Default: what the view measures. */
  readonly counted?: Counted
  /** What each delay added, instead of all up to it. Default: false. */
  readonly incremental?: boolean
  /** How many windows, the latest, and how many delays, the shortest. Default: all. */
  readonly windows?: number
  readonly delays?: number
}
