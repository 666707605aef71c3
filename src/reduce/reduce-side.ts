import type { PackedFold } from '../view/fold.ts'
import type { PackedLayout } from '../view/packed-layout.ts'
import { describeThrown } from '../view/thrown.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Bucket, BucketSource } from './bucket.ts'
import type { CompareRows } from './compare-rows.ts'

/** What a strategy does with packed rows where they arrive. */
export interface ReduceSide {
  /** What the rows are. */
  readonly packed: PackedLayout
  /** By the log's order; null where a key's rows may be folded in any. */
  readonly compare: CompareRows | null
  /**
   * What folds the rows into states of a view.
   *
   * @param index Of the view in its group.
   */
  foldOf(view: PreparedView, index: number): ViewFold
  /** What the fold's handlers are given as the key of a slot. @param keyAt Gives the key itself. */
  keyArgument(keyAt: (slot: number) => unknown): (slot: number) => unknown
  /** Looks at rows that were loaded before they are folded; throws where they can't be what the strategy expects. */
  checkPiece(piece: Piece): void
  /** The error of a row whose handler threw. */
  failure(at: FailedRow, error: unknown): Error
}

export interface ViewFold {
  readonly fold: PackedFold
  /** By type code. */
  readonly handlerOf: Uint8Array
  /** Called when keys `from … to` of a bucket get their states. */
  begin?(from: number, to: number): void
}

/** Rows of a bucket that are loaded at a time. */
export interface Piece {
  readonly bucket: Bucket
  readonly source: BucketSource
  /** Rows of the bucket's earlier pieces. */
  readonly rowsBefore: number
}

/** A row whose handler threw. */
export interface FailedRow {
  readonly view: string
  readonly handler: string
  /** In words. */
  readonly key: string
  readonly bucket: Bucket
  readonly source: BucketSource
  /** Its first word. */
  readonly at: number
}

/** A handler threw: at which row of which block. The event is found with the log. */
export class FoldFailure extends Error {
  readonly view: string
  readonly handler: string
  readonly key: string
  /** Of which of the logs that are folded the row is, */
  readonly member: number
  /** and of which of that log's splits. */
  readonly split: number
  readonly ordinal: number
  readonly bucket: number
  readonly nth: number
  constructor(
    at: Pick<FoldFailure, 'view' | 'handler' | 'key' | 'member' | 'split' | 'ordinal' | 'bucket' | 'nth'>,
    cause: unknown,
  ) {
    super(describeThrown(cause), { cause })
    this.view = at.view
    this.handler = at.handler
    this.key = at.key
    this.member = at.member
    this.split = at.split
    this.ordinal = at.ordinal
    this.bucket = at.bucket
    this.nth = at.nth
  }
}

/** The error of a row that is an event. */
export function failureAtEvent({ view, handler, key, bucket, source, at }: FailedRow, error: unknown): FoldFailure {
  const { block, nth } = bucket.originOf(at, source)
  const { member, split, ordinal } = source.blocks[block]!
  return new FoldFailure({ view, handler, key, member, split, ordinal, bucket: source.bucket, nth }, error)
}

/** A key that was folded in place came from two partitions. */
export class KeySpansPartitionsError extends Error {
  readonly key: Uint8Array
  /** The key in words. */
  readonly shown: string
  /** A split of each of the two. */
  readonly splits: readonly [number, number]
  constructor(key: Uint8Array, shown: string, splits: readonly [number, number]) {
    super(`key ${shown} was folded in two partitions`)
    this.key = key
    this.shown = shown
    this.splits = splits
  }
}
