import { hashAll, hashRange, viewOf } from '../columns/hash.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import { describePlace, InputError } from '../model/errors.ts'
import type { Batch } from '../scan/event-batch.ts'
import { eventPlace, functionError } from '../scan/places.ts'
import { guarded } from '../view/purity.ts'
import { KEY_BYTES_MAX } from '../view/row-layout.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { FoundKeys, KeyedRows } from './emitted-rows.ts'
import type { KeyLoop } from './key-loop.ts'
import type { BatchWindows } from './windows.ts'

/** Every kept row under the log's own key, a column of strings: its bytes are used where they lie. */
export function emitByStringKey(column: SlotColumn, kept: Int32Array, batch: Batch): KeyedRows {
  if (column.kind !== 'bytes' && column.kind !== 'dictionary')
    throw new Error(`a key of strings lies in a ${column.kind} column`)
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  const codes = column.kind === 'dictionary' ? column.codes : null
  const count = kept.length
  const keyStarts = batch.memory.int32(count)
  const keyLengths = batch.memory.int32(count)
  const { offsets, gap } = bytes
  const hashes = batch.memory.int32(count)
  let anyLength = 0
  for (let i = 0; i < count; i++) {
    const entry = codes === null ? kept[i]! : codes[kept[i]!]!
    const start = offsets[entry]!
    const length = offsets[entry + 1]! - gap - start
    keyStarts[i] = start
    keyLengths[i] = length
    anyLength |= length
  }
  if (anyLength > KEY_BYTES_MAX) refuseLongKeys(keyLengths, kept, batch)
  if (codes === null) {
    hashAll(bytes.data, keyStarts, keyLengths, count, hashes)
  } else {
    const hashOf = hashDictionary(bytes.data, offsets, gap, bytes.length)
    for (let i = 0; i < count; i++) hashes[i] = hashOf[codes[kept[i]!]!]!
  }
  return {
    count,
    rows: kept,
    hasMultiKeyRows: false,
    hashes,
    keyData: bytes.data,
    keyStarts,
    keyLengths,
    distinctHashes: hashes,
  }
}

function hashDictionary(data: Uint8Array, offsets: Int32Array, gap: number, length: number): Int32Array {
  const hashes = new Int32Array(length)
  const view = viewOf(data)
  for (let i = 0; i < length; i++) hashes[i] = hashRange(view, offsets[i]!, offsets[i + 1]! - gap - offsets[i]!)
  return hashes
}

function refuseLongKeys(lengths: Int32Array, kept: Int32Array, batch: Batch): void {
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i]! <= KEY_BYTES_MAX) continue
    const place = eventPlace(batch, kept[i]!)
    throw new InputError(
      `Cannot use the key at ${describePlace(place)}: expected at most ${KEY_BYTES_MAX} bytes, found ${lengths[i]}.`,
      place,
    )
  }
}

/** Every kept row for which the view's `filter` is true, under the keys its `keyBy` gives. */
export function emitByFunction(
  view: PreparedView,
  loop: KeyLoop,
  kept: Int32Array,
  batch: Batch,
  windows: BatchWindows | null,
): FoundKeys {
  const found = guarded(() => tryKeys(view, loop, kept, batch, windows), view.clock)
  if (found.distinct.lengths.some((length) => length > KEY_BYTES_MAX)) {
    refuseLongKeys(spreadKeys(found, batch).keyLengths, found.rows, batch)
  }
  return found
}

/** The distinct keys written out for each row. */
export function spreadKeys({ count, rows, hasMultiKeyRows, slots, distinct }: FoundKeys, { memory }: Batch): KeyedRows {
  const hashes = memory.int32(count)
  const keyStarts = memory.int32(count)
  const keyLengths = memory.int32(count)
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!
    hashes[i] = distinct.hashes[slot]!
    keyStarts[i] = distinct.starts[slot]!
    keyLengths[i] = distinct.lengths[slot]!
  }
  return {
    count,
    rows,
    hasMultiKeyRows,
    hashes,
    keyData: distinct.data,
    keyStarts,
    keyLengths,
    distinctHashes: distinct.hashes,
  }
}

function tryKeys(
  view: PreparedView,
  loop: KeyLoop,
  kept: Int32Array,
  batch: Batch,
  windows: BatchWindows | null,
): FoundKeys {
  try {
    return loop.run(kept, windows, batch.memory)
  } catch (error) {
    const { row, step } = loop.at()
    throw functionError({ view: view.name, handler: step }, `View ${view.name}, its ${step}`, batch, row, error)
  }
}

/** An event of a type for which a view says `unknown: 'fail'`. */
export function unknownType(view: string, type: string, batch: Batch, row: number): InputError {
  const place = { ...eventPlace(batch, row), view }
  return new InputError(
    `View ${view} refuses the event at ${describePlace(place)}: expected a type it has a handler for, found ${JSON.stringify(type)}. Add a handler, list the type in the log's types, or set unknown to 'filter' or 'quarantine'.`,
    place,
  )
}
