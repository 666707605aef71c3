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
 */
export function frozen(value: unknown): unknown {
  if (isObject(value)) freeze(value)
  return value
}

function freeze(root: object): void {
  const waiting: object[] = [root]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (Object.isFrozen(value) || ArrayBuffer.isView(value)) continue
    Object.freeze(value)
    for (const inner of Object.values(value)) if (isObject(inner)) waiting.push(inner)
  }
}

/**
 * The same of a state, which functions made.
 *
 * @throws RuleError where it holds an event, which is another one by now.
 */
export function frozenState(state: unknown): unknown {
  if (holdsEvent(state)) {
    throw new RuleError('the state holds an event, which is another one by now: keep a copy of it, as { ...event }')
  }
  return frozen(state)
}

/** Whether a value that functions made keeps what they were given as an event: in objects, arrays, and what those have in a Map or Set. */
export function holdsEvent(value: unknown): boolean {
  if (isObject(value) && flyweights.has(value)) return true
  for (const object of objectsIn(value)) {
    for (const inner of Object.values(object)) if (isObject(inner) && flyweights.has(inner)) return true
    if (!(object instanceof Map || object instanceof Set)) continue
    for (const entry of object.entries()) if (entry.some((inner) => isObject(inner) && isOrHas(inner))) return true
  }
  return false
}

/** Of what a Map or Set has only the outermost is looked at, as it may be much. */
function isOrHas(value: object): boolean {
  if (flyweights.has(value)) return true
  return !ArrayBuffer.isView(value) && Object.values(value).some((inner) => isObject(inner) && flyweights.has(inner))
}

/** All objects of a value that are not frozen yet, each before what it holds. */
function* objectsIn(root: unknown): Iterable<object> {
  const waiting: unknown[] = [root]
  const seen = new Set<object>()
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (!isObject(value) || Object.isFrozen(value) || ArrayBuffer.isView(value) || seen.has(value)) continue
    seen.add(value)
    yield value
    for (const inner of Object.values(value)) if (isObject(inner)) waiting.push(inner)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
