/**
 * The reporting triangle: how much of a window was reported with which delay, and how much of it is still expected.
 *
 * Windows and delays count periods of a calendar: what occurred in window w and was recorded in period w + d has delay d, and
 * a window's age is how many periods have passed since. Only what was recorded up to the last wholly observed period
 * counts; so each window is known up to one age, its cumulative amounts form a triangle, and the chain ladder completes it:
 * from one age to the next, what is known grows by a factor, taken over all windows that are old enough to show it.
 *
 * Standard errors are those of T. Mack, "Distribution-free calculation of the standard error of chain ladder reserve
 * estimates", ASTIN Bulletin 23 (1993), 213–225; intervals are lognormal, as proposed there. Logs make some departures necessary:
 *
 * - A window of which nothing is known yet counts in the factors, else these would come from the early reporters alone; it
 *   can't count in the variances.
 * - A window from before the log's first period of recording doesn't count: its early reports could not be seen. So what was
 *   filled in from old records, and dates mistyped by decades, leave the factors alone.
 * - Revisions may lower what is known. Factors below one are valid, but where a sum of cumulative amounts is zero
 *   or less there is no factor.
 * - Where there is too little data there is no estimate, and the reason is given instead.
 */

/** An amount of a window that was recorded with a delay. A window and delay may come several times; the amounts add up. */
export interface TriangleCount {
  /** The window's index in its calendar. */
  readonly window: number
  /** Periods from the window to that of recording, 0 or more. */
  readonly delay: number
  /** Events, or what the view measures; negative for withdrawals. */
  readonly amount: number
}

export interface Triangle {
  /** The first period in which anything was recorded; 0 where nothing was. Windows before it don't count in the factors. */
  readonly first: number
  /** The last wholly observed period. */
  readonly last: number
  /** Windows with any amount, in order. */
  readonly windows: ReadonlyMap<number, WindowAmounts>
  /** From age 0 on. The last one has no factor: nothing is expected beyond it. Empty where nothing is known. */
  readonly ages: readonly Age[]
  /** Whether any amount is below zero, so that what is known may still fall. */
  readonly mayFall: boolean
}

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

export interface Estimate {
  readonly window: number
  readonly age: number
  /** What is known now. */
  readonly known: number
  readonly completeness: number | null
  /** The expected final amount; null where there is too little data, and `reason` says what is missing. */
  readonly ultimate: number | null
  readonly standardError: number | null
  /** Between these the final amount lies with a probability of 95 %. */
  readonly low: number | null
  readonly high: number | null
  readonly reason: string | null
}

/**
 * @param last Index of the last wholly observed period. What was recorded later is left out.
 * @throws RangeError for a delay below zero.
 */
export function triangleOf(counts: Iterable<TriangleCount>, last: number): Triangle {
  const cells = new Map<number, Map<number, number>>()
  let first = Number.POSITIVE_INFINITY
  let mayFall = false
  for (const { window, delay, amount } of counts) {
    if (delay < 0) throw new RangeError(`expected a delay of 0 or more, found ${delay} of window ${window}`)
    if (window + delay > last || amount === 0) continue
    first = Math.min(first, window + delay)
    mayFall ||= amount < 0
    const row = cells.get(window) ?? new Map<number, number>()
    cells.set(window, row.set(delay, (row.get(delay) ?? 0) + amount))
  }
  const windows = [...cells]
    .sort(([a], [b]) => a - b)
    .map(([window, amounts]): WindowAmounts => {
      const added = [...amounts].map(([age, amount]) => ({ age, amount })).sort((a, b) => a.age - b.age)
      return { window, known: sum(added.map(({ amount }) => amount)), added }
    })
  const seen = windows.filter(({ window }) => window >= first)
  return {
    first: cells.size === 0 ? 0 : first,
    last,
    windows: new Map(windows.map((row) => [row.window, row])),
    ages: agesOf(withVariances(stepsOf(seen, last))),
    mayFall,
  }
}

