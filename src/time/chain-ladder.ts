/**
 * The chain ladder: from one age to the next, what is known of windows grows by a factor, taken over all windows that are old
 * enough to show it.
 *
 * Standard errors are those of T. Mack, "Distribution-free calculation of the standard error of chain ladder reserve
 * estimates", ASTIN Bulletin 23 (1993), 213–225. Logs make some departures necessary:
 *
 * - A window of which nothing is known yet counts in the factors, else these would come from the early reporters alone; it
 *   can't count in the variances.
 * - A window from before the log's first period of recording doesn't count: its early reports could not be seen. So what was
 *   filled in from old records, and dates mistyped by decades, leave the factors alone.
 * - Revisions may lower what is known. Factors below one are valid, but where a sum of cumulative amounts is zero
 *   or less there is no factor.
 * - Where there is too little data there is no estimate, and the reason is given instead.
 */

export interface WindowAmounts {
  readonly window: number
  /** All that is known of it. */
  readonly known: number
  /** By age, ascending: what was added at this age. */
  readonly added: readonly { readonly age: number; readonly amount: number }[]
}

/** What is known of how windows grow from one age to the next. */
export interface Age {
  readonly age: number
  /** What is known at the next age, for each that is known at this one; null where that can't be determined. */
  readonly factor: number | null
  /** Mack's variance parameter of the step, sigma squared; null where too few windows show it. */
  readonly variance: number | null
  /** The amount known at this age of all windows that are older, which the factor is taken from. */
  readonly volume: number
  /** How many of them have an amount above zero. */
  readonly windows: number
  /** The share of a window's final amount that is known at this age; above 1 where revisions lower it. */
  readonly completeness: number | null
  /**
   * The squared standard error of an estimate made at this age, as a share of the estimate's square, in two parts: that of the
   * window's development, to be divided by the amount that is known of it, and that of the factors, which all windows share.
   */
  readonly ownError: number
  readonly sharedError: number
  /** Why nothing can be expected of windows of this age; null where it can. */
  readonly reason: string | null
}

/** Sums by age over the windows that are old enough to show how they grew from this age to the next. */
export interface AgeSums {
  /** What was known of them at this age: in all, and of those of which it is above zero, which are so many. */
  readonly volume: Float64Array
  readonly positive: Float64Array
  readonly count: Float64Array
  /** What the next age added: in all, to those above zero, and to these the sum of the squares over what was known. */
  readonly gain: Float64Array
  readonly gainOfPositive: Float64Array
  readonly squares: Float64Array
  /** The last age at which anything was added; -1 where nothing was. */
  top: number
}

/**
 * Goes through the ages once, holding sums over the windows that are old enough: few ages see more than a few additions,
 * while windows may be a hundred thousand.
 *
 * @param ages For how many ages there is room; at least those at which anything was added.
 */
export function sumsOf(windows: readonly WindowAmounts[], last: number, ages = 0): AgeSums {
  const additions = additionsByAge(windows)
  const sums = emptySums(Math.max(ages, additions.length), additions.length - 1)
  const known = new Float64Array(windows.length)
  // Of windows below `end`, which are older than the age: all amounts, those above zero, and how many these are.
  let end = windows.length
  let volume = 0
  let positive = 0
  let count = 0
  const change = (row: number, sign: number) => {
    volume += sign * known[row]!
    if (known[row]! > 0) {
      positive += sign * known[row]!
      count += sign
    }
  }
  const add = (row: number, amount: number) => {
    if (row < end) change(row, -1)
    known[row]! += amount
    if (row < end) change(row, 1)
  }
  for (const [row, amount] of additions[0] ?? []) add(row, amount)
  for (let age = 0; age < sums.volume.length; age++) {
    while (end > 0 && windows[end - 1]!.window + age >= last) change(--end, -1)
    sums.volume[age] = volume
    sums.positive[age] = positive
    sums.count[age] = count
    for (const [row, amount] of additions[age + 1] ?? []) {
      addGain(sums, age, known[row]!, amount)
      add(row, amount)
    }
  }
  return sums
}

function emptySums(ages: number, top: number): AgeSums {
  const column = () => new Float64Array(ages)
  return {
    ...{ volume: column(), positive: column(), count: column() },
    ...{ gain: column(), gainOfPositive: column(), squares: column(), top },
  }
}

/** A window that is old enough now. */
export function addWindow(sums: AgeSums, age: number, known: number): void {
  sums.volume[age]! += known
  if (known <= 0) return
  sums.positive[age]! += known
  sums.count[age]!++
}

/** What the age after this one added to a window. */
export function addGain(sums: AgeSums, age: number, known: number, amount: number): void {
  sums.gain[age]! += amount
  if (known <= 0) return
  sums.gainOfPositive[age]! += amount
  sums.squares[age]! += amount ** 2 / known
}

/** By age: rows and what was added to them. Ages without additions are holes. */
function additionsByAge(windows: readonly WindowAmounts[]): (readonly [row: number, amount: number][] | undefined)[] {
  const additions: [number, number][][] = []
  for (const [row, { added }] of windows.entries()) {
    for (const { age, amount } of added) {
      additions[age] ??= []
      additions[age].push([row, amount])
    }
  }
  return additions
}

