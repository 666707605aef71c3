import { RuleError } from './rule-error.ts'

/** Objects that stand for each event in turn. */
const flyweights = new WeakSet<object>()

/** Marks what functions are given as an event. */
export function flyweight<T extends object>(event: T): T {
  flyweights.add(event)
  return event
}

/**
 * Freezes objects and arrays with all they hold, so that a function which is given them can't change what another sees. What
 * keeps its contents elsewhere, as a Map, is left as it is, and so is what was frozen before.
 *
 * @throws RuleError where it holds an event, which is another one by now.
 */
export function frozen(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) freeze(value)
  return value
}

function freeze(root: object): void {
  const waiting: object[] = [root]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (flyweights.has(value)) refuseEvent()
    if (value instanceof Map || value instanceof Set) refuseEventsIn(value)
    if (Object.isFrozen(value) || ArrayBuffer.isView(value)) continue
    Object.freeze(value)
    for (const inner of Object.values(value))
      if (typeof inner === 'object' && inner !== null) waiting.push(inner as object)
  }
}

function refuseEventsIn(container: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): void {
  for (const [key, value] of container.entries()) {
    for (const inner of [key, value]) if (typeof inner === 'object' && inner !== null) refuseEvents(inner)
  }
}

/** In an object of a container, which stays as it is. */
function refuseEvents(value: object): void {
  if (flyweights.has(value)) refuseEvent()
  for (const inner of ArrayBuffer.isView(value) ? [] : Object.values(value))
    if (typeof inner === 'object' && inner !== null && flyweights.has(inner as object)) refuseEvent()
}

function refuseEvent(): never {
  throw new RuleError('the state holds an event, which is another one by now: keep a copy of it, as { ...event }')
}
