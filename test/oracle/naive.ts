import { isDeepStrictEqual } from 'node:util'
import { ConflictError } from '../../src/index.ts'
import type { TieBreak } from '../../src/model/log.ts'
import type { OrderReport } from '../../src/model/order-report.ts'
import type { Counters } from '../../src/model/report.ts'
import type { Fields } from '../../src/model/type.ts'
import { isTyped, type LogView } from '../../src/model/view.ts'
import { momentClock, withClock } from '../../src/time/moment-clock.ts'

/**
 * The laws of a rebuild as plainly as they can be said: everything in memory, a Map, no types, no threads. Slow, and
 * without an idea in common with the engine, so that the two are not wrong together.
 */

/** An event as handlers see it: the roles its log declares, and the fields. */
export interface PlainEvent {
  readonly id: string | number
  readonly type: string
  readonly [name: string]: unknown
}

type Row = Record<string, unknown>
export type Value = string | number | bigint | boolean | null
type UserFunction = ((...given: unknown[]) => unknown) | undefined

/**
 * @returns The view's rows, sorted by key; the counters; the ids of the events that were quarantined; and what is found of the
 * order of events, null where it doesn't matter.
 */
export function foldNaively(view: LogView, events: readonly PlainEvent[]) {
  return withClock(momentClock(view.log.timeUnit, view.log.zone), () => foldAll(view, events))
}

function foldAll(view: LogView, events: readonly PlainEvent[]) {
  const unique = [...new Map(events.map((event) => [event.id, event])).values()]
  const counters = { read: events.length, applied: 0, filtered: 0, late: 0, quarantined: 0 }
  const quarantined: (string | number)[] = []
  const keys = new Map<string, Entry>()
  refuseConflicts(events)
  const outcomes = new Map(unique.map((event): [PlainEvent['id'], Outcome[]] => [event.id, []]))
  for (const version of unique.flatMap((event) => upcast(view, event)).sort(inOrderOf(view))) {
    outcomes.get(version.id)!.push(...applyVersion(view, version, keys))
  }
  for (const [id, found] of outcomes) {
    // One that is refused for any of its versions or keys counts as quarantined, though others of them are applied.
    const outcome = found.includes('quarantined') ? 'quarantined' : found.includes('applied') ? 'applied' : 'filtered'
    counters[outcome]++
    if (outcome === 'quarantined') quarantined.push(id)
  }
  const sorted = [...keys.values()].sort((a, b) => compareAll(valuesOf(view, a.key), valuesOf(view, b.key)))
  const rows = sorted.flatMap(({ key, state }) => (state === null ? [] : rowsOf(view, key, state)))
  const counted = { ...counters, duplicate: events.length - unique.length } satisfies Counters
  return { rows, counters: counted, quarantined, order: orderFindings(view, sorted) }
}

/** A key, its state unless no event was applied, and all events that its handlers were given, in order. */
export interface Entry {
  readonly key: Row
  state: Row | null
  readonly given: PlainEvent[]
}

function orderFindings(view: LogView, entries: readonly Entry[]) {
  if (view.orderFree || view.merge !== undefined) return null
  const terms = orderOf(view)
  const isTie = (event: PlainEvent, before: PlainEvent) =>
    terms.find(({ of }) => compare(of(event) as Value, of(before) as Value) !== 0)?.isDeclared === false
  const ties = entries.map(({ key, given }) => ({
    key,
    found: given.flatMap((event, i) => (i > 0 && isTie(event, given[i - 1]!) ? [[given[i - 1]!.id, event.id]] : [])),
  }))
  const byStream = meetsOtherStreams(view) && view.log.order === undefined && view.log.columns.sequence !== undefined
  const against = entries.map(({ key, given }) => ({ key, found: byStream ? againstSequence(given) : [] }))
  return { ties: findingOf(ties), againstSequence: findingOf(against) }
}

/** Each event after one of its stream with a larger sequence, with the one that has the largest. */
function againstSequence(events: readonly PlainEvent[]) {
  return events.flatMap((event, i) => {
    const earlier = events.slice(0, i).filter(({ key }) => key === event.key)
    const largest = Math.max(...earlier.map(({ sequence }) => sequence as number))
    const holder = earlier.findLast(({ sequence }) => sequence === largest)
    return holder !== undefined && largest > (event.sequence as number) ? [[holder.id, event.id]] : []
  })
}

export function findingOf(keys: readonly { readonly key: Row; readonly found: readonly (string | number)[][] }[]) {
  const having = keys.filter(({ found }) => found.length > 0)
  const [first] = having
  return {
    events: having.reduce((sum, { found }) => sum + found.length, 0),
    keys: having.length,
    example: first === undefined ? null : { key: first.key, events: first.found[0]! },
  }
}

export function refuseConflicts(events: readonly PlainEvent[]): void {
  const first = new Map<unknown, PlainEvent>()
  for (const event of events) {
    const seen = first.get(event.id) ?? event
    if (!isDeepStrictEqual(seen, event)) throw new ConflictError(`Event ${event.id} has two contents.`)
    first.set(event.id, seen)
  }
}

export function inOrderOf(view: LogView): (a: PlainEvent, b: PlainEvent) => number {
  const terms = orderOf(view)
  const placeOf = (event: PlainEvent) => terms.map((term) => term.of(event)).filter((value) => value !== undefined)
  return (a, b) => compareAll(placeOf(a), placeOf(b))
}

