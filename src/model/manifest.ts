import type { OrderReport } from './order-report.ts'
import type { Counters, VintageLength } from './report.ts'
import type { TimeUnit, Type, TypeKind } from './type.ts'
import type { LatePolicy } from './view.ts'

/**
 * What a generation of a view says about itself, in `_manifest.json`. The digest covers everything that follows from
 * the events, the view's logic and the options, and nothing else: not how the events were spread over files, nor when,
 * where and by how many workers the view was built, nor its place among the generations.
 */
export interface Manifest extends ManifestBody {
  /** Version of this layout. */
  readonly format: 1
  /** The generation's own name. Not digested. */
  readonly generation: string
  /** The generation that was current before it. Not digested. */
  readonly previous: string | null
  /** SHA-256 of the digested part as canonical JSON, lower-case hexadecimal. */
  readonly digest: string
}

export interface ManifestBody {
  readonly view: string
  readonly fingerprint: string
  readonly options: ManifestOptions
  readonly key: readonly ManifestColumn[]
  /** The columns besides the key. */
  readonly columns: readonly ManifestColumn[]
  readonly rows: number
  readonly keys: number
  readonly counters: Counters
  /**
   * What was found of the order of events; null where the view's result doesn't depend on it, and of vintages, whose view says it.
   * Absent in generations that were published before it was counted.
   */
  readonly order?: OrderReport | null
  /** The view's part files, in the order of their names. */
  readonly files: readonly ManifestFile[]
  /** The files of the list of exceptions, which is sorted and doesn't depend on how the events are spread over files. */
  readonly exceptions: readonly ManifestFile[]
  /** What the view's windows are; null for a view without. */
  readonly window: ManifestWindow | null
  /** Of a view with windows: its reporting triangle. */
  readonly triangle: readonly ManifestFile[]
  /**
   * The notices of figures that the generation before it had published and this one changes. Not digested: they follow
   * from what was published before as well.
   */
  readonly corrections: readonly ManifestFile[]
  /**
   * The job that published the view, which is the only one that publishes it again: `package-name:jobs/ledger.ts`, or the file's path from the
   * folder of views where it is in no package. Absent where the job came from no file. Not digested.
   */
  readonly job?: string
  /** The job as it was built by, in `_logic.mjs`; null where the job came from no file. Not digested: comments are in it. */
  readonly logic: ManifestLogic | null
  /**
   * The progress of each partition of the log: when its newest known event was recorded, ISO 8601, of those that no clock that is
   * ahead recorded; partitions without one are left out. Not digested: the same events may lie in other partitions.
   */
  readonly progress: readonly ManifestProgress[]
  /** The files of the log that were read for this generation. Not digested: the same events may lie in other files. */
  readonly inputs: readonly ManifestInput[]
}

export interface ManifestOptions {
  /** ISO 8601 moments. */
  readonly knownAt: string | null
  readonly asOf: string | null
  /** Of a view of vintages: the period that each of them ends. */
  readonly vintages: VintageLength | null
}

export interface ManifestWindow {
  /** Name of the key column. */
  readonly column: string
  readonly every: string
  readonly zone: string
  readonly allowedLateness: string
  readonly late: LatePolicy
  /** All that was recorded up to this moment is taken to be known, ISO 8601; null where no event is. */
  readonly watermark: string | null
  /** The log records days: that an event was recorded on a day, and not when on it. */
  readonly recordsDays: boolean
  /** All events of a day are written at once, so that a day of which any is known is over. */
  readonly recordsWholeDays: boolean
}

export interface ManifestLogic {
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

export interface ManifestProgress {
  /** Of a view of several logs. */
  readonly log?: string
  readonly partition: string
  readonly recordedAt: string
}

export interface ManifestColumn {
  readonly name: string
  readonly type: TypeKind
  readonly nullable: boolean
  readonly unit?: TimeUnit
  readonly precision?: number
  readonly scale?: number
}

export interface ManifestFile {
  /** Path within the generation's folder. */
  readonly name: string
  readonly rows: number
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

export interface ManifestInput {
  readonly log: string
  /** Of a log that is the rows of a view: that view. */
  readonly view?: string
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly footerSha256: string
  /** When its first and last event were recorded, ISO 8601 with nanoseconds, where the file's statistics show both. */
  readonly recordedFrom?: string
  readonly recordedTo?: string
}

/** The part of a manifest that its digest covers. */
export function digestedPart(body: ManifestBody): object {
  const { view, fingerprint, options, key, columns, rows, keys, counters, files, exceptions, window, triangle } = body
  const order = body.order === undefined ? {} : { order: body.order }
  const rest = { rows, keys, counters, ...order, files, exceptions, window, triangle }
  return { format: 1, view, fingerprint, options, key, columns, ...rest }
}

/** A column as a manifest describes it. */
export function manifestColumn(name: string, type: Type): ManifestColumn {
  const { kind, nullable, unit, precision, scale } = type
  return {
    name,
    type: kind,
    nullable,
    ...(unit === undefined ? {} : { unit }),
    ...(precision === undefined ? {} : { precision }),
    ...(scale === undefined ? {} : { scale }),
  }
}
