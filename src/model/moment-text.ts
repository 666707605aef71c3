import { ConfigurationError } from './errors.ts'
import type { TimeUnit } from './type.ts'

/** A moment in a log's unit as ISO 8601, UTC, with all digits of the unit. */
export function formatMoment(moment: bigint, unit: TimeUnit): string {
  const steps = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit]
  const fraction = ((moment % steps) + steps) % steps
  const seconds = new Date(Number((moment - fraction) / steps) * 1000).toISOString().slice(0, -5)
  return `${seconds}.${String(fraction).padStart(String(steps).length - 1, '0')}Z`
}

/**
 * A moment given on the command line, in the log's unit: a day (its last instant, UTC), or an ISO 8601 moment; one
 * without a zone is UTC.
 *
 * @param option The option's name, for messages.
 */
export function parseMoment(text: string, unit: TimeUnit, option: string): bigint {
  const stepsASecond = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit]
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(day) && new Date(day).toISOString().startsWith(text)) {
    return (BigInt(day) / 1000n + 86_400n) * stepsASecond - 1n
  }
  const parts = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  const seconds = parts === null ? Number.NaN : Date.parse(`${parts[1]!.replace(' ', 'T')}${parts[3] ?? 'Z'}`) / 1000
  if (parts === null || Number.isNaN(seconds)) {
    throw new ConfigurationError(
      `${option}: expected a day as 2021-05-22 or a moment as 2021-05-22T14:00:00Z, found ${JSON.stringify(text)}.`,
    )
  }
  const fraction = BigInt((parts[2] ?? '').padEnd(9, '0').slice(0, stepsASecond.toString().length - 1))
  return BigInt(seconds) * stepsASecond + fraction
}
