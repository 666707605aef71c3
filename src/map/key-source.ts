import type { LogPlan } from '../model/plan.ts'
import { isTextual } from '../model/slots.ts'
import type { Batch } from '../scan/event-batch.ts'
import { KeyTable } from '../shuffle/key-table.ts'
import { absentNames } from '../view/fold-spec.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { emitByFunction, emitByStringKey, spreadKeys } from './emission.ts'
import type { FoundKeys, KeyedRows } from './emitted-rows.ts'
import { compileKeyLoop, findWindows } from './key-loop.ts'
import type { BatchWindows } from './windows.ts'

/** Finds the keys of a group's events in the rows of a batch that were chosen for it. */
export interface KeySource {
  /** Every row with the bytes of its key. */
  keyedRows(batch: Batch, kept: Int32Array, windows: BatchWindows | null): KeyedRows
  /** The distinct keys, and which one each row has. */
  distinctKeys(batch: Batch, kept: Int32Array, windows: BatchWindows | null): FoundKeys
}

/** The slot of the log's own key where the group needs it; empty where every view computes its keys. */
export function keySlots(log: LogPlan, { views }: PreparedGroup): readonly number[] {
  const usesLogKey = views[0]!.window === null && views.some((view) => view.definition.keyBy === undefined)
  return usesLogKey ? [log.roles.key] : []
}

/** By what the key is made of: the log's own column of strings, a window alone, or what functions and other types give. */
export function makeKeySource(log: LogPlan, group: PreparedGroup): KeySource {
  const [view] = group.views
  const { keyBy, filter } = view!.definition
  const isComputed = keyBy !== undefined || filter !== undefined
  const [key] = keySlots(log, group)
  if (isComputed || (key !== undefined && !isTextual(log.slots[key]!.type))) return foundBy(makeKeyFinder(log, group))
  if (key === undefined) return foundBy((_batch, kept, windows) => findWindows(view!, kept, windows!))
  const keyedRows = (batch: Batch, kept: Int32Array) => emitByStringKey(batch.columns[key]!, kept, batch)
  return { keyedRows, distinctKeys: (batch, kept) => internKeys(keyedRows(batch, kept)) }
}

type FindKeys = (batch: Batch, kept: Int32Array, windows: BatchWindows | null) => FoundKeys

/** Finds keys by the `filter` and `keyBy` of a group's only view, or by a key of the log that is not a string. */
function makeKeyFinder(log: LogPlan, { plan, views }: PreparedGroup): FindKeys {
  const view = views[0]!
  const { key } = log.roles
  const readsKey = view.definition.keyBy === undefined && view.window === null
  const slots = readsKey && !plan.mapSlots.includes(key) ? [...plan.mapSlots, key] : plan.mapSlots
  const loop = compileKeyLoop(
    view,
    slots.map((slot) => log.slots[slot]!),
    absentNames(log, slots),
    plan.copiesEvents,
  )
  return (batch, kept, windows) => {
    loop.bindColumns(slots.map((slot) => batch.columns[slot]))
    return emitByFunction(view, loop, kept, batch, windows)
  }
}

/** The rows of events that the group's `filter` takes. */
export function makeRowFilter(log: LogPlan, group: PreparedGroup): (batch: Batch, kept: Int32Array) => Int32Array {
  if (group.views[0]!.definition.filter === undefined) return (_batch, kept) => kept
  const find = makeKeyFinder(log, group)
  return (batch, kept) => find(batch, kept, null).rows
}

function foundBy(find: FindKeys): KeySource {
  return {
    keyedRows: (batch, kept, windows) => spreadKeys(find(batch, kept, windows), batch),
    distinctKeys: find,
  }
}

/** The distinct keys of rows that were keyed without looking for them. */
function internKeys({ count, rows, hasMultiKeyRows, hashes, keyData, keyStarts, keyLengths }: KeyedRows): FoundKeys {
  const table = new KeyTable(1024)
  const slots = new Int32Array(count)
  table.slotsOf(keyData, keyStarts, keyLengths, hashes, count, slots)
  const distinct = {
    count: table.size,
    hashes: table.hashes.slice(0, table.size),
    data: new Uint8Array(table.words.buffer),
    starts: table.starts.slice(0, table.size).map((word) => word * 4),
    lengths: table.lengths.slice(0, table.size),
  }
  return { count, rows, hasMultiKeyRows, slots, distinct }
}
