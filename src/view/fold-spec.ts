import type { GroupPlan, LogPlan, MayReturn } from '../model/plan.ts'
import type { AnyHandler, FoldSpec } from './fold.ts'
import { stateNames } from './free-form.ts'
import type { PreparedView } from './view-set.ts'

/** Names of the slots that are not among `slots`: reading one of them is an error. */
export function absentNames(log: LogPlan, slots: readonly number[]): string[] {
  return log.slots.filter((_, slot) => !slots.includes(slot)).map((slot) => slot.name)
}

/** The fold of a view's events. */
export function eventFoldSpec(log: LogPlan, plan: GroupPlan, view: PreparedView): FoldSpec {
  const { name, state, handlers, handlerNames } = view
  const { on } = plan.returns[name]!
  return {
    state,
    handlers,
    returns: handlerNames.map((type) => on[type] ?? 'nothing'),
    stateNames: state === undefined ? stateNames(view) : [],
    absentNames: absentNames(log, plan.slots),
    copiesEvents: plan.copiesEvents,
    documents: 'frozen',
  }
}

/**
 * The fold of a view's states that were folded where events are read.
 *
 * @param take Takes one of them.
 */
export function stateFoldSpec({ state }: PreparedView, take: AnyHandler, returns: MayReturn): FoldSpec {
  return {
    state,
    handlers: [take],
    returns: [returns],
    stateNames: [],
    absentNames: [],
    copiesEvents: false,
    documents: 'own',
  }
}
