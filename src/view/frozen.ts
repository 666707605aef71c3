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
  // There is a state for each key, and most hold a few plain values: no more is made for one than what it holds.
  let waiting: object[] | undefined
  let value: unknown = state
  while (isObject(value)) {
    if (isEvent(value)) throw heldEvent()
    if (!Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
      if ((value instanceof Map || value instanceof Set) && holdsEvent(value)) throw heldEvent()
      Object.freeze(value)
      waiting = withObjectsOf(value, waiting)
    }
    value = waiting?.pop()
  }
  return state
}

/** Adds the objects that a value holds to those that wait, which are made with the first. */
function withObjectsOf(value: object, waiting: object[] | undefined): object[] | undefined {
  let all = waiting
  const add = (inner: object) => {
    all ??= []
    all.push(inner)
  }
  if (Array.isArray(value)) {
    for (const inner of value) if (isObject(inner)) add(inner)
    return all
  }
  for (const name in value) {
    const inner: unknown = (value as Record<string, unknown>)[name]
    if (isObject(inner) && Object.hasOwn(value, name)) add(inner)
  }
  return all
}

function heldEvent(): RuleError {
  return new RuleError('the state holds an event, which is another one by now: keep a copy of it, as { ...event }')
}

/** Events can't be extended, which is looked at first, as it is quicker. */
function isEvent(value: object): boolean {
  return !Object.isExtensible(value) && flyweights.has(value)
}

/** Whether a value that functions made keeps what they were given as an event: in objects, arrays, and what those have in a Map or Set. */
export function holdsEvent(value: unknown): boolean {
  if (isObject(value) && isEvent(value)) return true
  for (const object of objectsIn(value)) {
    for (const inner of Object.values(object)) if (isObject(inner) && isEvent(inner)) return true
    if (!(object instanceof Map || object instanceof Set)) continue
    for (const entry of object.entries()) if (entry.some((inner) => isObject(inner) && isOrHas(inner))) return true
  }
  return false
}

/** Of what a Map or Set has only the outermost is looked at, as it may be much. */
function isOrHas(value: object): boolean {
  if (isEvent(value)) return true
  return !ArrayBuffer.isView(value) && Object.values(value).some((inner) => isObject(inner) && isEvent(inner))
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
