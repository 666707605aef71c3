/** What a window's final amount is expected to be, by the chain ladder alone: T. Mack's estimate, error and interval (1993). */
import { normalQuantile } from './quantiles.ts'
import type { Triangle } from './triangle.ts'

export interface Estimate {
  readonly window: number
  readonly age: number
  /** What is known now. */
  readonly known: number
  /** The share of the final amount that is known. */
  readonly completeness: number | null
  /** The expected final amount; null where there is too little data, and `reason` says what is missing. */
  readonly ultimate: number | null
  readonly standardError: number | null
  /** Between these the final amount lies with a probability of 95 %, or with that which was asked for. */
  readonly low: number | null
  readonly high: number | null
  readonly reason: string | null
  /** How past estimates at this age did; null where there is no estimate, or none of the past to compare. */
  readonly past: PastEstimates | null
}

/** Past estimates of windows at the same age, made with what was known then, compared with what is known now. */
export interface PastEstimates {
  readonly compared: number
  /** How many of their intervals hold what became known. */
  readonly held: number
}

export interface EstimateOptions {
  /** What reasons call the end of the last wholly observed period. */
  readonly through?: string | undefined
  /** The probability with which the final amount lies in the interval. Default 0.95. */
  readonly level?: number
}

/** Why there is no estimate where it could be anything. */
export const TOO_UNCERTAIN = 'too little is known of it: the standard error is above the estimate'

/**
 * The expected final amount of a window, with its standard error and an interval, by the ladder of now.
 */
export function estimateOf(triangle: Triangle, window: number, options: EstimateOptions = {}): Estimate {
  const { through = 'the last wholly observed period', level = 0.95 } = options
  const { ages, last, mayFall } = triangle
  const age = last - window
  const known = triangle.windows.get(window)?.known ?? 0
  const at = age < 0 ? undefined : ages[Math.min(age, ages.length - 1)]
  const completeness = at?.completeness ?? null
  const none = { ultimate: null, standardError: null, low: null, high: null, past: null }
  const without = (reason: string): Estimate => ({ window, age, known, completeness, ...none, reason })

  if (age < 0) return without('its period has not been observed to the end')
  if (at === undefined) {
    return without(
      triangle.windows.size === 0
        ? `nothing was recorded of any window through ${through}`
        : "all known windows are from before the log's first period of recording",
    )
  }
  if (at.reason !== null) return without(at.reason)
  if (at.completeness !== 1 || at.ownError > 0) {
    if (known === 0) return without(`nothing was recorded of it through ${through}`)
    if (known < 0) return without('what is known of it is below zero')
  }
  const ultimate = known / at.completeness!
  const standardError = known === 0 ? 0 : Math.abs(ultimate) * Math.sqrt(at.ownError / known + at.sharedError)
  if (standardError > Math.abs(ultimate)) return without(TOO_UNCERTAIN)
  const around = (mean: number) => lognormal(mean, standardError, level)
  const interval =
    standardError === 0 ? { low: ultimate, high: ultimate } : intervalOf(known, ultimate, mayFall, around)
  return { window, age, known, completeness, ultimate, standardError, ...interval, reason: null, past: null }
}

interface Interval {
  readonly low: number
  readonly high: number
}

function intervalOf(known: number, ultimate: number, mayFall: boolean, around: (mean: number) => Interval): Interval {
  const rest = ultimate - known
  if (mayFall || rest <= 0) return around(ultimate)
  // Where nothing was ever withdrawn, what is known can't fall: only what is to come is uncertain.
  const { low, high } = around(rest)
  return { low: known + low, high: known + high }
}

/** The middle part of a lognormal variable with a mean above zero and a standard deviation. */
function lognormal(mean: number, deviation: number, level: number): Interval {
  const variance = Math.log1p((deviation / mean) ** 2)
  const middle = Math.log(mean) - variance / 2
  const reach = normalQuantile((1 + level) / 2) * Math.sqrt(variance)
  return { low: Math.exp(middle - reach), high: Math.exp(middle + reach) }
}
