import { ConfigurationError } from '../model/errors.ts'
import type { GroupPlan, LogPlan } from '../model/plan.ts'
import type { Fields, Type } from '../model/type.ts'
import { date, int32, string, timestamp } from '../model/types.ts'
import { isTyped, type ViewDefinition, type WindowDefinition } from '../model/view.ts'
import { type Calendar, makeCalendar } from '../time/calendar.ts'
import { type MomentClock, momentClock } from '../time/moment-clock.ts'
import { type AnyHandler, NO_HANDLER } from './fold.ts'
import { type KeyCodec, makeKeyCodec } from './key-codec.ts'
import { TYPE_CODE_MAX } from './row-layout.ts'

/** A view with what all stages need of it, computed once. */
export interface PreparedView {
  readonly definition: ViewDefinition
  readonly name: string
  readonly state: Fields | undefined
  readonly handlers: readonly AnyHandler[]
  readonly handlerNames: readonly string[]
  readonly codec: KeyCodec
  /** The key's columns that `keyBy` gives: all of them but a window. */
  readonly given: Fields
  /** By which the view's functions read the log's moments. */
  readonly clock: MomentClock
  /** Null for a view without windows. */
  readonly window: WindowDefinition | null
  /**
   * By type code of the view's group: which handler. Of a view with windows the second half is for late events; see
   * `lateCode`.
   */
  readonly handlerOf: Uint8Array
}

/** The views of a group, and the codes their event types travel under. Code 0 is every type without a handler. */
export interface PreparedGroup {
  readonly plan: GroupPlan
  readonly views: readonly PreparedView[]
  readonly typeCodes: ReadonlyMap<string, number>
}

/** What is added to the type code of an event that is late, in a view with windows. */
export function lateCode({ typeCodes }: Pick<PreparedGroup, 'typeCodes'>): number {
  return typeCodes.size + 1
}

export function prepareGroup(
  log: LogPlan,
  plan: GroupPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
): PreparedGroup {
  const members = plan.views.map((name) => definitions.get(name)!)
  // What orders events by their type has to know the type of those that only '*' handles.
  const ordering = plan.order.flatMap((term) => (term.by === 'type' ? term.types : []))
  const handled = members.flatMap((view) => Object.keys(view.on))
  const names = [...new Set([...handled, ...ordering])].filter((name) => name !== '*').sort()
  const typeCodes = new Map(names.map((name, index) => [name, index + 1]))
  refuseManyTypes(members, typeCodes)
  return { plan, typeCodes, views: members.map((view) => prepareView(log, view, typeCodes)) }
}

/** By type code, those of late events too: the place of the type in a list of types, after all of them where it isn't in it. */
export function ranksByCode({ typeCodes, views }: PreparedGroup, types: readonly string[]): Uint16Array {
  const ranks = new Uint16Array(typeCodes.size + 1).fill(types.length)
  for (const [rank, type] of types.entries()) ranks[typeCodes.get(type)!] = rank
  return views[0]!.window === null ? ranks : Uint16Array.of(...ranks, ...ranks)
}

/** Late events travel under a code of their own, so a view with windows has room for half as many types. */
function refuseManyTypes(members: readonly ViewDefinition[], typeCodes: ReadonlyMap<string, number>): void {
  const codesPerType = members.some((view) => view.window !== undefined) ? 2 : 1
  const typesMax = Math.floor((TYPE_CODE_MAX + 1) / codesPerType) - 1
  if (typeCodes.size <= typesMax) return
  const names = members.map((view) => view.name).join(', ')
  throw new ConfigurationError(
    `Cannot fold ${names} together: expected handlers of at most ${typesMax} event types, found ${typeCodes.size}.`,
  )
}

