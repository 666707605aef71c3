import type { StringDictionary } from '../columns/slot-column.ts'
import type { LogPlan } from '../model/plan.ts'
import { isTextual } from '../model/slots.ts'
import type { Batch } from '../scan/event-batch.ts'
import { KeyTable } from '../shuffle/key-table.ts'
import { absentNames } from '../view/fold-spec.ts'
import type { PreparedView } from '../view/view-set.ts'
import { emitByFunction, emitByStringKey } from './emission.ts'
import { compileKeyLoop, type KeyLoop } from './key-loop.ts'

/** Numbers the keys of one partition's events, from batch to batch, in the order in which they come. */
export class PartitionKeys {
  readonly table = new KeyTable(1 << 14)
  readonly #key: number
  readonly #view: PreparedView
  /** For keys that are not strings, which are brought into bytes first. */
  readonly #loop: KeyLoop | null

  /** @param view Any view whose key is the log's. */
  constructor(log: LogPlan, view: PreparedView) {
    const { key } = log.roles
    const others = absentNames(log, [key])
    this.#key = key
    this.#view = { ...view, definition: { ...view.definition, keyBy: undefined, filter: undefined } }
    this.#loop = isTextual(log.slots[key]!.type) ? null : compileKeyLoop(this.#view, [log.slots[key]!], others, false)
  }

  /** The key's number of each of the batch's rows. */
  slotsOf(batch: Batch, rows: Int32Array): Int32Array {
    const column = batch.columns[this.#key]!
    if (this.#loop !== null) return this.#slotsByFunction(this.#loop, batch, rows)
    return column.kind === 'dictionary' ? this.#slotsByCode(column, batch, rows) : this.#slotsByBytes(batch, rows)
  }

  /** A key as `keyBy` would give it. */
  keyAt(slot: number): Record<string, unknown> {
    const { words, starts, lengths } = this.table
    const start = starts[slot]! * 4
    return this.#view.codec.read(new Uint8Array(words.buffer), start, start + lengths[slot]!)
  }

  /** The bytes of a key. */
  bytesAt(slot: number): Uint8Array {
    const { words, starts, lengths } = this.table
    return new Uint8Array(words.buffer, starts[slot]! * 4, lengths[slot]!)
  }

  #slotsByBytes(batch: Batch, rows: Int32Array): Int32Array {
    const { keyData, keyStarts, keyLengths, hashes } = emitByStringKey(batch.columns[this.#key]!, rows, batch)
    const slots = new Int32Array(rows.length)
    this.table.slotsOf(keyData, keyStarts, keyLengths, hashes, rows.length, slots)
    return slots
  }

  /** Each string of the dictionary that any row has is looked for once. */
  #slotsByCode(column: StringDictionary, batch: Batch, rows: Int32Array): Int32Array {
    const { codes } = column
    const known = new Int32Array(column.dictionary.length).fill(-1)
    const firsts = new Int32Array(Math.min(rows.length, known.length))
    let count = 0
    for (let i = 0; i < rows.length; i++) {
      const code = codes[rows[i]!]!
      if (known[code]! >= 0) continue
      known[code] = count
      firsts[count++] = rows[i]!
    }
    return spread(this.#slotsByBytes(batch, firsts.subarray(0, count)), known, codes, rows)
  }

  #slotsByFunction(loop: KeyLoop, batch: Batch, rows: Int32Array): Int32Array {
    loop.bindColumns([batch.columns[this.#key]])
    const { slots, distinct } = emitByFunction(this.#view, loop, rows, batch, null)
    const { data, starts, lengths, hashes, count } = distinct
    const slotOf = new Int32Array(count)
    this.table.slotsOf(data, starts, lengths, hashes, count, slotOf)
    return slots.map((slot) => slotOf[slot]!)
  }
}

function spread(slots: Int32Array, known: Int32Array, codes: Int32Array, rows: Int32Array): Int32Array {
  const spreadSlots = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) spreadSlots[i] = slots[known[codes[rows[i]!]!]!]!
  return spreadSlots
}
