/**
 * The reporting triangle: how much of a window was reported with which delay, and what of it is still to be expected.
 *
 * Windows and delays count periods of a calendar: what occurred in window w and was recorded in period w + d has delay d, and
 * a window's age is how many periods have passed since. Only what was recorded up to the last wholly observed period is looked
 * at; so each window is known up to one age, its cumulative amounts form a triangle, and the chain ladder completes it: from
 * one age to the next, what is known grows by a factor, taken over all windows that are old enough to show it.
 *
 * Standard errors are those of T. Mack, "Distribution-free calculation of the standard error of chain ladder reserve
 * estimates", ASTIN Bulletin 23 (1993), 213–225; intervals are lognormal, as proposed there. Reports of small windows make two
 * departures necessary. A window of which nothing is known yet counts in the factors, else these would be those of the early
 * reporters alone; it can't count in the variances. And revisions may lower what is known: factors below one are as good as
 * others, but where a sum of cumulative amounts is zero or less there is no factor, and that is said.
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
  /** What is known at the next age, for each that is known at this one; null where that can't be told. */
  readonly factor: number | null
  /** Mack's variance parameter of the step, sigma squared; null where too few windows show it. */
  readonly variance: number | null
  /** The amount known at this age of all windows that are older, which the factor is taken from. */
  readonly volume: number
  /** How many of them have an amount above zero. */
  readonly windows: number
  /** The share of a window's final amount that is known at this age; above 1 where revisions lower it. */
  readonly completeness: number | null
}

export interface Estimate {
  readonly window: number
  readonly age: number
  /** What is known now. */
  readonly known: number
  readonly completeness: number | null
  /** What is to be expected in the end; null where there is too little to go by, and `reason` says what. */
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
  let mayFall = false
  for (const { window, delay, amount } of counts) {
    if (delay < 0) throw new RangeError(`expected a delay of 0 or more, found ${delay} of window ${window}`)
    if (window + delay > last || amount === 0) continue
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
  return {
    last,
    windows: new Map(windows.map((row) => [row.window, row])),
    ages: withCompleteness(withVariances(stepsOf(windows, last))),
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
    // are reports on windows that nobody had reported on before, such as a date mistyped by decades.
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

function withCompleteness(steps: readonly Step[]): Age[] {
  const ages: Age[] = []
  let completeness: number | null = 1
  for (let age = steps.length - 1; age >= 0; age--) {
    const { factor, variance, volume, windows, gain } = steps[age]!
    if (age < steps.length - 1) completeness = completenessBefore(completeness, factor, volume, gain)
    ages.unshift({ age, factor, variance, volume, windows, completeness })
  }
  return ages
}

function completenessBefore(later: number | null, factor: number | null, volume: number, gain: number): number | null {
  if (factor !== null && factor > 0) return later === null ? null : later / factor
  // Nothing is ever known at this age, and something is later.
  return factor === null && volume === 0 && gain > 0 ? 0 : null
}

/** What is to be expected of a window in the end, with its standard error and an interval. */
export function estimateOf(triangle: Triangle, window: number): Estimate {
  const { ages, last } = triangle
  const age = last - window
  const known = triangle.windows.get(window)?.known ?? 0
  const completeness =
    age < 0 || ages.length === 0 ? null : (ages[Math.min(age, ages.length - 1)]!.completeness ?? null)
  const none = { ultimate: null, standardError: null, low: null, high: null }
  const reason = whyNot(triangle, age, known)
  if (reason !== null) return { window, age, known, completeness, ...none, reason }
  const { ultimate, standardError } = project(ages.slice(age, -1), known)
  return { window, age, known, completeness, ultimate, standardError, ...intervalOf(), reason }

  function intervalOf(): { low: number; high: number } {
    const rest = ultimate - known
    if (standardError === 0) return { low: ultimate, high: ultimate }
    // What is known can't fall where nothing was ever withdrawn.
    if (triangle.mayFall || rest <= 0) return lognormal(ultimate, standardError)
    const { low, high } = lognormal(rest, standardError)
    return { low: known + low, high: known + high }
  }
}

/** Why there is no estimate for a window of this age and known amount; null where there is one. */
function whyNot({ ages }: Triangle, age: number, known: number): string | null {
  if (age < 0) return 'its period has not been observed to the end'
  if (ages.length === 0) return 'nothing is known of any window'
  const steps = ages.slice(age, -1)
  if (steps.length === 0) return null
  const broken = steps.find((step) => step.factor === null || step.factor <= 0)
  if (broken?.factor === null) return `at age ${broken.age}, nothing was known of any window that is older`
  if (broken !== undefined) return `windows lose all that is known of them at age ${broken.age}`
  const unsure = steps.find((step) => step.variance === null)
  if (unsure !== undefined) return `too few windows show how amounts grow from age ${unsure.age} on`
  if (steps.every((step) => step.factor === 1 && step.variance === 0)) return null
  if (known === 0) return 'nothing is known of it yet'
  return known < 0 ? 'what is known of it is below zero' : null
}

/** Factors over all steps; and Mack's standard error, which sums up the error of each. */
function project(steps: readonly Age[], known: number): { ultimate: number; standardError: number } {
  let amount = known
  let squares = 0
  for (const step of steps) {
    const [factor, variance] = [step.factor!, step.variance!]
    if (variance > 0) squares += (variance / factor ** 2) * (1 / amount + 1 / step.volume)
    amount *= factor
  }
  return { ultimate: amount, standardError: Math.abs(amount) * Math.sqrt(squares) }
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
