import { ViewError } from '../model/errors.ts'
import { guarded } from './purity.ts'
import { describeResult, refusePromise } from './results.ts'
import { RuleError } from './rule-error.ts'
import { describeThrown } from './thrown.ts'
import type { PreparedView } from './view-set.ts'

/** Free-form states: each an object of its own, made by the view's `state`. */
export function makeStates(view: PreparedView, count: number): object[] {
  const make = view.definition.state as () => unknown
  return naming(view, () =>
    Array.from({ length: count }, () => {
      const state = make()
      if (state === null || typeof state !== 'object') {
        throw new RuleError(`expected an object, found ${describeResult(state)}`)
      }
      refusePromise(state)
      return state
    }),
  )
}

/**
 * Refuses a `state` that makes states which have something in common: what a handler does to one key's state would
 * change others', and which those are would depend on how keys are spread over tasks.
 */
export function refuseSharedStates(view: PreparedView): void {
  const [one, other] = makeStates(view, 2)
  if (one === other) refuse(view, 'expected a new object for each key, found the same one twice')
  const shared = sharedWithin(one, objectsIn(other), 'state')
  if (shared !== null) {
    refuse(view, `expected a new object for each key, found the same ${shared} twice; make it within the function`)
  }
}

function refuse(view: PreparedView, message: string): never {
  return naming(view, () => {
    throw new RuleError(message)
  })
}

/** The names that every state has from the start; none where it is no plain object, or can't be made. */
export function stateNames(view: PreparedView): readonly string[] {
  try {
    const [state] = makeStates(view, 1)
    return Object.getPrototypeOf(state) === Object.prototype ? Object.keys(state!) : []
  } catch {
    // It is reported where states are needed.
    return []
  }
}

/** What a state refers to may be long, and is the same in all: the first of it shows what is shared. */
const OBJECTS_MAX = 1000

function objectsIn(root: unknown): Set<object> {
  const seen = new Set<object>()
  const waiting: unknown[] = [root]
  while (waiting.length > 0 && seen.size < OBJECTS_MAX) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    waiting.push(...within(value).map(([, inner]) => inner))
  }
  return seen
}

/** The path of an object that both states have and that may be changed; null where there is none. */
function sharedWithin(
  root: unknown,
  others: ReadonlySet<object>,
  path: string,
  seen = new Set<object>(),
): string | null {
  if (typeof root !== 'object' || root === null || seen.has(root) || seen.size > OBJECTS_MAX) return null
  seen.add(root)
  if (others.has(root) && !isConstant(root)) return path
  for (const [name, inner] of within(root)) {
    const found = sharedWithin(inner, others, `${path}.${name}`, seen)
    if (found !== null) return found
  }
  return null
}

/** Frozen, and no container whose contents can be changed all the same. */
function isConstant(value: object): boolean {
  return Object.isFrozen(value) && !(value instanceof Map || value instanceof Set || value instanceof Date)
}

function within(value: object): [string, unknown][] {
  if (ArrayBuffer.isView(value)) return []
  if (value instanceof Map) return [...value.entries()].map(([key, inner]) => [`get(${describeResult(key)})`, inner])
  if (value instanceof Set) return [...value].map((inner) => ['values()', inner])
  return Object.entries(value)
}

function naming<T>(view: PreparedView, work: () => T): T {
  try {
    return guarded(work, view.clock)
  } catch (error) {
    const place = { view: view.name, handler: 'state' }
    throw new ViewError(`View ${view.name}, its state: ${describeThrown(error)}`, place, { cause: error })
  }
}
