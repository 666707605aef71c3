/**
 * Keeps the functions of views from what could change their result the next time: the clock, randomness, the
 * environment and the network. Those are replaced, once per thread, by versions that throw while a view's function runs
 * and do as before at any other time.
 */

/** A view's function used something that isn't the same every time; the caller adds the place. */
export class PurityError extends Error {
  readonly call: string
  constructor(call: string) {
    super(`${call} was called: a view must give the same rows every time, so it may use nothing but its arguments`)
    this.call = call
  }
}

let guarding = 0
let installed = false

/** Runs a view's functions; what is impure throws in it. Nesting is allowed. */
export function guarded<T>(work: () => T): T {
  if (!installed) install()
  guarding++
  try {
    return work()
  } finally {
    guarding--
  }
}

/** Stands in for an impure value while views run. */
function check(call: string): void {
  if (guarding > 0) throw new PurityError(call)
}

function install(): void {
  installed = true
  replace(Math, 'random', 'Math.random()')
  replace(performance, 'now', 'performance.now()')
  replace(process, 'hrtime', 'process.hrtime()')
  replace(process.hrtime, 'bigint', 'process.hrtime.bigint()')
  replace(globalThis, 'fetch', 'fetch()')
  for (const timer of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const)
    replace(globalThis, timer, `${timer}()`)
  replace(crypto, 'randomUUID', 'crypto.randomUUID()')
  replace(crypto, 'getRandomValues', 'crypto.getRandomValues()')
  replaceDate()
  replaceEnvironment()
}

function replace<T extends object>(owner: T, name: keyof T & string, call: string): void {
  const original = owner[name] as unknown as (...parameters: unknown[]) => unknown
  if (typeof original !== 'function') return
  const guard = function (this: unknown, ...parameters: unknown[]): unknown {
    check(call)
    return Reflect.apply(original, this === undefined ? owner : this, parameters)
  }
  Object.defineProperties(guard, Object.getOwnPropertyDescriptors(original))
  Object.defineProperty(owner, name, { value: guard, configurable: true, writable: true })
}

/** `new Date(…)` with arguments stays: it is the same every time. Local time isn't, but the environment sets its zone. */
function replaceDate(): void {
  const Original = Date
  const Guarded = new Proxy(Original, {
    construct(target, parameters, newTarget) {
      if (parameters.length === 0) check('new Date()')
      return Reflect.construct(target, parameters, newTarget) as object
    },
    apply(target, self, parameters) {
      check('Date()')
      return Reflect.apply(target, self, parameters)
    },
    get(target, name, receiver) {
      if (name === 'now') check('Date.now()')
      return Reflect.get(target, name, receiver)
    },
  })
  globalThis.Date = Guarded
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
