import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import type { Block } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import type { OrderFound } from '../view/order-tally.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import type { Emission, KeyedRows } from './emitted-rows.ts'
import type { BatchPeriods } from './periods.ts'
import type { BatchWindows } from './windows.ts'

/** What a strategy does with a group's events where they are read. */
export interface MapSide {
  /** Slots it reads of an event, besides those that the plan lists. */
  readonly slots: readonly number[]
  /** Whether batches must outlive the next one: their columns are then not decoded into memory that is used again. */
  readonly keepsBatches: boolean
  /** Finds which of the chosen rows go to keys; they are sent once they are counted. */
  emit(batch: Batch, kept: Int32Array, windows: BatchWindows | null): Sendable
  /** Begins a partition: the batches up to its end hold all events of their keys. */
  openPartition(): void
  /** Ends a partition. @returns Its result; null where batches were sent one by one. */
  closePartition(at: BlockPlace, sketch: Uint8Array): ClosedPartition | null
  /** Forgets a partition that was not read to its end. */
  leavePartition(): void
}

/** @param memory Where its blocks go. */
export type MakeMapSide = (log: LogPlan, group: PreparedGroup, memory: BlockMemory) => MapSide

/** The rows of a batch that go to keys, and how they are handed on. */
export interface Sendable {
  readonly emission: Emission
  /** @returns What goes to reduce; null where nothing does yet. */
  send(sent: SentRows): MappedBatch | null
}

/** What is known of the rows of a batch when they are sent. */
export interface SentRows {
  /** By row of the batch: code of its type in the group. */
  readonly typeCodes: Uint16Array
  /** By row of the batch: 1 where it is late; null where none is. */
  readonly late: Uint8Array | null
  readonly periods: BatchPeriods | null
  readonly at: BlockPlace
  /** Counts the distinct keys of a split. */
  readonly sketch: Uint8Array
}

export interface ClosedPartition {
  /** Null where nothing of the partition goes to reduce. */
  readonly block: Block | null
  /** What was found of the order of events, by view whose result depends on it. */
  readonly order: Readonly<Record<string, OrderFound>>
}

export interface BlockPlace {
  readonly split: number
  readonly ordinal: number
}

export interface MappedBatch {
  readonly block: Block
  /** What was packed; null where states were, in place of events. */
  readonly keyed: KeyedRows | null
}

/** A side that hands on every batch by itself, whatever partition it is of. */
export abstract class BatchwiseSide {
  readonly keepsBatches = false

  openPartition(): void {}

  closePartition(): null {
    return null
  }

  leavePartition(): void {}
}
