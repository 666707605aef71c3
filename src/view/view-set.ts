import { ConfigurationError } from '../model/errors.ts'
import type { TypeTerm } from '../model/order.ts'
import type { FoldedLog, GroupPlan } from '../model/plan.ts'
import type { Fields, Type } from '../model/type.ts'
import { date, int32, string, timestamp } from '../model/types.ts'
import { isTyped, type LogView, sharesOf, type ViewDefinition, type WindowDefinition } from '../model/view.ts'
import { type Calendar, makeCalendar } from '../time/calendar.ts'
import { type MomentClock, momentClock } from '../time/moment-clock.ts'
import { type AnyHandler, NO_HANDLER } from './fold.ts'
import { type KeyCodec, makeKeyCodec } from './key-codec.ts'
import { TYPE_CODE_MAX } from './row-layout.ts'

/** A view with what all stages need of it, computed once. */
export interface PreparedView {
  /** Of a view of several logs: as the log sees it whose events are mapped; where they meet, as the first does. */
  readonly definition: LogView
  readonly name: string
  readonly state: Fields | undefined
  readonly handlers: readonly AnyHandler[]
  readonly handlerNames: readonly string[]
  /** By handler: the event type it is declared for, or `*`; */
  readonly handled: readonly string[]
  /** and of which of the view's logs it takes events. */
  readonly memberOf: readonly number[]
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

/**
 * The views of a group, and the codes their event types travel under. `typeCodes` and `otherCode` are those of the log whose events are mapped; where those of
 * several meet, of the first.
 */
export interface PreparedGroup extends TypeCodes {
  readonly plan: GroupPlan
  readonly views: readonly PreparedView[]
  /** By log that the views read. */
  readonly codes: readonly TypeCodes[]
  /** By code: of which of the views' logs it is. */
  readonly memberOf: Uint8Array
}

/** The code under which events of a type travel. */
export function typeCode({ typeCodes, otherCode }: PreparedGroup, type: string): number {
  return typeCodes.get(type) ?? otherCode
}

/** What is added to the type code of an event that is late, in a view with windows. */
export function lateCode({ memberOf }: Pick<PreparedGroup, 'memberOf'>): number {
  return memberOf.length
}

/** @param definitions By name of the view. */
export function prepareGroup(
  log: FoldedLog,
  plan: GroupPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
): PreparedGroup {
  const shares = plan.views.map((name) => sharesOf(definitions.get(name)!))
  const own = plan.share?.member ?? 0
  const codes = codesOf(
    plan.share?.types ?? log.sources?.map(({ types }) => types) ?? [codedTypes(shares.flat(), plan)],
  )
  const memberOf = Uint8Array.from(codes.flatMap(({ typeCodes }, member) => Array(typeCodes.size + 1).fill(member)))
  refuseManyTypes(shares.flat(), memberOf.length)
  const views = shares.map((ofView) => prepareView(log, ofView[own]!, ofView, codes))
  return { plan, codes, ...codes[own]!, memberOf, views }
}

/** The event types of one log that have a code of their own. @param views Of that log alone, or as it sees them. */
export function codedTypes(views: readonly LogView[], { order }: Pick<GroupPlan, 'order'>): string[] {
  // What orders events by their type has to know the type of those that only '*' handles.
  const ordering = order.flatMap((term) => (term.by === 'type' ? term.types : []))
  const handled = views.flatMap((view) => Object.keys(view.on))
  return [...new Set([...handled, ...ordering])].filter((name) => name !== '*').sort()
}

/** The codes of one log's event types. */
export interface TypeCodes {
  readonly typeCodes: ReadonlyMap<string, number>
  /** The code of every type that has none of its own. */
  readonly otherCode: number
}

/** @param types By log: each has codes of its own. */
function codesOf(types: readonly (readonly string[])[]): TypeCodes[] {
  let next = 0
  return types.map((names) => ({ otherCode: next++, typeCodes: new Map(names.map((name) => [name, next++])) }))
}

/** By type code, those of late events too: the place of the type in a list of types, after all of them where it isn't in it. */
export function ranksByCode({ codes, memberOf, views }: PreparedGroup, { types, member = 0 }: TypeTerm): Uint16Array {
  const ranks = new Uint16Array(memberOf.length).fill(types.length)
  for (const [rank, type] of types.entries()) ranks[codes[member]!.typeCodes.get(type)!] = rank
  return views[0]!.window === null ? ranks : Uint16Array.of(...ranks, ...ranks)
}

/** Late events travel under a code of their own, so a view with windows has room for half as many types. */
function refuseManyTypes(views: readonly LogView[], codes: number): void {
  const codesPerType = views.some((view) => view.window !== undefined) ? 2 : 1
  const codesMax = Math.floor((TYPE_CODE_MAX + 1) / codesPerType)
  if (codes <= codesMax) return
  const names = [...new Set(views.map((view) => view.name))].join(', ')
  throw new ConfigurationError(
    `Cannot fold ${names} together: expected handlers of at most ${codesMax - 1} event types, found ${codes - 1}.`,
  )
}

interface Handled {
  readonly name: string
  readonly handler: AnyHandler
  readonly member: number
  readonly type: string
}

/** All handlers of a view, those of several logs under the names `log.type`. */
function handlersOf(shares: readonly LogView[]): Handled[] {
  return shares.flatMap(({ on, log }, member) =>
    Object.entries(on).flatMap(([type, handler]): Handled[] =>
      handler === undefined
        ? []
        : [{ name: shares.length === 1 ? type : `${log.name}.${type}`, handler: handler as AnyHandler, member, type }],
    ),
  )
}

function handlersByCode(handled: readonly Handled[], codes: readonly TypeCodes[]): Uint8Array {
  const count = codes.reduce((sum, { typeCodes }) => sum + typeCodes.size + 1, 0)
  const handlerOf = new Uint8Array(count).fill(NO_HANDLER)
  for (const [index, { member, type }] of handled.entries()) {
    const { otherCode, typeCodes } = codes[member]!
    if (type === '*') handlerOf.fill(index, otherCode, otherCode + typeCodes.size + 1)
  }
  for (const [index, { member, type }] of handled.entries()) {
    if (type !== '*') handlerOf[codes[member]!.typeCodes.get(type)!] = index
  }
  return handlerOf
}

function prepareView(
  log: FoldedLog,
  definition: LogView,
  shares: readonly LogView[],
  codes: readonly TypeCodes[],
): PreparedView {
  const handled = handlersOf(shares)
  if (handled.length >= NO_HANDLER) {
    throw new ConfigurationError(
      `View ${definition.name} has ${handled.length} handlers: expected at most ${NO_HANDLER - 1}.`,
    )
  }
  const { window } = definition
  const handlerOf = handlersByCode(handled, codes)
  return {
    definition,
    name: definition.name,
    state: isTyped(definition.state) ? definition.state : undefined,
    handlers: handled.map(({ handler }) => handler),
    handlerNames: handled.map(({ name }) => name),
    handled: handled.map(({ type }) => type),
    memberOf: handled.map(({ member }) => member),
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
export function keyFields(log: FoldedLog, view: ViewDefinition): Fields {
  if (view.window === undefined) return givenKey(log, view)
  return { [view.window.name]: windowType(windowCalendar(log, view.window)), ...view.key }
}

/** The key columns that `keyBy` gives. */
function givenKey(log: FoldedLog, view: ViewDefinition): Fields {
  if (view.window !== undefined) return view.key ?? {}
  // A log's keys are never null, whatever their columns allow.
  return view.key ?? { key: { ...log.slots[log.roles.key]!.type, nullable: false } }
}

/** The calendar that a view's windows are of. */
export function windowCalendar(log: FoldedLog, { every, zone }: Pick<WindowDefinition, 'every' | 'zone'>): Calendar {
  return makeCalendar({ every, zone, unit: log.timeUnit })
}

/** The type of a column of windows: their first day, or the moment at which they begin. */
function windowType({ keyKind, unit }: Pick<Calendar, 'keyKind' | 'unit'>): Type {
  return keyKind === 'date' ? date() : timestamp(unit as 'us')
}

/** What a view with windows says of each row, after the view's own columns. */
function statusColumns({ timeUnit }: FoldedLog): readonly { readonly name: string; readonly type: Type }[] {
  return [
    { name: 'status', type: string() },
    { name: 'knownThrough', type: timestamp(timeUnit as 'us') },
    { name: 'lateEvents', type: int32() },
  ]
}

/** The calendar of a log's vintages. */
export function vintageCalendar({ vintages, zone, timeUnit }: FoldedLog): Calendar {
  return makeCalendar({ every: vintages!, zone, unit: timeUnit })
}

/** The key column of vintages: the last day that was known, or the last moment. */
export function vintageColumn(log: FoldedLog): { readonly name: string; readonly type: Type } {
  return { name: vintageName, type: log.vintages === 'hour' ? timestamp(log.timeUnit as 'us') : date() }
}

export const vintageName = 'knownAt'

/** A view's columns as they are in its files: key columns first. */
export function outputSchema(log: FoldedLog, view: ViewDefinition): { readonly name: string; readonly type: Type }[] {
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
function logKeyName(log: FoldedLog): string {
  const { from } = log.slots[log.roles.key]!.type
  return from === undefined ? 'key' : typeof from === 'string' ? from : from.join('.')
}