/** By what the view's events are ordered; what isn't declared only makes the order total. */
export function orderOf(view: LogView) {
  const { log } = view
  const by = (name: string, isDeclared = true) => ({ of: (event: PlainEvent) => event[name], isDeclared })
  const rankIn = (types: readonly string[]) => (event: PlainEvent) =>
    types.includes(event.type) ? types.indexOf(event.type) : types.length
  const tieBreak = (log.tieBreak as readonly TieBreak[]).map((tie) =>
    typeof tie === 'string' ? by(tie) : { of: rankIn(tie.types), isDeclared: true },
  )
  const declared: readonly string[] | undefined = log.order
  if (declared !== undefined)
    return [...declared.map((name) => by(name)), ...tieBreak, by('id', declared.includes('id'))]
  if (!meetsOtherStreams(view)) return [by('sequence'), by('recordedAt'), ...tieBreak, by('id', false)]
  const streams = log.columns.sequence === undefined ? [] : [by('key', false), by('sequence')]
  return [by('recordedAt'), ...tieBreak, ...streams, by('id', false)]
}

/** What was found of the order, with keys and ids as they are reported. */
export function orderInText(
  order: ReturnType<typeof orderFindings>,
  idText: (id: string | number) => string = String,
): OrderReport | null {
  if (order === null) return null
  const textOf = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : String(value))
  const written = ({ events, keys, example }: ReturnType<typeof findingOf>) => {
    if (example === null) return { events, keys, example }
    const [before, event] = example.events.map(idText) as [string, string]
    return {
      events,
      keys,
      example: { key: Object.values(example.key).map(textOf).join(', '), events: [before, event] } as const,
    }
  }
  return { ties: written(order.ties), againstSequence: written(order.againstSequence) }
}

export function meetsOtherStreams({ log, keyBy, window }: LogView): boolean {
  return log.sequenceScope === 'stream' && (keyBy !== undefined || window !== undefined)
}

export type Outcome = 'filtered' | 'applied' | 'quarantined'

export function applyVersion(view: LogView, version: PlainEvent, keys: Map<string, Entry>): Outcome[] {
  const { keyBy, filter } = view as { keyBy: UserFunction; filter: UserFunction }
  const handler = (view.on[version.type] ?? view.on['*']) as UserFunction
  if (handler === undefined) {
    const strange = !view.log.types?.includes(version.type)
    if (strange && view.unknown === 'fail') throw new Error(`View ${view.name} knows no ${version.type}.`)
    return [strange && view.unknown === 'quarantine' ? 'quarantined' : 'filtered']
  }
  if (filter !== undefined && filter(version) !== true) return []
  return distinct(view, keyBy === undefined ? { key: version.key } : keyBy(version)).map((key) => {
    const name = nameOf(view, key)
    const entry: Entry = keys.get(name) ?? { key, state: null, given: [] }
    keys.set(name, entry)
    entry.given.push(version)
    const state = structuredClone(entry.state ?? initialState(view))
    try {
      handler(isTyped(view.state) ? strict(view.state, state) : state, version, key)
    } catch (error) {
      if (view.onError === 'fail') throw error
      return 'quarantined'
    }
    entry.state = state
    return 'applied'
  })
}

export function upcast(view: LogView, event: PlainEvent): PlainEvent[] {
  const change = view.log.upcast[event.type]
  if (change === undefined) return [event]
  return [change(event) ?? []].flat().map((changed) => ({ ...event, ...changed }))
}

function distinct(view: LogView, keys: unknown): Row[] {
  const all = [keys ?? []].flat() as Row[]
  return [...new Map(all.map((key) => [nameOf(view, key), key])).values()]
}

function nameOf(view: LogView, key: Row): string {
  return JSON.stringify(valuesOf(view, key).map((value) => `${typeof value} ${value}`))
}

export function valuesOf(view: LogView, key: Row): unknown[] {
  return Object.keys(view.key ?? key).map((name) => key[name])
}

function initialState({ state }: LogView): Row {
  if (!isTyped(state)) return state() as Row
  const zero = { string: '', bool: false, bigint: 0n, json: null } as Record<string, unknown>
  const initialOf = (type: (typeof state)[string]) => {
    const start = type.unit === 'ns' ? 0n : type.kind in zero ? zero[type.kind] : 0
    return type.initial ?? (type.nullable ? null : start)
  }
  return Object.fromEntries(Object.entries(state).map(([name, type]) => [name, initialOf(type)]))
}

/** A typed state refuses what is no number, at least; handlers may count on that. */
function strict(types: Fields, state: Row): Row {
  const set = (target: Row, name: string, value: unknown) => {
    if (Number.isNaN(value) && types[name]?.kind !== 'float64') throw new Error(`${name} is no number.`)
    target[name] = value
    return true
  }
  return new Proxy(state, { set: set as never })
}

export function rowsOf(view: LogView, key: Row, state: Row): Row[] {
  const shaped = view.row === undefined ? state : (view.row as UserFunction)?.(state, key)
  const keyColumns = view.key === undefined ? { [logKeyColumn(view)]: key.key } : key
  return [shaped ?? []].flat().map((columns) => ({ ...keyColumns, ...(columns as Row) }))
}

/** Without a key of its own, a view's key column is named as in the log. */
function logKeyColumn({ log }: LogView): string {
  const source = typeof log.columns.key === 'string' ? log.columns.key : log.columns.key?.from
  return typeof source === 'string' ? source : (source?.at(-1) ?? 'key')
}

export function compareAll(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = compare(a[i] as Value, b[i] as Value)
    if (difference !== 0) return difference
  }
  return 0
}

/** Strings by their UTF-8 bytes, null first. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a === null || b === null) return Number(b === null) - Number(a === null)
  return a < b ? -1 : a > b ? 1 : 0
}