/** What was known of a window at an age; null at ages that are not observed yet. */
export function knownAtAge({ windows, last }: Triangle, window: number, age: number): number | null {
  if (age < 0 || window + age > last) return null
  const added = windows.get(window)?.added ?? []
  return sum(added.filter((one) => one.age <= age).map(({ amount }) => amount))
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0)
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

/**
 * Goes through the ages once, holding sums over the windows that are old enough: few ages see more than a few additions,
 * while windows may be a hundred thousand.
 */
function stepsOf(windows: readonly WindowAmounts[], last: number): Step[] {
  const additions = additionsByAge(windows)
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

  const steps: Step[] = []
  let begun = false
  for (let age = 0; age < additions.length; age++) {
    while (end > 0 && windows[end - 1]!.window + age >= last) change(--end, -1)
    // Once something is known, an age at which nothing is of any window that is old enough ends the ladder: what follows
    // are first reports on windows without any before, which no factor can predict.
    if (age + 1 === additions.length || (begun && volume <= 0)) {
      return [...steps, { factor: null, variance: null, volume, windows: count, gain: 0 }]
    }
    begun ||= volume > 0
    const added = additions[age + 1] ?? []
    const gain = sum(added.map(([, amount]) => amount))
    const factor = volume > 0 ? 1 + gain / volume : null
    const variance = factor === null || count < 2 ? null : squaresOf(added, known, positive, factor) / (count - 1)
    steps.push({ factor, variance, volume, windows: count, gain })
    for (const [row, amount] of added) add(row, amount)
  }
  return steps
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

/** Σ C (F − f)² over the windows with an amount C above zero, F being the window's own factor, 1 where nothing was added. */
function squaresOf(
  added: readonly (readonly [row: number, amount: number])[],
  known: Float64Array,
  positive: number,
  factor: number,
): number {
  const growth = factor - 1
  let squares = 0
  let unchanged = positive
  for (const [row, amount] of added) {
    const before = known[row]!
    if (before <= 0) continue
    squares += before * (amount / before - growth) ** 2
    unchanged -= before
  }
  return squares + Math.max(0, unchanged) * growth ** 2
}

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

/**
 * The expected final amount of a window, with its standard error and an interval.
 *
 * @param through What reasons call the end of the last wholly observed period.
 */
export function estimateOf(triangle: Triangle, window: number, through = 'the last wholly observed period'): Estimate {
  const { ages, last, mayFall } = triangle
  const age = last - window
  const known = triangle.windows.get(window)?.known ?? 0
  const at = age < 0 ? undefined : ages[Math.min(age, ages.length - 1)]
  const completeness = at?.completeness ?? null
  const none = { ultimate: null, standardError: null, low: null, high: null }
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
  if (standardError > Math.abs(ultimate))
    return without('too little is known of it: the standard error is above the estimate')
  const interval = intervalOf(known, ultimate, standardError, mayFall)
  return { window, age, known, completeness, ultimate, standardError, ...interval, reason: null }
}

function intervalOf(known: number, ultimate: number, standardError: number, mayFall: boolean) {
  if (standardError === 0) return { low: ultimate, high: ultimate }
  const rest = ultimate - known
  if (mayFall || rest <= 0) return lognormal(ultimate, standardError)
  // Where nothing was ever withdrawn, what is known can't fall: only what is to come is uncertain.
  const { low, high } = lognormal(rest, standardError)
  return { low: known + low, high: known + high }
}

/** Of a standard normal variable, 95 % lie within plus and minus this. */
const NORMAL_95 = 1.959963984540054

/** The middle 95 % of a lognormal variable with a mean above zero and a standard deviation. */
function lognormal(mean: number, deviation: number): { low: number; high: number } {
  const variance = Math.log1p((deviation / mean) ** 2)
  const middle = Math.log(mean) - variance / 2
  const reach = NORMAL_95 * Math.sqrt(variance)
  return { low: Math.exp(middle - reach), high: Math.exp(middle + reach) }
}
