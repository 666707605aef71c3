import { ConfigurationError } from '../model/errors.ts'
import type { OrderTerm } from '../model/order.ts'
import type {
  FoldedLog,
  GroupPlan,
  LogPlan,
  MergedPlan,
  Plan,
  SharePlan,
  SourceLog,
  ViewReturns,
} from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import { type LogView, type MergedView, sharesOf } from '../model/view.ts'
import { codedTypes } from '../view/view-set.ts'
import { logOrders } from './order-terms.ts'
import { distinct, planGroup } from './plan-groups.ts'
import type { PlanInput } from './plan-input.ts'
import { bucketsFor } from './plan-log.ts'

/** One log of a view of several. */
interface Member {
  readonly index: number
  readonly log: LogPlan
  readonly group: GroupPlan
  /** Those that have a code of their own. */
  readonly types: readonly string[]
}

/**
 * Adds a view of several logs to a plan in which these are planned: a group in each of them, and where those meet.
 *
 * @throws ConfigurationError where its events are to be folded in place.
 */
export function planMerged(view: MergedView, plan: Plan, input: PlanInput): Plan {
  if (input.strategy === 'in-place') {
    throw new ConfigurationError(
      `Cannot fold ${view.name} by the strategy in-place: its events come from several logs, so no partition holds all events of a key.`,
    )
  }
  const members = sharesOf(view).map((share): Member => {
    const index = plan.logs.findIndex((log) => log.name === share.log.name)
    const log = plan.logs[index]!
    const group = planShare(share, log, input)
    return { index, log, group, types: codedTypes([share], group) }
  })
  const travelling = travellingSlots(members)
  const rows = members.reduce((sum, { log }) => sum + log.rows, 0)
  const buckets = bucketsFor(rows)
  const returns = { [view.name]: returnsOf(view, members) }
  const groups = members.map(({ group }, member): GroupPlan => {
    const from = travelling.map((slot) => slot.from[member]!)
    const slots = travelling.map(({ slot }) => slot)
    const { bucketBits } = buckets
    return { ...group, returns, share: { member, slots, from, types: members.map(({ types }) => types), bucketBits } }
  })
  const logs = plan.logs.map((log, index) => {
    const member = members.findIndex((candidate) => candidate.index === index)
    return member < 0 ? log : { ...log, groups: [...log.groups, groups[member]!] }
  })
  const merged: MergedPlan = {
    members: members.map(({ index }) => ({ log: index, group: logs[index]!.groups.length - 1 })),
    log: { ...foldedLog(view, members, travelling), ...buckets },
    group: { ...foldedGroup(members, travelling), returns },
  }
  return { ...plan, logs, merged: [...plan.merged, merged] }
}

function planShare(share: LogView, log: LogPlan, { fieldsRead, returnsOf, vintages, strategy }: PlanInput): GroupPlan {
  const { slots, roles } = log
  const orders = logOrders(share.log, slots, roles)
  const group = planGroup([share], {
    slots,
    roles,
    orders,
    partitions: null,
    fieldsRead,
    returnsOf,
    vintages,
    strategy,
  })
  // Whatever the log's own order is, events of several logs are put in order by when they were recorded.
  return group.order.length === 0 ? group : { ...group, slots: distinct([...group.slots, roles.recordedAt]) }
}

/** What all handlers of the view may return. */
function returnsOf({ name }: MergedView, members: readonly Member[]): ViewReturns {
  const returns = members.map(({ group }) => group.returns[name]!)
  return { on: returns.flatMap(({ on }) => on), merge: returns[0]!.merge }
}

/** A slot of the rows in which events of several logs travel. */
interface Travelling {
  readonly slot: Slot
  /** By member. */
  readonly from: SharePlan['from']
}

/** What events are ordered by across logs is in one place for all of them; each log's other slots are its own. */
function travellingSlots(members: readonly Member[]): Travelling[] {
  const isOrdered = members.some(({ group }) => group.order.length > 0)
  const own = members.flatMap(({ log, group }, member) =>
    group.slots
      .filter((slot) => !isOrdered || slot !== log.roles.recordedAt)
      .map(
        (slot): Travelling => ({
          slot: log.slots[slot]!,
          from: members.map((_, other) => (other === member ? slot : -1)),
        }),
      ),
  )
  if (!isOrdered) return own
  const moments = members.map(({ log }) => log.slots[log.roles.recordedAt]!)
  const recordedAt = { ...moments[0]!, mayBeNull: moments.some(({ mayBeNull }) => mayBeNull) }
  return [
    { slot: recordedAt, from: members.map(({ log }) => log.roles.recordedAt) },
    { slot: memberSlot, from: members.map(() => 'member') },
    ...own,
  ]
}

const memberSlot: Slot = { name: 'log', type: { kind: 'int32', nullable: false }, storage: 'i32', mayBeNull: false }

function foldedLog(
  view: MergedView,
  members: readonly Member[],
  travelling: readonly Travelling[],
): Omit<FoldedLog, 'bucketBits' | 'reduceBits'> {
  const [{ log: first }] = members as readonly [Member]
  const usesLogKey = view.key === undefined && view.window === undefined
  return {
    name: members.map(({ log }) => log.name).join(' and '),
    slots: [...travelling.map(({ slot }) => slot), ...(usesLogKey ? [first.slots[first.roles.key]!] : [])],
    roles: { id: [], type: -1, sequence: -1, key: usesLogKey ? travelling.length : -1 },
    timeUnit: first.timeUnit,
    zone: first.zone,
    vintages: first.vintages,
    sources: members.map((member, index) => sourceOf(member, index, travelling)),
  }
}

/** Where events of one log have a slot among those that travel; −1 where they don't bring it. */
function placeOf(travelling: readonly Travelling[], member: number, slot: number): number {
  return slot < 0 ? -1 : travelling.findIndex(({ from }) => from[member] === slot)
}

function sourceOf({ log, types }: Member, member: number, travelling: readonly Travelling[]): SourceLog {
  const { id, key, type, sequence } = log.roles
  const place = (slot: number) => placeOf(travelling, member, slot)
  return {
    name: log.name,
    types,
    roles: { id: id.map(place), key: place(key), type: place(type), sequence: place(sequence) },
    visible: [...log.slots.keys()].map(place).filter((slot) => slot >= 0),
    absentNames: log.slots.filter((_, slot) => place(slot) < 0).map(({ name }) => name),
  }
}

/** By when they were recorded, then by log, then by the order of the log both are of: what other logs are ordered by is equal. */
function orderOf(members: readonly Member[], travelling: readonly Travelling[]): OrderTerm[] {
  if (!members.some(({ group }) => group.order.length > 0)) return []
  const across = [0, 1].map((slot): OrderTerm => ({ by: 'slot', slot, isDeclared: true }))
  const own = members.flatMap(({ log, group }, member) =>
    group.order
      .filter((term) => term.by !== 'slot' || term.slot !== log.roles.recordedAt)
      .map(
        (term): OrderTerm =>
          term.by === 'slot' ? { ...term, slot: placeOf(travelling, member, term.slot) } : { ...term, member },
      ),
  )
  return [...across, ...own]
}

/** The group as it is reduced. */
function foldedGroup(members: readonly Member[], travelling: readonly Travelling[]): GroupPlan {
  const [{ group }] = members as readonly [Member]
  return {
    ...group,
    order: orderOf(members, travelling),
    reason:
      group.order.length > 0 ? "a key's events are folded in the order in which the logs recorded them" : group.reason,
    slots: [...travelling.keys()],
    mapSlots: [],
    copiesEvents: members.some((member) => member.group.copiesEvents),
  }
}
