import { crossesStreams, orderSlots } from '../model/order.ts'
import type { GroupPlan, MayReturn, RoleSlots, ViewReturns } from '../model/plan.ts'
import type { Strategy, VintageLength } from '../model/report.ts'
import type { Slot } from '../model/slots.ts'
import type { LogView } from '../model/view.ts'
import type { LogOrders } from './order-terms.ts'
import type { Partitions } from './partitions.ts'
import type { FieldsRead, FunctionTexts } from './plan-input.ts'
import { chooseStrategy, exchangeStrategy, hasFloats } from './strategy.ts'

/** Parts of a large log that are reduced at the same time, however few its keys. */
const PARTS_AT_ONCE = 4

/** What of a log and of the options decides how its views are folded. */
export interface GroupInput extends FunctionTexts {
  readonly slots: readonly Slot[]
  readonly roles: RoleSlots
  readonly orders: LogOrders
  /** Null where the log doesn't say that it is partitioned by its key. */
  readonly partitions: Partitions | null
  readonly vintages: VintageLength | undefined
  /** How every view is to be folded; undefined: as is best. */
  readonly strategy: Strategy | undefined
}

/** Views that share the key of the log and are shuffled make one group, which comes first; any other view is its own. */
export function planGroups(views: readonly LogView[], input: GroupInput): GroupPlan[] {
  const groups: GroupPlan[] = []
  const sharing: LogView[] = []
  for (const view of views) {
    const isKeyedByLog = view.keyBy === undefined && view.filter === undefined && view.window === undefined
    if (isKeyedByLog && exchangeStrategy(view).strategy === 'shuffle') sharing.push(view)
    else groups.push(planGroup([view], input))
  }
  if (sharing.length > 0) groups.unshift(planGroup(sharing, input))
  return groups
}

/** @param members Views of one key; or a view of several logs, as one of them sees it. */
export function planGroup(members: readonly LogView[], input: GroupInput): GroupPlan {
  const { roles, orders, partitions, vintages, strategy: forced } = input
  const reads = slotsReader(input)
  const { strategy, reason } = chooseStrategy(members, partitions, forced, vintages !== undefined)
  const isOrdered = strategy !== 'combine' && members.some((view) => !view.orderFree || hasFloats(view))
  const order = !isOrdered ? [] : crossesStreams(members[0]!) ? orders.acrossStreams : orders.withinStream
  const read = members.flatMap((view) => Object.values(view.on).flatMap((handler) => reads(handler, 1)))
  const named = members.some((view) => view.onError === 'quarantine')
    ? [...roles.id, roles.type].filter((slot) => slot >= 0)
    : []
  const mapSlots = members.flatMap((view) => [
    ...reads(view.keyBy, 0),
    ...reads(view.filter, 0),
    ...reads(view.window?.measure, 0),
    ...(view.window === undefined ? [] : [roles.occurredAt, roles.recordedAt]),
  ])
  if (vintages !== undefined) mapSlots.push(roles.recordedAt)
  return {
    views: members.map((view) => view.name),
    strategy,
    order,
    reason,
    // Where states may be combined, few keys are one part; whether they are may depend on how the log is split.
    partsAtLeast: exchangeStrategy(members[0]!).strategy === 'combine' ? 1 : PARTS_AT_ONCE,
    slots: distinct([...read, ...named, ...orderSlots(order)]),
    mapSlots: distinct(mapSlots),
    copiesEvents: members.some((view) => escapes(view, input.fieldsRead)),
    returns: Object.fromEntries(members.map((view) => [view.name, returnsIn(view, input.returnsOf)])),
    share: null,
  }
}

/** Finds the slots that a function reads of an event; all of them where that can't be determined. */
function slotsReader({ slots, fieldsRead }: GroupInput) {
  const indexOf = new Map(slots.map((slot, index) => [slot.name, index]))
  return (fn: ((...args: never[]) => unknown) | undefined, parameter: number): number[] => {
    if (fn === undefined) return []
    const names = fieldsRead(fn, parameter)
    return names === 'all' ? [...slots.keys()] : [...names].flatMap((name) => indexOf.get(name) ?? [])
  }
}

/** Whether any function of the view does more with an event than read its fields by name. */
function escapes({ on, keyBy, filter, window }: LogView, fieldsRead: FieldsRead): boolean {
  const handled = Object.values(on).some((handler) => handler !== undefined && fieldsRead(handler, 1) === 'all')
  return handled || [keyBy, filter, window?.measure].some((fn) => fn !== undefined && fieldsRead(fn, 0) === 'all')
}

function returnsIn({ on, merge }: LogView, returnsOf: FunctionTexts['returnsOf']): ViewReturns {
  const found = Object.entries(on).flatMap(([name, fn]): [string, MayReturn][] =>
    fn === undefined ? [] : [[name, returnsOf(fn)]],
  )
  return {
    on: [Object.fromEntries(found.filter(([, kind]) => kind !== 'nothing'))],
    merge: merge === undefined ? 'nothing' : returnsOf(merge),
  }
}

/** Each slot once, ascending. */
export function distinct(slots: readonly number[]): number[] {
  return [...new Set(slots)].sort((a, b) => a - b)
}
