/**
 * Estimates that learn from those before them. At the end of each past period an estimate would have been made of the windows
 * of that day, from what was known then; what is known of them since shows how far it was off. The errors at an age correct
 * the next estimate at that age, and say how wide its interval has to be.
 *
 * - An error is the logarithm of what became known over what was expected, in units of the standard deviation that the ladder
 *   of now gives to a window of that size. So errors of large and small windows are comparable (normalized residuals, as in split
 *   conformal prediction with a scale: Papadopoulos et al. 2008, Lei et al. 2018).
 * - Only windows of which enough became known since are compared, with what was expected to be known by now; the variance
 *   grows in proportion to how much of the growth that was to come has been seen.
 * - Errors count half after HALF_LIFE periods: reporting changes (weights for data that isn't exchangeable: Barber et al. 2023).
 * - The ladder's own variance counts as PRIOR errors, so that few errors change it little, and the interval is that of
 *   Student's t with as many degrees of freedom as there are errors and PRIOR: few make it wider.
 * - The estimate is corrected by the mean error as far as that is beyond what chance would make it (positive-part shrinkage of
 *   James and Stein); errors of consecutive periods have much in common, so chance is taken to be three times as large. A
 *   correction comes late where reporting goes on changing, so the interval takes it to be uncertain by half its size.
 */
import type { Age } from './chain-ladder.ts'
import { type Estimate, type EstimateOptions, estimateOf, type PastEstimates, TOO_UNCERTAIN } from './estimate.ts'
import { studentQuantile } from './quantiles.ts'
import { type PastLadder, type Replay, replayOf } from './replay.ts'
import type { Triangle } from './triangle.ts'

const HALF_LIFE = 14
const PRIOR = 6
/** So far back errors are taken, in periods: older ones would weigh less than a hundredth. */
const LOOK_BACK = 100
/** So much of the growth that was to come must have been seen of a window that is compared. */
const SEEN_MIN = 0.5
/** By chance alone, the mean of errors that have much in common varies by this times the variance of independent ones. */
const COMMON = 9
/** A correction is uncertain by so much of its size. */
const CORRECTION_ERROR = 0.5
/** What the ladder hasn't seen come yet, in additions of the mean size. */
const UNSEEN = 0.5
/** What is below is rounding. */
const DEVIATION_MIN = 1e-9
/** A window that lost all counts as one that fell to a twentieth. */
const ERROR_MIN = -3
/** So many past estimates are needed to say how many held. */
export const COMPARED_MIN = 5

/** What is expected of windows of a triangle. */
export type Estimates = (window: number, options?: EstimateOptions) => Estimate

export function estimatesOf(triangle: Triangle): Estimates {
  let replay: Replay | undefined
  const errors = new Map<number, PastErrors>()
  const pasts = new Map<string, PastEstimates | null>()
  return (window, options = {}) => {
    const { level = 0.95 } = options
    const estimate = estimateOf(triangle, window, options)
    const { known, reason, age } = estimate
    if (reason !== null || known <= 0) return estimate
    replay ??= replayOf(triangle)
    const now = replay.ladders.length - 1
    if (now < 0) return estimate
    const at = Math.min(age, replay.ladders[now]!.ages.length - 1)
    if (!errors.has(at)) errors.set(at, errorsAt(replay, now, at))
    const calibrated = calibrate(replay.ladders[now]!, errors.get(at)!, at, known)
    if (calibrated === null) {
      return { ...estimate, ...{ ultimate: null, standardError: null, low: null, high: null }, reason: TOO_UNCERTAIN }
    }
    const { bias, deviation } = calibrated
    const place = `${at} ${level}`
    if (!pasts.has(place)) pasts.set(place, pastOf(replay, at, level))
    const ultimate = bounded(estimate.ultimate! * Math.exp(bias), known, triangle)
    return {
      ...estimate,
      ...{ ultimate, completeness: known / ultimate },
      standardError: ultimate * Math.sqrt(Math.expm1(deviation ** 2)),
      ...intervalOf(calibrated, level, 1, known, triangle),
      past: pasts.get(place)!,
    }
  }
}

/** Where nothing was ever withdrawn, what is known can't fall. */
function bounded(amount: number, known: number, { mayFall }: Triangle): number {
  return mayFall ? amount : Math.max(known, amount)
}

/** An estimate of what will be known of a window, as the logarithm of a normal variable. */
interface Calibrated {
  /** The logarithm of the estimate. */
  readonly middle: number
  /** By how much it differs from that of the ladder alone. */
  readonly bias: number
  readonly deviation: number
  /** Of Student's t. */
  readonly degrees: number
}

/** The estimate at the end of a period; null where it could be anything. */
function calibrate(ladder: PastLadder, errors: PastErrors, age: number, known: number): Calibrated | null {
  const model = deviationOf(ladder, age, known)
  const deviation = errors.stretch * model
  const bias = errors.bias * model
  if (Math.expm1(deviation ** 2) > 1) return null
  const middle = Math.log(known) + ladder.growth.at(-1)! - ladder.growth[age]! + bias
  return { middle, bias, deviation, degrees: errors.degrees }
}

