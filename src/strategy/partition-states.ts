import type { Slot } from '../model/slots.ts'
import { type AnyHandler, NO_HANDLER } from '../view/fold.ts'
import { stateSlots } from '../view/state-slots.ts'
import type { PreparedView } from '../view/view-set.ts'

/**
 * States that were folded in place travel as one packed row a key: the states of all views of the group
 * consecutively, under a code that has a bit for each view that took any event of the key.
 */

/** A view's states as slots of such a row. */
export function partitionSlots(views: readonly PreparedView[]): Slot[] {
  return views.flatMap((view, index) =>
    stateSlots(view.state!).map((slot) => ({ ...slot, name: partitionStateName(index, slot) })),
  )
}

/** Two views' states may have the same names. */
function partitionStateName(view: number, { name }: { readonly name: string }): string {
  return `${view} ${name}`
}

/** By code of such a row: whether it holds a state of the view, as what `handlerOf` is of events. */
export function partitionHandlerOf(views: number, index: number): Uint8Array {
  return Uint8Array.from({ length: 2 ** views }, (_, code) => (((code >> index) & 1) === 1 ? 0 : NO_HANDLER))
}

/** Takes a view's state out of such a row. Generated, so that nothing is looked up by name. */
export function takePartitionState(view: PreparedView, index: number): AnyHandler {
  const lines = Object.keys(view.state!).map(
    (name) => `state[${JSON.stringify(name)}] = row[${JSON.stringify(partitionStateName(index, { name }))}];`,
  )
  return new Function(`'use strict'; return (state, row) => { ${lines.join(' ')} }`)() as AnyHandler
}
