import { ConfigurationError } from '../model/errors.ts'
import type { Fields, Type } from '../model/type.ts'
import { isTyped, type ViewDefinition } from '../model/view.ts'
import type { GroupPlan, LogPlan } from '../plan/plan.ts'
import { type AnyHandler, NO_HANDLER } from './fold.ts'
import { type KeyCodec, makeKeyCodec } from './key-codec.ts'

/** A view with what all stages need of it worked out once. */
export interface PreparedView {
  readonly definition: ViewDefinition
  readonly name: string
  readonly state: Fields | undefined
  readonly handlers: readonly AnyHandler[]
  readonly handlerNames: readonly string[]
  readonly codec: KeyCodec
  /** By type code of the view's group: which handler. */
  readonly handlerOf: Uint8Array
}

/** The views of a group, and the codes their event types travel under. Code 0 is every type without a handler. */
export interface PreparedGroup {
  readonly plan: GroupPlan
  readonly views: readonly PreparedView[]
  readonly typeCodes: ReadonlyMap<string, number>
}

export function prepareGroup(
  log: LogPlan,
  plan: GroupPlan,
  definitions: ReadonlyMap<string, ViewDefinition>,
): PreparedGroup {
  const members = plan.views.map((name) => definitions.get(name)!)
  const names = [...new Set(members.flatMap((view) => Object.keys(view.on)))].filter((name) => name !== '*').sort()
  const typeCodes = new Map(names.map((name, index) => [name, index + 1]))
  return { plan, typeCodes, views: members.map((view) => prepareView(log, view, typeCodes)) }
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
  return {
    definition,
    name: definition.name,
    state: isTyped(definition.state) ? definition.state : undefined,
    handlers: entries.map(([, handler]) => handler as AnyHandler),
    handlerNames: entries.map(([name]) => name),
    codec: makeKeyCodec(keyFields(log, definition)),
    handlerOf,
  }
}

/** The key columns that `by` and handlers see: the view's own, or `key`, the log's. */
export function keyFields(log: LogPlan, view: ViewDefinition): Fields {
  // A log's keys are never null, whatever their columns allow.
  return view.key ?? { key: { ...log.slots[log.roles.key]!.type, nullable: false } }
}

/** A view's columns as they stand in its files: key columns first. */
export function outputSchema(log: LogPlan, view: ViewDefinition): { readonly name: string; readonly type: Type }[] {
  const keys = Object.entries(keyFields(log, view)).map(([name, type]) => ({
    name: view.key === undefined ? logKeyName(log) : name,
    type,
  }))
  // A JSON column holds null where the state or row has null.
  const others = Object.entries(outputFields(view)).map(([name, type]) => ({
    name,
    type: type.kind === 'json' ? { ...type, nullable: true } : type,
  }))
  return [...keys, ...others]
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
