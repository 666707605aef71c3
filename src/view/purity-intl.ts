/**
 * Guards what gives another result in another locale: the constructors of `Intl` and the methods that stand for them. With a
 * locale, and of moments a time zone, named by the job they give the same on every machine with the same ICU.
 */

type Check = (call: string, why: string) => void
type AnyFunction = (...parameters: unknown[]) => unknown

const localeOfMachine = "its result depends on the machine's locale; name one, as 'en'"
const zoneOfMachine = "its result depends on the machine's time zone; name one, as { timeZone: 'UTC' }"

/** @param check Throws while a view's function runs. */
export function guardIntl(check: Check): void {
  for (const name of Object.getOwnPropertyNames(Intl)) {
    const owner = Intl as unknown as Record<string, unknown>
    if (typeof owner[name] === 'function' && name !== 'Locale' && /^[A-Z]/.test(name))
      guardConstructor(owner, name, check)
  }
  guardMethods(check)
}

/** What a formatter made without a locale or a time zone would depend on; formatters made before the guards are not known. */
type Faults = WeakMap<object, string>

function guardConstructor(owner: Record<string, unknown>, name: string, check: Check): void {
  const original = owner[name] as new (...parameters: unknown[]) => object
  const faults: Faults = new WeakMap()
  const make = (parameters: readonly unknown[], work: () => object): object => {
    const fault = faultOf(name, parameters)
    if (fault !== null) check(`Intl.${name}()`, fault)
    const made = work()
    if (fault !== null) faults.set(made, fault)
    return made
  }
  owner[name] = new Proxy(original, {
    construct: (target, parameters: unknown[], newTarget) =>
      make(parameters, () => Reflect.construct(target, parameters, newTarget) as object),
    apply: (target, self, parameters: unknown[]) =>
      make(parameters, () => Reflect.apply(target as unknown as AnyFunction, self, parameters) as object),
  })
  const prototype = original.prototype as object
  for (const [member, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    guardMember(prototype, member, descriptor, (self) => {
      const fault = typeof self === 'object' && self !== null ? faults.get(self) : undefined
      if (fault !== undefined) check(`Intl.${name}.prototype.${member}`, fault)
    })
  }
  Object.defineProperty(prototype, 'constructor', { value: owner[name], configurable: true, writable: true })
}

/** A formatter may have been made while the job was loaded, so its methods are guarded as well. */
function guardMember(
  prototype: object,
  member: string,
  { value, get }: PropertyDescriptor,
  look: (self: unknown) => void,
): void {
  if (member === 'constructor') return
  if (typeof value === 'function') {
    Object.defineProperty(prototype, member, {
      value(this: unknown, ...parameters: unknown[]) {
        look(this)
        return Reflect.apply(value as AnyFunction, this, parameters)
      },
      configurable: true,
      writable: true,
    })
  } else if (get !== undefined) {
    Object.defineProperty(prototype, member, {
      get(this: unknown) {
        look(this)
        const bound = Reflect.apply(get, this, []) as AnyFunction
        // `const { format } = …` outlives the look above.
        return (...parameters: unknown[]) => {
          look(this)
          return bound(...parameters)
        }
      },
      configurable: true,
    })
  }
}

function faultOf(name: string, [locales, options]: readonly unknown[]): string | null {
  if (!namesLocale(locales)) return localeOfMachine
  return name === 'DateTimeFormat' && !namesZone(options) ? zoneOfMachine : null
}

function namesLocale(locales: unknown): boolean {
  if (Array.isArray(locales)) return locales.length > 0
  return typeof locales === 'string' || locales instanceof Intl.Locale
}

function namesZone(options: unknown): boolean {
  return typeof options === 'object' && options !== null && (options as { timeZone?: unknown }).timeZone !== undefined
}

/** Methods that take a locale: at which of their parameters. */
function guardMethods(check: Check): void {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
  const guarded: readonly [string, object, string, number][] = [
    ['String.prototype', String.prototype, 'localeCompare', 1],
    ['String.prototype', String.prototype, 'toLocaleLowerCase', 0],
    ['String.prototype', String.prototype, 'toLocaleUpperCase', 0],
    ['Number.prototype', Number.prototype, 'toLocaleString', 0],
    ['BigInt.prototype', BigInt.prototype, 'toLocaleString', 0],
    ['Array.prototype', Array.prototype, 'toLocaleString', 0],
    ['TypedArray.prototype', typedArray, 'toLocaleString', 0],
    ['Date.prototype', Date.prototype, 'toLocaleString', 0],
    ['Date.prototype', Date.prototype, 'toLocaleDateString', 0],
    ['Date.prototype', Date.prototype, 'toLocaleTimeString', 0],
  ]
  for (const [owner, prototype, name, at] of guarded) {
    const original = (prototype as Record<string, unknown>)[name] as AnyFunction
    const isDate = prototype === Date.prototype
    Object.defineProperty(prototype, name, {
      value(this: unknown, ...parameters: unknown[]) {
        if (!namesLocale(parameters[at])) check(`${owner}.${name}()`, localeOfMachine)
        else if (isDate && !namesZone(parameters[at + 1])) check(`${owner}.${name}()`, zoneOfMachine)
        return Reflect.apply(original, this, parameters)
      },
      configurable: true,
      writable: true,
    })
  }
}
