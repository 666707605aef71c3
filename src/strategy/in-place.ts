import { makeBlockPacker, type PackBlock } from '../map/block-packer.ts'
import { keySlots, makeRowFilter } from '../map/key-source.ts'
import type { BlockPlace, ClosedPartition, MapSide, Sendable } from '../map/map-side.ts'
import { PartitionFold } from '../map/partition-fold.ts'
import type { FoldedLog, LogPlan } from '../model/plan.ts'
import { failureAtEvent, type Piece, type ReduceSide } from '../reduce/reduce-side.ts'
import type { Batch } from '../scan/event-batch.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { compilePackedFold } from '../view/fold.ts'
import { stateFoldSpec } from '../view/fold-spec.ts'
import { packedLayout } from '../view/packed-layout.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { refuseSpanningKeys } from './key-spans-partitions.ts'
import { partitionHandlerOf, partitionSlots, takePartitionState } from './partition-states.ts'
import type { FoldStrategy } from './strategy.ts'

/** All events of a key are in one partition, which is folded as a whole where it is read; states travel, one a key. */
export const inPlace: FoldStrategy = {
  mapSide: (log, group, memory) => new PartitionFolder(log, group, memory),
  reduceSide: stateTaker,
}

class PartitionFolder implements MapSide {
  readonly slots: readonly number[]
  /** Events that may prove to be out of order are kept to the end of their partition. */
  readonly keepsBatches: boolean
  readonly #fold: PartitionFold
  readonly #pack: PackBlock
  readonly #filter: (batch: Batch, kept: Int32Array) => Int32Array
  /** A split that is mapped by itself, to find an event of another group, is no partition: its handlers must not run. */
  #isPartitionOpen = false

  constructor(log: LogPlan, group: PreparedGroup, memory: BlockMemory) {
    this.slots = keySlots(log, group)
    this.keepsBatches = group.plan.order.length > 0
    this.#fold = new PartitionFold(log, group)
    this.#pack = makeBlockPacker(log, group.plan, packedLayout(log, partitionSlots(group.views)).layout, memory)
    this.#filter = makeRowFilter(log, group)
  }

  /** Keys are numbered by partition, not by batch. */
  emit(batch: Batch, kept: Int32Array): Sendable {
    const rows = this.#filter(batch, kept)
    return {
      emission: { count: rows.length, rows, hasMultiKeyRows: false },
      send: ({ typeCodes }) => {
        if (this.#isPartitionOpen) this.#fold.add(batch, rows, typeCodes)
        return null
      },
    }
  }

  openPartition(): void {
    this.#fold.clear()
    this.#isPartitionOpen = true
  }

  closePartition(at: BlockPlace, sketch: Uint8Array): ClosedPartition {
    const { states, order } = this.#fold.finish(sketch)
    return { block: states.count === 0 ? null : this.#pack(at, states), order }
  }

  leavePartition(): void {
    this.#fold.clear()
    this.#isPartitionOpen = false
  }
}

function stateTaker(log: FoldedLog, { views }: PreparedGroup): ReduceSide {
  const packed = packedLayout(log, partitionSlots(views))
  return {
    packed,
    compare: null,
    foldOf(view, index) {
      return {
        fold: compilePackedFold(stateFoldSpec(view, takePartitionState(view, index), 'nothing'), packed.visible),
        handlerOf: partitionHandlerOf(views.length, index),
      }
    },
    keyArgument: () => (slot) => slot,
    checkPiece: (piece: Piece) => refuseSpanningKeys(piece, views[0]!),
    failure: failureAtEvent,
  }
}
