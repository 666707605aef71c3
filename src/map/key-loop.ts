import { grown } from '../columns/grow.ts'
import { hashAll } from '../columns/hash.ts'
import type { Column } from '../model/column.ts'
import { isTextual, type Slot } from '../model/slots.ts'
import type { ReadMemory } from '../parquet/read-memory.ts'
import { type BoundSlots, compileWithEvent, SLICE_ROWS } from '../view/fold.ts'
import { ByteWriter, type KeyCodec, KeyValueError } from '../view/key-codec.ts'
import { describeResult, refusePromise } from '../view/results.ts'
import { ValueError } from '../view/runtime.ts'
import type { PreparedView } from '../view/view-set.ts'
import type { DistinctKeys, FoundKeys } from './emitted-rows.ts'
import type { BatchWindows } from './windows.ts'

/**
 * Finds the keys of a view's events by its `filter` and `keyBy`. The loop is generated for each view, so that the engine
 * can inline both functions and need not make the key objects they return.
 *
 * Keys repeat: each distinct one of a batch is turned into bytes and hashed once. It is found again by its columns, one
 * step for each: by the dictionary's code where the column is a string of the event itself, by place for small numbers,
 * and else in a map, which is skipped where the column is the same as the last time. A window is its first
 * column, and numbered already.
 */
export interface KeyLoop {
  bindColumns(columns: readonly (Column | undefined)[]): void
  /**
   * Finds the keys of some rows of the bound columns.
   *
   * @param windows Of a view with windows: those of the rows.
   */
  run(rows: Int32Array, windows: BatchWindows | null, memory: ReadMemory): FoundKeys
  /** The row and the function that `run` had reached when something threw. */
  at(): { readonly row: number; readonly step: 'filter' | 'keyBy' }
}

export function compileKeyLoop(
  view: PreparedView,
  slots: readonly Slot[],
  absentNames: readonly string[],
  copiesEvents: boolean,
): KeyLoop {
  const { keyBy, filter } = view.definition
  const interner = new Interner(view)
  const generated = compileWithEvent(slots, absentNames, copiesEvents, loopSource(view, lookupsOf(view.codec, slots)), {
    keyBy,
    filter,
    interner,
    KeyNode,
    refuseFilter,
    refuseKey,
  }) as BoundSlots & {
    run(rows: Int32Array, found: Found, windowOf: Int32Array | null): void
    at(): number
    step(): number
  }
  return {
    bindColumns: (columns) => generated.bindColumns(columns),
    run(rows, windows, memory) {
      interner.clear(windows)
      const found = new Found(rows.length, memory)
      generated.run(rows, found, windows?.of ?? null)
      return {
        count: found.count,
        rows: found.rows.subarray(0, found.count),
        slots: found.slots.subarray(0, found.count),
        distinct: interner.finish(),
        hasMultiKeyRows: found.hasMultiKeyRows,
      }
    },
    at: () => ({ row: generated.at(), step: generated.step() === 0 ? 'filter' : 'keyBy' }),
  }
}

/** Rows and their keys' numbers, growing where rows have several keys. */
class Found {
  count = 0
  hasMultiKeyRows = false
  rows: Int32Array
  slots: Int32Array

  constructor(rows: number, memory: ReadMemory) {
    this.rows = memory.int32(rows)
    this.slots = memory.int32(rows)
  }

  /** An event is folded into each of its keys once, however often `keyBy` names it. */
  addAll(row: number, slots: readonly number[]): void {
    this.hasMultiKeyRows ||= slots.length > 1
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
  refusePromise(found)
  throw new ValueError('filter', `expected true or false, found ${describeResult(found)}`)
}

/** A key column that may be null would be, where what is no key is read as one. */
function refuseKey(found: unknown): never {
  refusePromise(found)
  throw new KeyValueError(`expected a key, an array of keys or null, found ${describeResult(found)}`)
}

/** Every event under its window alone: no keys to find. */
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
  return { count: rows.length, rows, slots, distinct: interner.finish(), hasMultiKeyRows: false }
}

/** Columns of numbers and of strings are looked up in different ways; all others in a map alone. */
type Lookup = { readonly by: 'number' } | { readonly by: 'code'; readonly slot: number } | { readonly by: 'value' }

/** For a column of strings, the slot whose strings they may be: that of its name, or the only one. */
function lookupsOf({ names, types }: KeyCodec, slots: readonly Slot[]): readonly Lookup[] {
  const strings = slots.flatMap(({ type }, slot) => (isTextual(type) ? [slot] : []))
  return types.map((type, i) => {
    if (type.kind === 'bool') return { by: 'value' }
    if (!isTextual(type)) return { by: 'number' }
    const slot = strings.find((candidate) => slots[candidate]!.name === names[i]) ?? strings[0]
    return slot === undefined ? { by: 'value' } : { by: 'code', slot }
  })
}

/** Larger dictionaries are rare, and a node has room for each of its codes. */
const CODES_MAX = 64
/** Numbers below this are found by their place in an array. */
const SMALL_NUMBERS = 64
/** Strings that may differ from the row's own before a batch goes without codes. */
const DICTIONARY_MISSES_MAX = 256

