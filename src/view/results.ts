import type { MayReturn } from '../model/plan.ts'
import { RuleError } from './rule-error.ts'

/**
 * What functions of views return where that is looked at. A handler of a typed state changes it and returns nothing; one of
 * a free-form state may return the new state instead.
 */

/** The value in words, for messages. */
export function describeResult(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value !== 'object') return String(value)
  if (isPromise(value)) return 'a promise'
  if (Array.isArray(value)) return 'an array'
  const name = nameOf(value)
  if (name === 'Object') return 'an object'
  if (name === 'Event') return 'the event'
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

function nameOf(value: object): string {
  if ('next' in value && typeof value.next === 'function') return 'iterator'
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: string } } | null
  return prototype?.constructor?.name || 'Object'
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What a function does after its first await would run when the fold is over. */
export function refusePromise(value: unknown): void {
  if (!isPromise(value)) return
  // Nobody waits for it, and this error reports it already.
  value.then(undefined, () => {})
  throw new RuleError("it returned a promise; a fold can't wait, so it must do all it does at once")
}

/** Whether a result is the value of a call for whose effect the function was written. */
function isByProduct(result: unknown, kind: MayReturn): boolean {
  return kind === 'by-product' && (result === null || (typeof result !== 'object' && typeof result !== 'function'))
}

/**
 * @param event The flyweight.
 * @param column One of the state's, for the message.
 */
export function refuseResult(result: unknown, kind: MayReturn, event: unknown, column: string): void {
  if (isByProduct(result, kind)) return
  refusePromise(result)
  throw new RuleError(
    `it returned ${result === event ? 'the event' : describeResult(result)}, which would be lost: a typed state is changed in place and nothing is returned; ` +
      `write (state, …) => { state.${column} = … }`,
  )
}

/**
 * The state after a handler of a free-form state returned something.
 *
 * @param event The flyweight, which is another event the next time.
 * @param names What every state has from the start.
 */
export function newState(
  state: object,
  result: unknown,
  kind: MayReturn,
  event: unknown,
  names: readonly string[],
): object {
  if (isByProduct(result, kind)) return state
  refusePromise(result)
  const found = result === event ? 'the event' : describeResult(result)
  if (result === null || typeof result !== 'object' || result === event || isOfAnotherKind(state, result)) {
    const expected = `the new state, ${describeResult(state)} as \`state\` makes it, or nothing where the state was changed`
    const advice =
      kind === 'by-product' ? '; if the value of the call is not meant as the new state, write braces around it' : ''
    throw new RuleError(`it returned ${found}: expected ${expected}${advice}`)
  }
  const missing = names.find((name) => !Object.hasOwn(result, name))
  if (missing !== undefined) {
    throw new RuleError(
      `it returned an object without "${missing}", which \`state\` makes: expected the whole new state, as ({ ...state, … }), ` +
        'or nothing where the state was changed',
    )
  }
  const kept = Object.keys(result).find((name) => (result as Record<string, unknown>)[name] === event)
  if (kept !== undefined) {
    throw new RuleError(
      `it returned a state whose "${kept}" is the event, which is another one when it is read again: keep a copy, as { ...event }`,
    )
  }
  return result
}

function isOfAnotherKind(state: object, result: object): boolean {
  const plain = (value: object) =>
    Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype
  if (plain(state) && plain(result)) return false
  return Object.getPrototypeOf(state) !== Object.getPrototypeOf(result)
}
