import { RefoldError } from '../model/errors.ts'
import { KeyValueError } from './key-codec.ts'
import { RuleError } from './rule-error.ts'
import { ValueError } from './runtime.ts'

/** What a user's function threw, or did wrong, as the end of a message: a sentence, or the user's own words. */
export function describeThrown(error: unknown): string {
  if (error instanceof ValueError || error instanceof KeyValueError || error instanceof RuleError)
    return `${error.message}.`
  if (error instanceof RefoldError) return error.message
  if (!(error instanceof Error)) return `threw ${String(error)}, which is not an Error`
  const fault = faultOf(error)
  return fault === null ? `threw ${error.name}: ${error.message}` : `${fault}.`
}

/** Of an error in a list: the user's own words, or what the function did where the engine refused it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return faultOf(error) ?? error.message
}

const readOnly =
  'what a function is given is read-only: set columns that the state declares, and copy an event, as { ...event }, or a value in it, as structuredClone(value), to change the copy'

/** What V8 says of a mistake, and what the function did then. */
const faults: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /^Cannot (?:add|define) property (.+), object is not extensible$/,
    ([, name]) => `it set "${name}", which was not declared; ${readOnly}`,
  ],
  [/^Cannot set property (.+) of .+ which has only a getter$/s, ([, name]) => `it set "${name}"; ${readOnly}`],
  [/^Cannot assign to read only property '(.+)' of /s, ([, name]) => `it set "${name}"; ${readOnly}`],
  [/^Cannot delete property '(.+)' of /s, ([, name]) => `it deleted "${name}"; ${readOnly}`],
  [/^Cannot read properties of (undefined|null) \(reading '(.+)'\)$/s, ([, of, name]) => `it read "${name}" of ${of}`],
  [/^Cannot set properties of (undefined|null) \(setting '(.+)'\)$/s, ([, of, name]) => `it set "${name}" of ${of}`],
  [
    /^Cannot destructure property '(.+)' of '(.+)' as it is (undefined|null)\.$/s,
    ([, name, of, value]) => `it took "${name}" of ${of}, which is ${value}`,
  ],
  [/^(.+) is not a function$/s, ([, what]) => `it called ${what}, which is not a function`],
  [/^(.+) is not iterable(?: .*)?$/s, ([, what]) => `it took the items of ${what}, which has none`],
  [/^(.+) is not defined$/s, ([, what]) => `it used ${what}, which is not defined`],
  [
    /^Cannot mix BigInt and other types, use explicit conversions$/,
    () => 'it calculated with a bigint and a number; convert one of them, as BigInt(number)',
  ],
  [/^Assignment to constant variable\.$/, () => 'it assigned to a const'],
]

/** What a function did that the engine refused, in words; null where the error is the user's own. */
function faultOf(error: Error): string | null {
  if (error.constructor !== TypeError && error.constructor !== ReferenceError) return null
  for (const [pattern, describe] of faults) {
    const found = pattern.exec(error.message)
    if (found !== null) return describe(found)
  }
  return null
}
