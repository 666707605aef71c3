import { type MomentClock, withClock } from '../time/moment-clock.ts'
import { guardIntl } from './purity-intl.ts'
import { RuleError } from './rule-error.ts'

/**
 * Keeps the functions of views from what could change their result the next time, or on another machine: the clock,
 * randomness, the environment, the network, and the machine's time zone and locale. Those are replaced, once per thread, by
 * versions that throw while a view's function runs and do as before at any other time.
 */

/** A view's function used something that isn't the same every time; the caller adds the place. */
class PurityError extends RuleError {
  readonly call: string
  /** @param why What the result depends on, and what to use in place of the call. */
  constructor(
    call: string,
    why = 'a view must give the same rows every time, so it may use nothing but its arguments',
  ) {
    super(`${call} was called: ${why}`)
    this.call = call
  }
}

let guarding = 0
let installed = false

/**
 * Runs a view's functions; what is impure throws in it. Nesting is allowed.
 *
 * @param clock By which `dayOf` and its like read moments: that of the log whose events the functions are given; null where
 *   they are given none.
 */
export function guarded<T>(work: () => T, clock: MomentClock | null = null): T {
  installGuards()
  guarding++
  try {
    return withClock(clock, work)
  } finally {
    guarding--
  }
}

/** Replaces what is impure, before a job is imported: what its modules make while they load is known then. */
export function installGuards(): void {
  if (installed) return
  installed = true
  install()
}

/** Stands in for an impure value while views run. */
function check(call: string, why?: string): void {
  if (guarding > 0) throw new PurityError(call, why)
}

function install(): void {
  replace(Math, 'random', 'Math.random()')
  replace(performance, 'now', 'performance.now()')
  replace(process, 'hrtime', 'process.hrtime()')
  replace(process.hrtime, 'bigint', 'process.hrtime.bigint()')
  for (const name of ['cwd', 'uptime', 'memoryUsage', 'cpuUsage', 'resourceUsage'] as const)
    replace(process, name, `process.${name}()`)
  replace(globalThis, 'fetch', 'fetch()')
  for (const timer of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const)
    replace(globalThis, timer, `${timer}()`)
  replace(process, 'nextTick', 'process.nextTick()')
  replace(crypto, 'randomUUID', 'crypto.randomUUID()')
  replace(crypto, 'getRandomValues', 'crypto.getRandomValues()')
  replaceDate()
  replaceEnvironment()
  replaceLocalTime()
  guardIntl((call, why) => check(call, why))
}

function replace<T extends object>(owner: T, name: keyof T & string, call: string, why?: string): void {
  const original = owner[name] as unknown as (...parameters: unknown[]) => unknown
  if (typeof original !== 'function') return
  const guard = function (this: unknown, ...parameters: unknown[]): unknown {
    check(call, why)
    return Reflect.apply(original, this === undefined ? owner : this, parameters)
  }
  Object.defineProperties(guard, Object.getOwnPropertyDescriptors(original))
  Object.defineProperty(owner, name, { value: guard, configurable: true, writable: true })
}

const zoneOfMachine = "its result depends on the machine's time zone"

/** `new Date(…)` with what says its zone stays: it is the same everywhere. */
function replaceDate(): void {
  const Original = Date
  const parse = (text: unknown) => {
    if (guarding > 0) checkText('Date.parse()', text)
    return Original.parse(text as string)
  }
  const Guarded = new Proxy(Original, {
    construct(target, parameters, newTarget) {
      if (guarding > 0) checkParameters(parameters)
      return Reflect.construct(target, parameters, newTarget) as object
    },
    apply(target, self, parameters) {
      check('Date()')
      return Reflect.apply(target, self, parameters)
    },
    get(target, name, receiver) {
      if (name === 'now') check('Date.now()')
      return name === 'parse' ? parse : Reflect.get(target, name, receiver)
    },
  })
  globalThis.Date = Guarded
  // A date's own constructor is the way around all this.
  Object.defineProperty(Original.prototype, 'constructor', { value: Guarded, configurable: true, writable: true })
}

function checkParameters(parameters: readonly unknown[]): void {
  const [first] = parameters
  if (parameters.length === 0) check('new Date()')
  if (parameters.length > 1)
    check('new Date(year, month, …)', `${zoneOfMachine}; use new Date(Date.UTC(year, month, …))`)
  if (typeof first === 'string' || first instanceof String) checkText('new Date()', first)
}

/** A day alone is UTC's, and so is a year or a month; a time needs its zone. */
const withoutTime = /^(?:\d{4}|[+-]\d{6})(?:-\d\d(?:-\d\d)?)?$/
const withZone = /(?:Z|[+-]\d\d:?\d\d|\b(?:GMT|UTC?))(?:\s*\([^)]*\))?\s*$/i

function checkText(call: string, value: unknown): void {
  const text = String(value)
  if (withoutTime.test(text) || (/:/.test(text) && withZone.test(text))) return
  check(
    `${call} of ${JSON.stringify(text)}`,
    `${zoneOfMachine}, as the text names none; add Z or an offset, as 2021-05-22T14:00:00Z`,
  )
}

const localParts = ['Date', 'Day', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds'] as const

/** Methods of a date that read or set local time, and those that write it in the machine's zone. */
function replaceLocalTime(): void {
  const dates = Date.prototype as unknown as Record<string, unknown>
  const local = (name: string, use: string) =>
    replace(dates, name, `Date.prototype.${name}()`, `${zoneOfMachine}; ${use}`)
  for (const part of localParts) {
    local(`get${part}`, `use getUTC${part}()`)
    if (part !== 'Day') local(`set${part}`, `use setUTC${part}()`)
  }
  local('getYear', 'use getUTCFullYear()')
  local('setYear', 'use setUTCFullYear()')
  local('getTimezoneOffset', 'a moment has no offset of its own')
  for (const name of ['toString', 'toDateString', 'toTimeString']) local(name, 'use toISOString()')
}

function replaceEnvironment(): void {
  process.env = new Proxy(process.env, {
    get(target, name, receiver) {
      if (guarding > 0) check(`process.env.${String(name)}`)
      return Reflect.get(target, name, receiver)
    },
    has(target, name) {
      check(`process.env.${String(name)}`)
      return Reflect.has(target, name)
    },
    ownKeys(target) {
      check('process.env')
      return Reflect.ownKeys(target)
    },
  })
}
