import { RefoldError } from '../model/errors.ts'
import { KeyValueError } from './key-codec.ts'
import { RuleError } from './rule-error.ts'
import { ValueError } from './runtime.ts'

/** What a user's function threw, or did wrong, as the end of a message: a sentence, or the user's own words. */
export function describeThrown(error: unknown): string {
  if (error instanceof ValueError || error instanceof KeyValueError || error instanceof RuleError)
    return `${error.message}.`
  if (error instanceof RefoldError) return error.message
  return error instanceof Error
    ? `threw ${error.name}: ${error.message}`
    : `threw ${String(error)}, which is not an Error`
}
