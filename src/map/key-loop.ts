import type { Column } from '../model/column.ts'
import { hashAll } from '../shuffle/hash.ts'
import { grown } from '../shuffle/key-table.ts'
import { type BoundSlots, compileWithEvent } from '../view/fold.ts'
import { ByteWriter, type KeyCodec, KeyValueError } from '../view/key-codec.ts'
import { ValueError } from '../view/runtime.ts'
import type { Slot } from '../view/slots.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Emission } from './emission.ts'
import type { BatchWindows } from './windows.ts'

/**
 * Finds the keys of a view's events by its `filter` and `by`. The loop is generated for each view, so that the engine
 * can inline both functions and need not make the key objects they return.
 *
 * Keys repeat: each distinct one of a batch is turned into bytes and hashed once. It is found again by its columns, one
 * map for each, and without a look at the map where a column is the same as in the event before. A window is its first
 * column, and numbered already.
 */
export interface KeyLoop {
  bindColumns(columns: readonly (Column | undefined)[]): void
  /**
   * Finds the keys of some rows of the bound columns.
   *
   * @param windows Of a view with windows: those of the rows.
   */
  run(rows: Int32Array, windows: BatchWindows | null): FoundKeys
  /** The row and the function that `run` was at when something threw. */
  at(): { readonly row: number; readonly step: 'filter' | 'by' }
}

export interface FoundKeys extends Emission {
  /** Number of the key among the distinct ones. */
  readonly slots: Int32Array
  readonly distinct: DistinctKeys
}

export interface DistinctKeys {
  readonly count: number
  readonly hashes: Int32Array
  readonly data: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

export function compileKeyLoop(
  view: PreparedView,
  slots: readonly Slot[],
  absentNames: readonly string[],
  copiesEvents: boolean,
): KeyLoop {
  const { by, filter } = view.definition
  const interner = new Interner(view)
  const generated = compileWithEvent(
    slots,
    absentNames,
    copiesEvents,
    loopSource(Object.keys(view.given), by !== undefined, filter !== undefined, view.window !== null),
    {
      by,
      filter,
      interner,
      refuseFilter,
      refuseKey,
    },
  ) as BoundSlots & {
    run(rows: Int32Array, found: Found, windowOf: Int32Array | null): void
    at(): number
    step(): number
  }
  return {
    bindColumns: (columns) => generated.bindColumns(columns),
    run(rows, windows) {
      interner.clear(windows)
      const found = new Found(rows.length)
      generated.run(rows, found, windows?.of ?? null)
      return {
        count: found.count,
        rows: found.rows.subarray(0, found.count),
        slots: found.slots.subarray(0, found.count),
        distinct: interner.finish(),
        several: found.several,
      }
    },
    at: () => ({ row: generated.at(), step: generated.step() === 0 ? 'filter' : 'by' }),
  }
}

/** Rows and their keys' numbers, growing where rows have several keys. */
class Found {
  count = 0
  several = false
  rows: Int32Array
  slots: Int32Array

  constructor(rows: number) {
    this.rows = new Int32Array(rows)
    this.slots = new Int32Array(rows)
  }

  /** An event is folded into each of its keys once, however often `by` names it. */
  addAll(row: number, slots: readonly number[]): void {
    this.several ||= slots.length > 1
    for (const slot of new Set(slots)) {
      if (this.count === this.rows.length) this.#grow()
      this.rows[this.count] = row
      this.slots[this.count] = slot
      this.count++
    }
  }

  #grow(): void {
    this.rows = grown(this.rows)
    this.slots = grown(this.slots)
  }
}

/** The bytes of distinct keys, numbered as they come. */
class Interner {
  readonly #codec: KeyCodec
  readonly #window: string | null
  #windows: BatchWindows | null = null
  #bytes = new ByteWriter()
  #starts: number[] = []

  constructor({ codec, window }: PreparedView) {
    this.#codec = codec
    this.#window = window?.name ?? null
  }

  clear(windows: BatchWindows | null): void {
    this.#windows = windows
    this.#bytes = new ByteWriter()
    this.#starts = []
  }

