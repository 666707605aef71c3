import type { GroupPlan, LogPlan } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import { placedSlots } from './placed-states.ts'
import { layoutRows, type RowLayout } from './row-layout.ts'
import { stateSlots } from './state-slots.ts'
import type { PreparedGroup, PreparedView } from './view-set.ts'

/**
 * How a group's events, or states, travel: what functions of its views read, and behind it what only the engine does.
 */
export interface PackedLayout {
  /** All that is packed. */
  readonly layout: RowLayout
  /** The same rows, without what functions don't see. */
  readonly visible: RowLayout
  /** First word of a state's number of late events, or −1 where it has none. */
  readonly lateWord: number
  /** First word of the period in which an event was recorded, or −1 where no vintages are made. */
  readonly periodWord: number
}

const hiddenLate: Slot = hidden('late')
const hiddenPeriod: Slot = hidden('period')

function hidden(name: string): Slot {
  return { name, type: { kind: 'int32', nullable: false }, storage: 'i32', mayBeNull: false }
}

export function packedLayout(log: LogPlan, { plan, views }: PreparedGroup): PackedLayout {
  const [only] = views
  const combine = plan.strategy === 'combine'
  const own = ownSlots(log, plan, views)
  const countsLate = combine && only!.window !== null
  const behind = [...(countsLate ? [hiddenLate] : []), ...(log.vintages === null ? [] : [hiddenPeriod])]
  const layout = layoutRows([...own, ...behind])
  const wordOf = (index: number) => layout.slots[own.length + index]!.word
  return {
    layout,
    visible: { ...layout, slots: layout.slots.slice(0, own.length) },
    lateWord: countsLate ? wordOf(0) : -1,
    periodWord: log.vintages === null ? -1 : wordOf(behind.length - 1),
  }
}

/** Events, or states that were folded where events are read. */
function ownSlots(log: LogPlan, plan: GroupPlan, views: readonly PreparedView[]): readonly Slot[] {
  if (plan.strategy === 'in-place') return placedSlots(views)
  if (plan.strategy === 'combine') return stateSlots(views[0]!.state!)
  return plan.slots.map((slot) => log.slots[slot]!)
}
