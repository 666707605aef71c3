import type { OrderRole, TieBreak } from '../model/log.ts'
import type { OrderTerm } from '../model/order.ts'
import type { RoleSlots } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { AnyLog } from '../model/view.ts'

/** The orders of a log's events: within a stream, and where streams meet (decisions/006). */
export interface LogOrders {
  readonly withinStream: readonly OrderTerm[]
  readonly acrossStreams: readonly OrderTerm[]
}

type OwnLog = Pick<AnyLog, 'order' | 'sequenceScope' | 'tieBreak'>

/** @param slots Of the log: fields are found in it by their names. */
export function logOrders(log: OwnLog, slots: readonly Pick<Slot, 'name'>[], roles: RoleSlots): LogOrders {
  const role = (name: OrderRole | 'key', isDeclared = true): OrderTerm[] =>
    (name === 'id' ? roles.id : [roles[name]])
      .filter((slot) => slot >= 0)
      .map((slot) => ({ by: 'slot', slot, isDeclared }))
  const tieBreak = (log.tieBreak as readonly TieBreak[]).map((tie): OrderTerm => {
    if (typeof tie === 'object') return { by: 'type', types: tie.types, isDeclared: true }
    return { by: 'slot', slot: slots.findIndex(({ name }) => name === tie), isDeclared: true }
  })
  // Where all that is declared leaves two events equal, their ids decide: else the order of the files would.
  const ids = role('id', false)
  const named = log.order as readonly OrderRole[] | undefined
  if (named !== undefined) {
    const order = distinctTerms([...named.flatMap((name) => role(name)), ...tieBreak, ...ids])
    return { withinStream: order, acrossStreams: order }
  }
  const withinStream = distinctTerms([...role('sequence'), ...role('recordedAt'), ...tieBreak, ...ids])
  if (log.sequenceScope === 'log') return { withinStream, acrossStreams: withinStream }
  // A sequence compares events of one stream only, so those that nothing else orders come stream by stream.
  const streams = roles.sequence < 0 || roles.key < 0 ? [] : [...role('key', false), ...role('sequence')]
  return { withinStream, acrossStreams: distinctTerms([...role('recordedAt'), ...tieBreak, ...streams, ...ids]) }
}

/** Each slot once, at its first place. */
function distinctTerms(terms: readonly OrderTerm[]): OrderTerm[] {
  const isSame = (a: OrderTerm, b: OrderTerm) => a.by === 'slot' && b.by === 'slot' && a.slot === b.slot
  return terms.filter((term, index) => terms.findIndex((other) => isSame(term, other)) === index || term.by === 'type')
}
