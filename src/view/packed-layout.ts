import type { FoldedLog, GroupPlan } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import { layoutRows, type RowLayout } from './row-layout.ts'

/**
 * How a group's events, or states, travel: what functions of its views read, then what only the engine does.
 */
export interface PackedLayout {
  /** All that is packed. */
  readonly layout: RowLayout
  /** The same rows, with only what functions see. */
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

/**
 * @param own What functions of the views see: slots of events, or of states that were folded where events are read.
 * @param countsLate Whether a row says how many late events it stands for.
 */
export function packedLayout(log: Pick<FoldedLog, 'vintages'>, own: readonly Slot[], countsLate = false): PackedLayout {
  const hiddenSlots = [...(countsLate ? [hiddenLate] : []), ...(log.vintages === null ? [] : [hiddenPeriod])]
  const layout = layoutRows([...own, ...hiddenSlots])
  const wordOf = (index: number) => layout.slots[own.length + index]!.word
  return {
    layout,
    visible: { ...layout, slots: layout.slots.slice(0, own.length) },
    lateWord: countsLate ? wordOf(0) : -1,
    periodWord: log.vintages === null ? -1 : wordOf(hiddenSlots.length - 1),
  }
}

/** How the events of a group travel, those of a view of several logs with slots for all of them. */
export function eventLayout(log: Pick<FoldedLog, 'slots' | 'vintages'>, { slots, share }: GroupPlan): PackedLayout {
  return packedLayout(log, share === null ? slots.map((slot) => log.slots[slot]!) : share.slots)
}