  /** @param window Number of the key's window. */
  add(key: Readonly<Record<string, unknown>>, window: number): number {
    const start = this.#bytes.length
    const whole = this.#window === null ? key : { ...key, [this.#window]: this.#windows!.keys[window] }
    this.#codec.write(whole, this.#bytes)
    return this.#starts.push(start) - 1
  }

  finish(): DistinctKeys {
    const count = this.#starts.length
    const starts = Int32Array.from(this.#starts)
    const lengths = Int32Array.from(starts, (start, i) => (starts[i + 1] ?? this.#bytes.length) - start)
    const hashes = new Int32Array(count)
    hashAll(this.#bytes.bytes, starts, lengths, count, hashes)
    return { count, hashes, data: this.#bytes.bytes, starts, lengths }
  }
}

function refuseFilter(found: unknown): never {
  throw new ValueError('filter', `expected true or false, found ${String(found)}`)
}

function refuseKey(found: unknown): never {
  throw new KeyValueError(`expected a key, an array of keys or null, found ${String(found)}`)
}

/** Every event under its window alone: there is nothing to look for. */
export function findWindows(view: PreparedView, rows: Int32Array, windows: BatchWindows): FoundKeys {
  const interner = new Interner(view)
  interner.clear(windows)
  const numbers = new Int32Array(windows.keys.length).fill(-1)
  const slots = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const window = windows.of[rows[i]!]!
    if (numbers[window]! < 0) numbers[window] = interner.add({}, window)
    slots[i] = numbers[window]!
  }
  return { count: rows.length, rows, slots, distinct: interner.finish(), several: false }
}

/** The places of a key's columns: a window's first, then those that `by` gives. */
function loopSource(given: readonly string[], hasBy: boolean, hasFilter: boolean, hasWindow: boolean): string {
  const values = given.map((name) => `key[${JSON.stringify(name)}]`)
  if (hasWindow) values.unshift('windowOf[at]')
  const last = values.length - 1
  const none = '{}'
  const levels = values.map((read, i) => {
    const value = `v${i}k`
    const map = i === 0 ? 'root' : `map${i}`
    const found = i === last ? 'slot' : `map${i + 1}`
    const make =
      i === last
        ? `if (slot === undefined) { last${i} = none; ${map}.set(${value}, slot = interner.add(key, ${hasWindow ? 'windowOf[at]' : '0'})); }`
        : `if (map${i + 1} === undefined) ${map}.set(${value}, map${i + 1} = new Map());`
    const forget = i === last ? '' : ` last${i + 1} = none;`
    return `const ${value} = ${read};
    if (${value} !== last${i}) { ${found} = ${map}.get(${value}); ${make} last${i} = ${value};${forget} }`
  })
  return `const none = ${none};
let at = 0, step = 0, windowOf, root, slot, ${values.map((_, i) => `last${i} = none`).join(', ')}${values
    .slice(1)
    .map((_, i) => `, map${i + 1}`)
    .join('')};
function slotOf(key) {
  if (key === null || typeof key !== 'object') refuseKey(key);
  ${levels.join('\n  ')}
  return slot;
}
return {
  at() { return at; },
  step() { return step; },
  bindColumns,
  run(kept, found, windows) {
    windowOf = windows;
    root = new Map(); ${values.map((_, i) => `last${i} = none;`).join(' ')}
    let rows = found.rows, slots = found.slots, count = 0;
    for (let i = 0; i < kept.length; i++) {
      at = p = kept[i];
      ${hasFilter ? 'step = 0; const wanted = filter(event); if (wanted !== true) { if (wanted === false) continue; refuseFilter(wanted); }' : ''}
      step = 1;
      const key = ${hasBy ? 'by(event)' : hasWindow ? 'none' : '{ key: event.key }'};
      if (key === null) continue;
      if (Array.isArray(key)) {
        found.count = count; found.addAll(at, key.map(slotOf)); count = found.count; rows = found.rows; slots = found.slots;
        continue;
      }
      const s = slotOf(key);
      if (count === rows.length) { found.count = count; found.addAll(at, [s]); count = found.count; rows = found.rows; slots = found.slots; continue; }
      rows[count] = at; slots[count] = s; count++;
    }
    found.count = count;
  },
};`
}
