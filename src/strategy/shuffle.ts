import { makeBlockPacker, type PackBlock } from '../map/block-packer.ts'
import type { KeyedRows } from '../map/emitted-rows.ts'
import { type KeySource, keySlots, makeKeySource } from '../map/key-source.ts'
import { BatchwiseSide, type MappedBatch, type MapSide, type Sendable, type SentRows } from '../map/map-side.ts'
import { travellingColumns } from '../map/travelling-columns.ts'
import type { BatchWindows } from '../map/windows.ts'
import type { Column } from '../model/column.ts'
import type { FoldedLog, LogPlan } from '../model/plan.ts'
import { compileCompare } from '../reduce/compare-rows.ts'
import { failureAtEvent, type ReduceSide } from '../reduce/reduce-side.ts'
import type { Batch } from '../scan/event-batch.ts'
import { sketchHashes } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { compilePackedFold } from '../view/fold.ts'
import { eventFoldSpec } from '../view/fold-spec.ts'
import { eventLayout } from '../view/packed-layout.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import type { FoldStrategy } from './strategy.ts'

/** Events travel to their key's bucket, and are folded there in the log's order. */
export const shuffle: FoldStrategy = {
  mapSide: (log, group, memory) => new EventSender(log, group, memory),
  reduceSide: eventReducer,
}

class EventSender extends BatchwiseSide implements MapSide {
  readonly slots: readonly number[]
  readonly #columnsOf: (batch: Batch) => Column[]
  readonly #keys: KeySource
  readonly #pack: PackBlock

  constructor(log: LogPlan, group: PreparedGroup, memory: BlockMemory) {
    super()
    this.slots = keySlots(log, group)
    this.#columnsOf = travellingColumns(group.plan)
    this.#keys = makeKeySource(log, group)
    this.#pack = makeBlockPacker(log, group.plan, eventLayout(log, group.plan).layout, memory)
  }

  emit(batch: Batch, kept: Int32Array, windows: BatchWindows | null): Sendable {
    const keyed = this.#keys.keyedRows(batch, kept, windows)
    return { emission: keyed, send: (sent) => this.#send(batch, keyed, sent) }
  }

  #send(batch: Batch, keyed: KeyedRows, { typeCodes, periods, at, sketch }: SentRows): MappedBatch {
    sketchHashes(sketch, keyed.distinctHashes, keyed.distinctHashes.length)
    const columns = this.#columnsOf(batch)
    if (periods !== null) columns.push(periods.column)
    return { block: this.#pack(at, { ...keyed, typeCodes, columns }), keyed }
  }
}

function eventReducer(log: FoldedLog, group: PreparedGroup): ReduceSide {
  const { plan } = group
  const packed = eventLayout(log, plan)
  return {
    packed,
    compare: plan.order.length > 0 ? compileCompare(packed.layout, group) : null,
    foldOf: (view: PreparedView) => ({
      fold: compilePackedFold(eventFoldSpec(log, plan, view), packed.visible),
      handlerOf: view.handlerOf,
    }),
    keyArgument: (keyAt) => keyAt,
    checkPiece: () => {},
    failure: failureAtEvent,
  }
}
