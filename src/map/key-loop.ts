import type { Column } from '../model/column.ts'
import type { ReadMemory } from '../parquet/read-memory.ts'
import { hashAll } from '../shuffle/hash.ts'
import { grown } from '../shuffle/key-table.ts'
import { type BoundSlots, compileWithEvent } from '../view/fold.ts'
import { ByteWriter, type KeyCodec, KeyValueError } from '../view/key-codec.ts'
import { ValueError } from '../view/runtime.ts'
import type { Slot } from '../view/slots.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { Emission } from './emission.ts'

/**
 * Finds the keys of a view's events by its `filter` and `by`. The loop is generated for each view, so that the engine
 * can inline both functions and need not make the key objects they return.
 *
 * Keys repeat: each distinct one of a batch is turned into bytes and hashed once. It is found again by its columns, one
 * map for each, and without a look at the map where a column is the same as in the event before.
 */
export interface KeyLoop {
  bindColumns(columns: readonly (Column | undefined)[]): void
  /** Finds the keys of some rows of the bound columns. */
  run(rows: Int32Array, memory: ReadMemory): FoundKeys
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
  const interner = new Interner(view.codec)
  const generated = compileWithEvent(
    slots,
    absentNames,
    copiesEvents,
    loopSource(view.codec.names, by !== undefined, filter !== undefined),
    {
      by,
      filter,
      interner,
      refuseFilter,
      refuseKey,
    },
  ) as BoundSlots & { run(rows: Int32Array, found: Found): void; at(): number; step(): number }
  return {
    bindColumns: (columns) => generated.bindColumns(columns),
    run(rows, memory) {
      interner.clear()
      const found = new Found(rows.length, memory)
      generated.run(rows, found)
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

  constructor(rows: number, memory: ReadMemory) {
    this.rows = memory.int32(rows)
    this.slots = memory.int32(rows)
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
  #bytes = new ByteWriter()
  #starts: number[] = []

  constructor(codec: KeyCodec) {
    this.#codec = codec
  }

  clear(): void {
    this.#bytes = new ByteWriter()
    this.#starts = []
  }

  add(key: Readonly<Record<string, unknown>>): number {
    const start = this.#bytes.length
    this.#codec.write(key, this.#bytes)
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

function loopSource(names: readonly string[], hasBy: boolean, hasFilter: boolean): string {
  const last = names.length - 1
  const none = '{}'
  const levels = names.map((name, i) => {
    const value = `v${i}k`
    const map = i === 0 ? 'root' : `map${i}`
    const found = i === last ? 'slot' : `map${i + 1}`
    const make =
      i === last
        ? `if (slot === undefined) { last${i} = none; ${map}.set(${value}, slot = interner.add(key)); }`
        : `if (map${i + 1} === undefined) ${map}.set(${value}, map${i + 1} = new Map());`
    const forget = i === last ? '' : ` last${i + 1} = none;`
    return `const ${value} = key[${JSON.stringify(name)}];
    if (${value} !== last${i}) { ${found} = ${map}.get(${value}); ${make} last${i} = ${value};${forget} }`
  })
  return `const none = ${none};
let at = 0, step = 0, root, slot, ${names.map((_, i) => `last${i} = none`).join(', ')}${names
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
  run(kept, found) {
    root = new Map(); ${names.map((_, i) => `last${i} = none;`).join(' ')}
    let rows = found.rows, slots = found.slots, count = 0;
    for (let i = 0; i < kept.length; i++) {
      at = p = kept[i];
      ${hasFilter ? 'step = 0; const wanted = filter(event); if (wanted !== true) { if (wanted === false) continue; refuseFilter(wanted); }' : ''}
      step = 1;
      const key = ${hasBy ? 'by(event)' : '{ key: event.key }'};
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
