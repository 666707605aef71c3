/** What one event changed of a free-form state, found by comparing the state with a copy of it as it was before. */
import { rawInteger } from '../columns/exact-json.ts'

/** One place of a state that an event changed. Values are JSON texts; null where there is none, before or after. */
export interface StoredChange {
  /** Names of properties, indexes of arrays, and keys of maps, from the state down to the place. */
  readonly path: readonly (string | number)[]
  readonly before: string | null
  readonly after: string | null
}

export interface StoredChanges {
  readonly listed: readonly StoredChange[]
  /** Changed places beyond those listed. */
  readonly more: number
  /** Properties of the state that the places are in. */
  readonly names: ReadonlySet<string>
}

export const noChanges: StoredChanges = { listed: [], more: 0, names: new Set() }

/** Changed places that are listed of one event: a handler may rewrite all of a state. */
const LISTED_MAX = 100

/** The copy of an array, or of what has keys: an object's names, a map's keys, a set's values themselves. */
class Copy {
  readonly kind: 'array' | 'object' | 'map' | 'set'
  /** Of an array. */
  readonly values: unknown[]
  /** Of all others. */
  readonly entries: Map<unknown, unknown>

  constructor(kind: Copy['kind'], values: unknown[], entries: Map<unknown, unknown>) {
    this.kind = kind
    this.values = values
    this.entries = entries
  }
}

type Shape =
  | { readonly kind: 'array'; readonly values: ArrayLike<unknown> }
  | { readonly kind: 'object' | 'map' | 'set'; readonly entries: ReadonlyMap<unknown, unknown> }

/** What JSON would write of a value. */
function plain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  const { toJSON } = value as { toJSON?: () => unknown }
  return typeof toJSON === 'function' ? toJSON.call(value) : value
}

/** What an object holds; null for a value that holds nothing. */
function shapeOf(value: unknown): Shape | null {
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) return { kind: 'array', values: value }
  if (ArrayBuffer.isView(value)) return { kind: 'array', values: value as unknown as ArrayLike<unknown> }
  if (value instanceof Map) return { kind: 'map', entries: value }
  if (value instanceof Set) return { kind: 'set', entries: new Map(value.entries()) }
  const entries = new Map<unknown, unknown>()
  for (const [name, part] of Object.entries(value)) if (plain(part) !== undefined) entries.set(name, part)
  return { kind: 'object', entries }
}

/** @param above The objects that hold the value: one that holds itself can't be shown. */
function copyOf(given: unknown, above: readonly unknown[] = []): unknown {
  const value = plain(given)
  const shape = shapeOf(value)
  if (shape === null) return value
  if (above.includes(value)) return '[circular]'
  const within = [...above, value]
  if (shape.kind === 'array') {
    const values = Array.from(shape.values, (part) => copyOf(part, within))
    return new Copy('array', values, new Map())
  }
  const entries = new Map(Array.from(shape.entries, ([key, part]) => [key, copyOf(part, within)]))
  return new Copy(shape.kind, [], entries)
}

/** A copy as JSON.stringify is to write it. */
function writable(value: unknown): unknown {
  if (typeof value === 'bigint') return rawInteger(value)
  if (!(value instanceof Copy)) return value
  if (value.kind === 'array') return value.values.map(writable)
  if (value.kind === 'set') return Array.from(value.entries.values(), writable)
  if (value.kind === 'map') return Array.from(value.entries, ([key, part]) => [writable(copyOf(key)), writable(part)])
  return Object.fromEntries(Array.from(value.entries, ([name, part]) => [name, writable(part)]))
}

function jsonOf(copy: unknown): string {
  return JSON.stringify(writable(copy)) ?? 'null'
}

/** The JSON of a copy where it is no longer than `limit` characters; null where it is. */
function shortJson(copy: unknown, limit: number): string | null {
  if (lengthAtLeast(copy, limit) > limit) return null
  const json = jsonOf(copy)
  return json.length > limit ? null : json
}

/** How long the JSON of a copy is at least; no more is looked at than shows it to be beyond `limit`. */
function lengthAtLeast(copy: unknown, limit: number): number {
  if (typeof copy === 'string') return copy.length + 2
  if (!(copy instanceof Copy)) return 1
  let length = 2
  for (const part of copy.kind === 'array' ? copy.values : copy.entries.values()) {
    length += lengthAtLeast(part, limit - length) + 1
    if (length > limit) break
  }
  return length
}

/** States of other shapes than objects are shown as the one property of an object. */
function rooted(state: unknown): unknown {
  return shapeOf(plain(state))?.kind === 'object' ? state : { '': state }
}

/** A free-form state as it was when it was last compared. */
export class StateCopy {
  #copy: Copy

  constructor(state: unknown) {
    this.#copy = copyOf(rooted(state)) as Copy
  }

  /** The state's properties as JSON; of those that are longer than `limit` characters, the names. */
  properties(limit: number): { readonly state: Readonly<Record<string, string>>; readonly omitted: readonly string[] } {
    const state: Record<string, string> = {}
    const omitted: string[] = []
    for (const [name, part] of this.#copy.entries) {
      const json = shortJson(part, limit)
      if (json === null) omitted.push(String(name))
      else state[String(name)] = json
    }
    return { state, omitted }
  }

