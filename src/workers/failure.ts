import {
  ConfigurationError,
  ConflictError,
  InputError,
  OutputError,
  type Place,
  RefoldError,
  ViewError,
} from '../model/errors.ts'

/** An error as data: errors that cross from thread to thread lose their class and their fields. */
export interface Failure {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Present for Refold's own errors, which `name` distinguishes. */
  readonly place: Place | undefined
  /** Of a system error, as `ENOSPC`. */
  readonly code: string | undefined
  readonly cause: Failure | undefined
}

const classes: Readonly<Record<string, new (message: string, place?: Place, options?: ErrorOptions) => RefoldError>> = {
  RefoldError,
  ConfigurationError,
  InputError,
  ViewError,
  ConflictError,
  OutputError,
}

const CAUSES_MAX = 8

export function failureOf(error: unknown, depth = 0): Failure {
  if (!(error instanceof Error)) {
    const message = `a value was thrown that is not an error: ${String(error)}`
    return { name: 'Error', message, stack: undefined, place: undefined, code: undefined, cause: undefined }
  }
  const { place, code } = error as { place?: unknown; code?: unknown }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    place: error.name in classes && typeof place === 'object' && place !== null ? { ...place } : undefined,
    code: typeof code === 'string' ? code : undefined,
    cause: error.cause === undefined || depth === CAUSES_MAX ? undefined : failureOf(error.cause, depth + 1),
  }
}

export function errorOf(failure: Failure): Error {
  const options = failure.cause === undefined ? undefined : { cause: errorOf(failure.cause) }
  const Class = failure.place === undefined ? undefined : classes[failure.name]
  const error =
    Class === undefined ? new Error(failure.message, options) : new Class(failure.message, failure.place, options)
  if (Class === undefined)
    Object.defineProperty(error, 'name', { value: failure.name, configurable: true, writable: true })
  if (failure.code !== undefined) Object.assign(error, { code: failure.code })
  // The thread's own stack: where the error arose, not where it arrived.
  if (failure.stack !== undefined)
    Object.defineProperty(error, 'stack', { value: failure.stack, configurable: true, writable: true })
  return error
}