function intervalOf(
  { middle, deviation, degrees }: Calibrated,
  level: number,
  seen: number,
  known: number,
  triangle: Triangle,
) {
  const reach = studentQuantile((1 + level) / 2, degrees) * deviation * Math.sqrt(seen)
  const low = bounded(Math.exp(middle - reach), known, triangle)
  const high = bounded(Math.exp(middle + reach), known, triangle)
  if (!triangle.isWhole) return { low, high }
  // A whole number takes the place of what is nearer to it than to any other.
  return { low: Math.round(low), high: Math.round(high) }
}

/**
 * The standard deviation of the logarithm of what becomes of a window: Mack's, and what may come that the ladder hasn't seen
 * come yet: by chance, of all that was known of older windows, as much as half an addition may be missing.
 */
function deviationOf({ ages, unit }: PastLadder, age: number, known: number): number {
  const { ownError, sharedError, volume } = ages[age]!
  const unseen = UNSEEN ** 2 * (unit / Math.max(volume, unit)) * (unit / known)
  return Math.max(DEVIATION_MIN, Math.sqrt(Math.log1p(ownError / known + unseen + sharedError)))
}

/** What the errors of past estimates at an age say of the next one. */
interface PastErrors {
  /** By how much what became known is above the estimate, and the spread around that, both in the ladder's deviations. */
  readonly bias: number
  readonly stretch: number
  readonly degrees: number
}

/** @param period By what was known at its end. */
function errorsAt(replay: Replay, period: number, age: number): PastErrors {
  const { ladders, triangle } = replay
  const errors: number[] = []
  const weights: number[] = []
  for (let past = period - 1; past >= Math.max(0, period - LOOK_BACK); past--) {
    const window = ladders[past]!.last - age
    if (window < triangle.first) break
    const seen = seenOf(ladders[period]!, age, age + period - past)
    if (seen < SEEN_MIN) continue
    const knownOf = replay.knownOf(window)
    const known = knownOf[past]!
    if (!wasEstimated(ladders[past]!, age, known)) continue
    const expected = growthOf(ladders[past]!, age, age + period - past)
    const error = Math.max(ERROR_MIN, Math.log(Math.max(0, knownOf[period]!)) - Math.log(known) - expected)
    errors.push(error / (deviationOf(ladders[period]!, age, known) * Math.sqrt(seen)))
    weights.push(2 ** ((past - period) / HALF_LIFE))
  }
  return summaryOf(errors, weights)
}

function summaryOf(errors: readonly number[], weights: readonly number[]): PastErrors {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return { bias: 0, stretch: 1, degrees: PRIOR }
  const weighted = (of: (error: number) => number) =>
    errors.reduce((sum, error, i) => sum + weights[i]! * of(error), 0) / total
  const size = total ** 2 / weights.reduce((sum, weight) => sum + weight ** 2, 0)
  const mean = weighted((error) => error)
  const spread = weighted((error) => (error - mean) ** 2)
  const chance = size > 2 ? (COMMON * spread) / (size - 1) : Number.POSITIVE_INFINITY
  const bias = mean === 0 ? 0 : mean * Math.max(0, 1 - chance / mean ** 2)
  const squares = weighted((error) => (error - bias) ** 2) + (CORRECTION_ERROR * bias) ** 2
  const variance = (size * squares + PRIOR) / (size + PRIOR)
  return { bias, stretch: Math.sqrt(variance * (1 + 1 / (size + 1))), degrees: size + PRIOR }
}

/** Of the growth that is to come after an age, the share that is seen at a later one. */
function seenOf({ way }: PastLadder, age: number, later: number): number {
  const top = way.length - 1
  if (later >= top) return 1
  const all = way[top]! - way[age]!
  return all === 0 ? 1 : (way[later]! - way[age]!) / all
}

function growthOf({ growth }: PastLadder, age: number, later: number): number {
  const top = growth.length - 1
  return growth[Math.min(later, top)]! - growth[Math.min(age, top)]!
}

/** Whether there was an estimate of a window, by the ladder of the time. */
function wasEstimated({ ages }: PastLadder, age: number, known: number): boolean {
  if (known <= 0 || ages.length === 0) return false
  const { reason, ownError, sharedError }: Age = ages[Math.min(age, ages.length - 1)]!
  return reason === null && ownError / known + sharedError <= 1
}

/** Compares the intervals that would have been given at an age with what is known now. */
function pastOf(replay: Replay, age: number, level: number): PastEstimates | null {
  const { ladders, triangle } = replay
  const now = ladders.length - 1
  let compared = 0
  let held = 0
  for (let past = now - 1; past >= Math.max(0, now - LOOK_BACK); past--) {
    const ladder = ladders[past]!
    const window = ladder.last - age
    if (window < triangle.first) break
    const later = age + now - past
    const seen = seenOf(ladders[now]!, age, later)
    const knownOf = replay.knownOf(window)
    const known = knownOf[past]!
    if (seen < SEEN_MIN || !wasEstimated(ladder, age, known)) continue
    const top = ladder.ages.length - 1
    const at = Math.min(age, top)
    const estimate = calibrate(ladder, errorsAt(replay, past, at), at, known)
    if (estimate === null) continue
    // What would have been expected to be known by now.
    const rest = growthOf(ladder, later, top)
    const { low, high } = intervalOf({ ...estimate, middle: estimate.middle - rest }, level, seen, known, triangle)
    compared++
    if (knownOf[now]! >= low && knownOf[now]! <= high) held++
  }
  return compared === 0 ? null : { compared, held }
}
