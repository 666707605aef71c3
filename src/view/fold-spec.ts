import type { FoldedLog, GroupPlan, MayReturn } from '../model/plan.ts'
import type { AnyHandler, FoldSpec } from './fold.ts'
import { stateNames } from './free-form.ts'
import type { PreparedView } from './view-set.ts'

/** Names of the slots that are not among `slots`: reading one of them is an error. */
export function absentNames(log: Pick<FoldedLog, 'slots'>, slots: readonly number[]): string[] {
  return log.slots.filter((_, slot) => !slots.includes(slot)).map((slot) => slot.name)
}

/** The fold of a view's events: of one log, or where those of several meet. */
export function eventFoldSpec(log: FoldedLog, plan: GroupPlan, view: PreparedView): FoldSpec {
  const { name, state, handlers, handled, memberOf } = view
  const { on } = plan.returns[name]!
  return {
    state,
    handlers,
    returns: handled.map((type, index) => on[memberOf[index]!]![type] ?? 'nothing'),
    stateNames: state === undefined ? stateNames(view) : [],
    events: log.sources ?? [{ visible: null, absentNames: absentNames(log, plan.slots) }],
    eventOf: log.sources === undefined ? handlers.map(() => 0) : memberOf,
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
    events: [{ visible: null, absentNames: [] }],
    eventOf: [0],
    copiesEvents: false,
    documents: 'own',
  }
}
