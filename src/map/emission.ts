import { describePlace, InputError, type Place, RefoldError, ViewError } from '../model/errors.ts'
import { hashAll, hashBytes } from '../shuffle/hash.ts'
import type { EventCursor } from '../view/fold.ts'
import { ByteWriter, KeyValueError } from '../view/key-codec.ts'
import { guarded, PurityError } from '../view/purity.ts'
import { KEY_BYTES_MAX } from '../view/row-layout.ts'
import { ValueError } from '../view/runtime.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Batch } from './batch.ts'
import type { SlotColumn } from './to-slot.ts'

/** Which rows of a batch go to which keys: row by row, a row as often as it has keys. */
export interface Emission {
  readonly count: number
  /** Row of the batch. */
  readonly rows: Int32Array
  readonly hashes: Int32Array
  /** The key's bytes are `keyData[keyStarts[i] … + keyLengths[i])`. */
  readonly keyData: Uint8Array
  readonly keyStarts: Int32Array
  readonly keyLengths: Int32Array
}

/** Every kept row under the log's own key, a column of strings: its bytes are used where they lie. */
export function emitByStringKey(column: SlotColumn, kept: Int32Array, batch: Batch): Emission {
  if (column.kind !== 'bytes' && column.kind !== 'dictionary')
    throw new Error(`a key of strings lies in a ${column.kind} column`)
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  const codes = column.kind === 'dictionary' ? column.codes : null
  const count = kept.length
  const keyStarts = new Int32Array(count)
  const keyLengths = new Int32Array(count)
  const { offsets, gap } = bytes
  const hashes = new Int32Array(count)
  const { data } = bytes
  let anyLength = 0
  for (let i = 0; i < count; i++) {
    const entry = codes === null ? kept[i]! : codes[kept[i]!]!
    const start = offsets[entry]!
    const length = offsets[entry + 1]! - gap - start
    keyStarts[i] = start
    keyLengths[i] = length
    anyLength |= length
    if (codes === null) hashes[i] = hashBytes(data, start, length)
  }
  if (anyLength > KEY_BYTES_MAX) refuseLongKeys(keyLengths, kept, batch)
  if (codes !== null) {
    const hashOf = hashDictionary(bytes.data, offsets, gap, bytes.length)
    for (let i = 0; i < count; i++) hashes[i] = hashOf[codes[kept[i]!]!]!
  }
  return { count, rows: kept, hashes, keyData: bytes.data, keyStarts, keyLengths }
}

function hashDictionary(data: Uint8Array, offsets: Int32Array, gap: number, length: number): Int32Array {
  const hashes = new Int32Array(length)
  for (let i = 0; i < length; i++) hashes[i] = hashBytes(data, offsets[i]!, offsets[i + 1]! - gap - offsets[i]!)
  return hashes
}

function refuseLongKeys(lengths: Int32Array, kept: Int32Array, batch: Batch): void {
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i]! <= KEY_BYTES_MAX) continue
    const place = placeOf(batch, kept[i]!)
    throw new InputError(
      `Cannot use the key at ${describePlace(place)}: expected at most ${KEY_BYTES_MAX} bytes, found ${lengths[i]}.`,
      place,
    )
  }
}

/** A growing emission, for keys that are computed. */
class EmissionWriter {
  readonly #keys = new ByteWriter()
  #rows = new Int32Array(1024)
  #starts = new Int32Array(1024)
  #lengths = new Int32Array(1024)
  #count = 0