  /** Brings the copy up to the state, and says what had changed. */
  update(state: unknown): StoredChanges {
    const comparison = new Comparison()
    this.#copy = comparison.compare(this.#copy, rooted(state)) as Copy
    return comparison
  }
}

/** Compares a state with its copy, which it changes to what the state is. */
class Comparison implements StoredChanges {
  readonly listed: StoredChange[] = []
  more = 0
  readonly names = new Set<string>()
  /** Down to what is being compared. */
  readonly #path: (string | number)[] = []

  /** @returns The copy of the value: the one given, changed, where it can be. */
  compare(copy: unknown, given: unknown): unknown {
    const value = plain(given)
    if (Object.is(copy, value)) return copy
    const shape = shapeOf(value)
    if (shape === null || !(copy instanceof Copy) || copy.kind !== shape.kind) {
      const now = copyOf(value)
      if (!Object.is(copy, now)) this.#add(jsonOf(copy), jsonOf(now))
      return now
    }
    if (copy.kind === 'array') this.#compareArrays(copy.values, (shape as { values: ArrayLike<unknown> }).values)
    else this.#compareEntries(copy.entries, (shape as { entries: ReadonlyMap<unknown, unknown> }).entries)
    return copy
  }

  #compareEntries(copy: Map<unknown, unknown>, now: ReadonlyMap<unknown, unknown>): void {
    for (const [key, part] of now) {
      const before = copy.get(key)
      if (before === undefined && !copy.has(key)) {
        const added = copyOf(part)
        copy.set(key, added)
        this.#at(key, () => this.#add(null, jsonOf(added)))
      } else if (!Object.is(before, part)) {
        const after = this.#compareAt(key, before, part)
        if (after !== before) copy.set(key, after)
      }
    }
    if (copy.size === now.size) return
    for (const [key, before] of copy) {
      if (now.has(key)) continue
      copy.delete(key)
      this.#at(key, () => this.#add(jsonOf(before), null))
    }
  }

  /** Elements put in or taken out are found where the array begins and ends as it did. */
  #compareArrays(copy: unknown[], now: ArrayLike<unknown>): void {
    let from = 0
    let kept = 0
    if (copy.length !== now.length) {
      const shorter = Math.min(copy.length, now.length)
      while (from < shorter && isSame(copy[from], now[from])) from++
      while (kept < shorter - from && isSame(copy[copy.length - 1 - kept], now[now.length - 1 - kept])) kept++
    }
    const shared = Math.min(copy.length, now.length) - kept
    for (; from < shared; from++) {
      if (!Object.is(copy[from], now[from])) copy[from] = this.#compareAt(from, copy[from], now[from])
    }
    const end = copy.splice(copy.length - kept, kept)
    const removed = copy.splice(shared)
    for (const [i, part] of removed.entries()) this.#at(shared + i, () => this.#add(jsonOf(part), null))
    for (let i = shared; i < now.length - kept; i++) {
      const added = copyOf(now[i])
      copy.push(added)
      this.#at(i, () => this.#add(null, jsonOf(added)))
    }
    for (const part of end) copy.push(part)
  }

  #compareAt(key: unknown, copy: unknown, value: unknown): unknown {
    if (isSame(copy, value)) return copy
    return this.#at(key, () => this.compare(copy, value))
  }

  #at<Result>(key: unknown, run: () => Result): Result {
    this.#path.push(typeof key === 'number' || typeof key === 'string' ? key : jsonOf(copyOf(key)))
    const result = run()
    this.#path.pop()
    return result
  }

  #add(before: string | null, after: string | null): void {
    this.names.add(String(this.#path[0]))
    if (this.listed.length === LISTED_MAX) this.more++
    else this.listed.push({ path: [...this.#path], before, after })
  }
}

/** Whether a value is as its copy says. Most values of a large state are, so this is made to be quick. */
function isSame(copy: unknown, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Object.is(copy, value) || Object.is(copy, plain(value))
  if (!(copy instanceof Copy)) return Object.is(copy, plain(value))
  if (copy.kind === 'object' && Object.getPrototypeOf(value) === Object.prototype) return isSameObject(copy, value)
  const shape = shapeOf(plain(value))
  if (shape === null || copy.kind !== shape.kind) return false
  if (shape.kind === 'array') {
    const { values } = shape
    return copy.values.length === values.length && copy.values.every((part, i) => isSame(part, values[i]))
  }
  const { entries } = shape
  if (copy.entries.size !== entries.size) return false
  for (const [key, part] of entries) if (!copy.entries.has(key) || !isSame(copy.entries.get(key), part)) return false
  return true
}

/** The same for an object that is written as `{ … }`. */
function isSameObject({ entries }: Copy, value: object): boolean {
  let names = 0
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name]
    if (part === undefined) continue
    const before = entries.get(name)
    if (before === undefined || typeof part === 'function' || !isSame(before, part)) return false
    names++
  }
  return names === entries.size
}