/**
 * What follows on a key's columns so far: the next column's node, or the key's number, by that column's value. Nearly
 * all are found in `directIndex`: by the code of the row's own string, or by the number itself.
 */
class KeyNode {
  readonly directIndex: unknown[]
  readonly map = new Map<unknown, unknown>()
  /** The value that was looked up last in the map, and the result. */
  last: unknown = KeyNode
  found: unknown = undefined

  constructor(directIndex: number) {
    this.directIndex = new Array<unknown>(directIndex).fill(undefined)
  }
}

/** The places of a key's columns: a window's first, then those that `keyBy` gives. */
function loopSource({ given, window, definition }: PreparedView, lookups: readonly Lookup[]): string {
  const { keyBy, filter } = definition
  const hasWindow = window !== null
  const names = Object.keys(given)
  const reads = names.map((name) => `key[${JSON.stringify(name)}]`)
  if (hasWindow) reads.unshift('windowOf[at]')
  const last = reads.length - 1
  const entries = names.map((name, i) => `${JSON.stringify(name)}: v${hasWindow ? i + 1 : i}k`)
  const number = `interner.add({ ${entries.join(', ')} }, ${hasWindow ? 'windowOf[at]' : '0'})`
  const levels = lookups.map((lookup, i) => {
    const next = i === last ? { name: 'slot', make: number } : { name: `node${i + 1}`, make: nodeSource(i + 1) }
    return levelSource(lookup, i, reads[i]!, next)
  })
  const sizes = lookups.map((lookup, i) =>
    lookup.by === 'code'
      ? `own${i} = d${lookup.slot} !== null && d${lookup.slot}.length <= ${CODES_MAX}; directIndex${i} = own${i} ? d${lookup.slot}.length : 0; misses${i} = 0;`
      : `directIndex${i} = ${lookup.by === 'number' ? SMALL_NUMBERS : 0};`,
  )
  return `const none = {};
let at = 0, step = 0, windowOf, root = null;
let ${reads.map((_, i) => `directIndex${i} = 0, own${i} = false, misses${i} = 0`).join(', ')};
function slotOf(key) {
  if (key === null || typeof key !== 'object') refuseKey(key);
  const node0 = root;
  ${levels.join('\n  ')}
  return slot;
}
return {
  at() { return at; },
  step() { return step; },
  bindColumns,
  run(kept, found, windows) {
    windowOf = windows;
    ${sizes.join('\n    ')}
    root = new KeyNode(directIndex0);
    for (let from = 0; from < kept.length; from += ${SLICE_ROWS}) {
      runSlice(kept, from, Math.min(kept.length, from + ${SLICE_ROWS}), found);
    }
  },
};
function runSlice(kept, from, to, found) {
  let rows = found.rows, slots = found.slots, count = found.count;
  for (let i = from; i < to; i++) {
    at = p = kept[i];
    ${filter !== undefined ? 'step = 0; const wanted = filter(event); if (wanted !== true) { if (wanted === false) continue; refuseFilter(wanted); }' : ''}
    step = 1;
    const key = ${keyBy !== undefined ? 'keyBy(event)' : hasWindow ? 'none' : '{ key: event.key }'};
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
}`
}

function nodeSource(column: number): string {
  return `new KeyNode(directIndex${column})`
}

/** Looks for the value of a key's column in the node that the columns before it led to. */
function levelSource(lookup: Lookup, i: number, read: string, next: { name: string; make: string }): string {
  const value = `v${i}k`
  const node = `node${i}`
  const inMap = `if (${value} !== ${node}.last) {
      let entry = ${node}.map.get(${value});
      if (entry === undefined) { entry = ${next.make}; ${node}.map.set(${value}, entry); }
      ${node}.last = ${value}; ${node}.found = entry;
    }
    next = ${node}.found;`
  const direct = directSource(lookup, value, i)
  const search = direct === null ? inMap : `${direct.try}\n    if (next === undefined) { ${inMap} ${direct.keep} }`
  return `const ${value} = ${read};
    let next${i};
    { let next; ${search} next${i} = next; }
    const ${next.name} = next${i};`
}

/** How a value is looked up in a node's `directIndex`, and kept there; null where it can't be. */
function directSource(lookup: Lookup, value: string, i: number): { try: string; keep: string } | null {
  const directIndex = `node${i}.directIndex`
  if (lookup.by === 'number') {
    const isSmall = `typeof ${value} === 'number' && (${value} & ${SMALL_NUMBERS - 1}) === ${value}`
    return {
      try: `const small = ${isSmall}; if (small) next = ${directIndex}[${value}];`,
      keep: `if (small) ${directIndex}[${value}] = next;`,
    }
  }
  if (lookup.by === 'code') {
    const { slot } = lookup
    return {
      try: `let code = -1;
    if (own${i}) {
      code = c${slot}[p];
      if (${value} === d${slot}[code]) next = ${directIndex}[code];
      else { code = -1; if (++misses${i} > ${DICTIONARY_MISSES_MAX}) own${i} = false; }
    }`,
      keep: `if (code >= 0) ${directIndex}[code] = next;`,
    }
  }
  return null
}