  add(row: number, key: Readonly<Record<string, unknown>>, view: PreparedView): void {
    if (this.#count === this.#rows.length) this.#grow()
    const start = this.#keys.length
    view.codec.write(key, this.#keys)
    this.#rows[this.#count] = row
    this.#starts[this.#count] = start
    this.#lengths[this.#count] = this.#keys.length - start
    this.#count++
  }

  finish(batch: Batch): Emission {
    const count = this.#count
    const rows = this.#rows.subarray(0, count)
    const keyLengths = this.#lengths.subarray(0, count)
    refuseLongKeys(keyLengths, rows, batch)
    const hashes = new Int32Array(count)
    hashAll(this.#keys.bytes, this.#starts, keyLengths, count, hashes)
    return { count, rows, hashes, keyData: this.#keys.bytes, keyStarts: this.#starts, keyLengths }
  }

  #grow(): void {
    const larger = (array: Int32Array) => {
      const grown = new Int32Array(array.length * 2)
      grown.set(array)
      return grown
    }
    this.#rows = larger(this.#rows)
    this.#starts = larger(this.#starts)
    this.#lengths = larger(this.#lengths)
  }
}

/** Every kept row for which the view's `filter` is true, under the keys its `by` gives. */
export function emitByFunction(view: PreparedView, cursor: EventCursor, kept: Int32Array, batch: Batch): Emission {
  const { by, filter } = view.definition as unknown as {
    by?: (event: unknown) => unknown
    filter?: (event: unknown) => unknown
  }
  const writer = new EmissionWriter()
  const { event } = cursor
  let step: 'filter' | 'by' = 'filter'
  let row = 0
  const run = () => {
    for (let i = 0; i < kept.length; i++) {
      row = kept[i]!
      cursor.seek(row)
      step = 'filter'
      if (filter !== undefined && !filter(event)) continue
      step = 'by'
      const key = by === undefined ? { key: (event as { key: unknown }).key } : by(event)
      if (key === null) continue
      if (!Array.isArray(key)) writer.add(row, asKey(key), view)
      else addDistinct(writer, row, key, view)
    }
  }
  try {
    guarded(run)
  } catch (error) {
    throw functionError(view.name, step, batch, row, error)
  }
  return writer.finish(batch)
}

/** An event is folded into each of its keys once, however often `by` names it. */
function addDistinct(writer: EmissionWriter, row: number, keys: readonly unknown[], view: PreparedView): void {
  const seen = new Set<string>()
  for (const key of keys) {
    const values = asKey(key)
    const name = JSON.stringify(view.codec.names.map((column) => `${typeof values[column]} ${String(values[column])}`))
    if (seen.has(name)) continue
    seen.add(name)
    writer.add(row, values, view)
  }
}

function asKey(key: unknown): Readonly<Record<string, unknown>> {
  if (key === null || typeof key !== 'object')
    throw new KeyValueError(`expected a key, an array of keys or null, found ${String(key)}`)
  return key as Readonly<Record<string, unknown>>
}

/** What a user's function threw, with the event it threw at. */
export function functionError(view: string, handler: string, batch: Batch, row: number, error: unknown): Error {
  const place = { ...placeOf(batch, row), view, handler }
  const where = `View ${view}, ${handler === 'by' || handler === 'filter' ? `its ${handler}` : `handler ${handler}`}, at ${describePlace(place)}`
  if (error instanceof RefoldError) return new ViewError(`${where}: ${error.message}`, place, { cause: error })
  const own = error instanceof KeyValueError || error instanceof ValueError || error instanceof PurityError
  const message = error instanceof Error ? error.message : String(error)
  return new ViewError(
    own ? `${where}: ${message}.` : `${where}: threw ${error instanceof Error ? error.name : 'a value'}: ${message}`,
    place,
    { cause: error },
  )
}

export function placeOf(batch: Batch, row: number): Place {
  return { file: batch.file, rowGroup: batch.rowGroup, row: batch.origin === null ? row : batch.origin[row]! }
}

/** An event of a type for which a view says `unknown: 'fail'`. */
export function unknownType(view: string, type: string, batch: Batch, row: number): InputError {
  const place = { ...placeOf(batch, row), view }
  return new InputError(
    `View ${view} refuses the event at ${describePlace(place)}: expected a type it has a handler for, found ${JSON.stringify(type)}. Add a handler, list the type in the log's types, or set unknown to 'filter' or 'quarantine'.`,
    place,
  )
}