function prepareView(log: LogPlan, definition: ViewDefinition, typeCodes: ReadonlyMap<string, number>): PreparedView {
  const entries = Object.entries(definition.on).filter(
    (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
  )
  if (entries.length >= NO_HANDLER) {
    throw new ConfigurationError(
      `View ${definition.name} has ${entries.length} handlers: expected at most ${NO_HANDLER - 1}.`,
    )
  }
  const handlerOf = new Uint8Array(typeCodes.size + 1).fill(NO_HANDLER)
  const wildcard = entries.findIndex(([name]) => name === '*')
  if (wildcard >= 0) handlerOf.fill(wildcard)
  entries.forEach(([name], index) => {
    if (name !== '*') handlerOf[typeCodes.get(name)!] = index
  })
  const { window } = definition
  return {
    definition,
    name: definition.name,
    state: isTyped(definition.state) ? definition.state : undefined,
    handlers: entries.map(([, handler]) => handler as AnyHandler),
    handlerNames: entries.map(([name]) => name),
    codec: makeKeyCodec(keyFields(log, definition)),
    given: givenKey(log, definition),
    window: window ?? null,
    clock: momentClock(log.timeUnit, log.zone),
    handlerOf: window === undefined ? handlerOf : withLate(handlerOf, window),
  }
}

/** Late events that are not applied have no handler. */
function withLate(handlerOf: Uint8Array, { late }: WindowDefinition): Uint8Array {
  const whole = new Uint8Array(handlerOf.length * 2).fill(NO_HANDLER)
  whole.set(handlerOf)
  if (late === 'apply') whole.set(handlerOf, handlerOf.length)
  return whole
}

/** The key columns that handlers see: a window's first, then the view's own, or without either `key`, the log's. */
export function keyFields(log: LogPlan, view: ViewDefinition): Fields {
  if (view.window === undefined) return givenKey(log, view)
  return { [view.window.name]: windowType(windowCalendar(log, view.window)), ...view.key }
}

/** The key columns that `keyBy` gives. */
function givenKey(log: LogPlan, view: ViewDefinition): Fields {
  if (view.window !== undefined) return view.key ?? {}
  // A log's keys are never null, whatever their columns allow.
  return view.key ?? { key: { ...log.slots[log.roles.key]!.type, nullable: false } }
}

/** The calendar that a view's windows are of. */
export function windowCalendar(log: LogPlan, { every, zone }: WindowDefinition): Calendar {
  return makeCalendar({ every, zone, unit: log.timeUnit })
}

/** The type of a column of windows: their first day, or the moment at which they begin. */
function windowType({ keyKind, unit }: Pick<Calendar, 'keyKind' | 'unit'>): Type {
  return keyKind === 'date' ? date() : timestamp(unit as 'us')
}

/** What a view with windows says of each row, after the view's own columns. */
function statusColumns({ timeUnit }: LogPlan): readonly { readonly name: string; readonly type: Type }[] {
  return [
    { name: 'status', type: string() },
    { name: 'knownThrough', type: timestamp(timeUnit as 'us') },
    { name: 'lateEvents', type: int32() },
  ]
}

/** The calendar of a log's vintages. */
export function vintageCalendar({ vintages, zone, timeUnit }: LogPlan): Calendar {
  return makeCalendar({ every: vintages!, zone, unit: timeUnit })
}

/** The key column of vintages: the last day that was known, or the last moment. */
export function vintageColumn(log: LogPlan): { readonly name: string; readonly type: Type } {
  return { name: vintageName, type: log.vintages === 'hour' ? timestamp(log.timeUnit as 'us') : date() }
}

export const vintageName = 'knownAt'

/** A view's columns as they are in its files: key columns first. */
export function outputSchema(log: LogPlan, view: ViewDefinition): { readonly name: string; readonly type: Type }[] {
  const keys = Object.entries(keyFields(log, view)).map(([name, type]) => ({
    name: view.key === undefined && view.window === undefined ? logKeyName(log) : name,
    type,
  }))
  // A JSON column holds null where the state or row has null.
  const others = Object.entries(outputFields(view)).map(([name, type]) => ({
    name,
    type: type.kind === 'json' ? { ...type, nullable: true } : type,
  }))
  return [...keys, ...others, ...(view.window === undefined ? [] : statusColumns(log))]
}

/** The columns besides the key. */
export function outputFields(view: ViewDefinition): Fields {
  return view.columns ?? (isTyped(view.state) ? view.state : {})
}

/** The view's name for the log's key: that of its column. */
function logKeyName(log: LogPlan): string {
  const { from } = log.slots[log.roles.key]!.type
  return from === undefined ? 'key' : typeof from === 'string' ? from : from.join('.')
}