/** What is known of each age, from 0 on. */
export function agesFrom(sums: AgeSums): Age[] {
  return agesOf(withVariances(stepsOf(sums)))
}

/** A step from an age to the next, as the windows show it that are old enough. */
interface Step {
  readonly factor: number | null
  readonly variance: number | null
  readonly volume: number
  readonly windows: number
  /** What the step added. */
  readonly gain: number
}

function stepsOf(sums: AgeSums): Step[] {
  const steps: Step[] = []
  let begun = false
  for (let age = 0; age <= sums.top; age++) {
    const volume = sums.volume[age]!
    const windows = sums.count[age]!
    // Once something is known, an age at which nothing is of any window that is old enough ends the ladder: what follows
    // are first reports on windows without any before, which no factor can predict.
    if (age === sums.top || (begun && volume <= 0)) {
      return [...steps, { factor: null, variance: null, volume, windows, gain: 0 }]
    }
    begun ||= volume > 0
    const gain = sums.gain[age]!
    // What is next to nothing may be so small that no number holds the factor.
    const factor = volume > 0 && Number.isFinite(gain / volume) ? 1 + gain / volume : null
    const variance = factor === null || windows < 2 ? null : squaresOf(sums, age, factor - 1) / (windows - 1)
    steps.push({ factor, variance, volume, windows, gain })
  }
  return steps
}

/** Σ C (F − f)² over the windows with an amount C above zero, F being the window's own factor and f that of all. */
function squaresOf({ squares, gainOfPositive, positive }: AgeSums, age: number, growth: number): number {
  const sum = squares[age]! - 2 * growth * gainOfPositive[age]! + growth ** 2 * positive[age]!
  // What is left of windows that all grew alike is rounding.
  return sum <= ROUNDING * squares[age]! ? 0 : sum
}

const ROUNDING = 1e-12

/** The variance of a step that one window shows: Mack's continuation of the two before. */
function withVariances(steps: readonly Step[]): Step[] {
  const variances: (number | null)[] = []
  return steps.map((step, age) => {
    const [before, last] = [variances[age - 2] ?? null, variances[age - 1] ?? null]
    const continued =
      step.variance ?? (step.factor === null || step.windows === 0 ? null : continuedVariance(before, last))
    variances.push(continued)
    return { ...step, variance: continued }
  })
}

function continuedVariance(before: number | null, last: number | null): number | null {
  if (before === null || last === null) return null
  return before === 0 ? 0 : Math.min(last ** 2 / before, before, last)
}

/** A step that fewer windows show is trusted only if little depends on it, */
const WINDOWS_MIN = 3
/** namely if all such steps together change what is known by no more than this factor. */
const CHANGE_MAX = 1.25

/**
 * Adds up, from the oldest age down, what is still to come, how certain it is, and whether it is reliable. Mack's formula for
 * the error is a sum over all steps to come; taken backwards, each age adds one term to that of the next.
 */
function agesOf(steps: readonly Step[]): Age[] {
  const ages: Age[] = []
  const top = steps.length - 1
  let completeness: number | null = 1
  let [ownError, sharedError] = [0, 0]
  // The last step shows whether windows are complete at all, so it affects the oldest too.
  let change = top < 1 ? 1 : changeOfThin(steps[top - 1]!)
  let reason = change > CHANGE_MAX ? tooFew(top - 1) : null
  for (let age = top; age >= 0; age--) {
    const step = steps[age]!
    const { factor, variance, volume, windows } = step
    if (age < top) {
      if (age < top - 1) change *= changeOfThin(step)
      reason ??= whyUnreliable(step, age) ?? (change > CHANGE_MAX ? tooFew(age) : null)
      completeness = completenessBefore(completeness, step)
      if (reason === null) {
        const error = variance! / factor! ** 2
        ownError = error + ownError / factor!
        sharedError += error / volume
      }
    }
    const known = reason === null || completeness === 0 ? completeness : null
    ages.push({ age, factor, variance, volume, windows, completeness: known, ownError, sharedError, reason })
  }
  return ages.reverse()
}

function changeOfThin({ windows, factor }: Step): number {
  if (windows >= WINDOWS_MIN || factor === null || factor <= 0) return 1
  return Math.max(factor, 1 / factor)
}

function whyUnreliable({ factor, variance }: Step, age: number): string | null {
  if (factor === null) return `at age ${age}, nothing was known of any window that is older`
  if (factor <= 0) return `after age ${age}, windows lose all that was known of them`
  return variance === null ? tooFew(age) : null
}

function tooFew(age: number): string {
  return `too few windows show how amounts grow after age ${age}`
}

function completenessBefore(later: number | null, { factor, volume, gain }: Step): number | null {
  if (factor !== null && factor > 0) return later === null ? null : later / factor
  // Nothing is ever known at this age, and something is later.
  return factor === null && volume === 0 && gain > 0 ? 0 : null
}
