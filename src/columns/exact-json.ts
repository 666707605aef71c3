/** JSON whose long integers are not rounded silently. */

declare global {
  interface JSON {
    /** A part of a JSON text that is written as it is: digits of an integer that no number holds. */
    rawJSON(text: string): object
  }
}

/** What JSON.stringify writes as an integer with all its digits. */
export function rawInteger(integer: bigint): object {
  return JSON.rawJSON(String(integer))
}

/** Integers of fewer digits are exact as numbers. */
const hasLongNumber = /\d{16}/

/**
 * Parses JSON, and leaves to the caller how to treat integers beyond ±(2^53 − 1).
 *
 * @param integer Gives the value of such an integer by its digits, or throws.
 */
export function parseJson(text: string, integer: (digits: string, rounded: number) => unknown): unknown {
  if (!hasLongNumber.test(text)) return JSON.parse(text)
  const revive = (_name: string, value: unknown, { source }: { source?: string }): unknown => {
    const isLong = typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined
    return isLong && /^-?\d+$/.test(source) ? integer(source, value) : value
  }
  return JSON.parse(text, revive as (name: string, value: unknown) => unknown)
}

/** `expected JSON, found "{" (Unexpected end…)`, for text that JSON.parse refused. */
export function describeBadJson(text: string, error: unknown): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return `expected JSON, found ${JSON.stringify(shown)} (${(error as Error).message})`
}
