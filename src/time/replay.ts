/**
 * The past of a triangle: the chain ladder as it was at the end of each past period, of what was known then. A triangle holds
 * when everything became known, so all of its past can be recomputed from it.
 */
import { type Age, type AgeSums, addGain, addWindow, agesFrom, sumsOf, type WindowAmounts } from './chain-ladder.ts'
import type { Triangle } from './triangle.ts'

/** How far is looked back, in periods: the estimates of half of them are compared, each by what those before it had shown. */
const PERIODS_MAX = 201
/** Fewer where delays are long: each period costs a step for each age. */
const STEPS_MAX = 4_000_000

/** The chain ladder as it was at the end of a period. */
export interface PastLadder {
  /** The last period that was observed. */
  readonly last: number
  readonly ages: readonly Age[]
  /** By age: the logarithm of what windows grow by up to it, from age 0 on. */
  readonly growth: Float64Array
  /** By age: the same, but for growth and fall both counted as way that is covered. */
  readonly way: Float64Array
  /** The mean size of what was added to windows after their own period, or of all amounts where nothing was. */
  readonly unit: number
}

export interface Replay {
  readonly triangle: Triangle
  /** A period each without gaps, oldest first; the last one is of now. Empty where the ladder is too long to go back. */
  readonly ladders: readonly PastLadder[]
  /** What was known of a window at the end of each of these periods. */
  knownOf(window: number): Float64Array
}

export function replayOf(triangle: Triangle): Replay {
  const { first, last, windows } = triangle
  const rows = [...windows.values()].filter(({ window }) => window >= first)
  const ageMax = rows.reduce((most, { added }) => Math.max(most, added.at(-1)!.age), 0)
  const periods = Math.min(PERIODS_MAX, Math.floor(STEPS_MAX / (ageMax + 1)), last - first + 1)
  if (rows.length === 0 || periods < 2) return { triangle, ladders: [], knownOf: () => new Float64Array(0) }
  const start = last - periods + 1
  return { triangle, ladders: laddersFrom(rows, start, last, ageMax), knownOf: knownByPeriod(triangle, start, periods) }
}

/** Goes through the periods once: each makes every window a period older, and adds what was recorded in it. */
function laddersFrom(rows: readonly WindowAmounts[], start: number, last: number, ageMax: number): PastLadder[] {
  const begun = rows.map(({ window, added }) => added.filter(({ age }) => window + age <= start))
  const old = rows.map((row, i) => ({ ...row, added: begun[i]! })).filter(({ window }) => window <= start)
  const sums = sumsOf(old, start, ageMax + 1)
  const known = Float64Array.from(begun, (added) => added.reduce((sum, { amount }) => sum + amount, 0))
  const next = Int32Array.from(begun, (added) => added.length)
  const sizes = new Sizes()
  for (const added of begun) for (const { age, amount } of added) sizes.add(age, amount)

  const ladders = [ladderOf(start, sums, sizes)]
  let end = old.length
  for (let period = start + 1; period <= last; period++) {
    while (end < rows.length && rows[end]!.window <= period) end++
    for (let row = end - 1; row >= 0 && rows[row]!.window >= period - 1 - ageMax; row--) {
      const age = period - rows[row]!.window
      const before = known[row]!
      if (age > 0) addWindow(sums, age - 1, before)
      const addition = rows[row]!.added[next[row]!]
      if (addition?.age !== age) continue
      if (age > 0) addGain(sums, age - 1, before, addition.amount)
      known[row] = before + addition.amount
      next[row]!++
      sums.top = Math.max(sums.top, age)
      sizes.add(age, addition.amount)
    }
    ladders.push(ladderOf(period, sums, sizes))
  }
  return ladders
}

/** The mean size of amounts. */
class Sizes {
  #late = 0
  #lateCount = 0
  #all = 0
  #count = 0

  add(age: number, amount: number): void {
    this.#all += Math.abs(amount)
    this.#count++
    if (age === 0) return
    this.#late += Math.abs(amount)
    this.#lateCount++
  }

  mean(): number {
    if (this.#lateCount > 0) return this.#late / this.#lateCount
    return this.#count === 0 ? 0 : this.#all / this.#count
  }
}

function ladderOf(last: number, sums: AgeSums, sizes: Sizes): PastLadder {
  const ages = agesFrom(sums)
  const growth = new Float64Array(ages.length)
  const way = new Float64Array(ages.length)
  for (let age = 1; age < ages.length; age++) {
    const { factor } = ages[age - 1]!
    // Where there is no factor there is no estimate either, for this age and all before it.
    const step = factor !== null && factor > 0 ? Math.log(factor) : 0
    growth[age] = growth[age - 1]! + step
    way[age] = way[age - 1]! + Math.abs(step)
  }
  return { last, ages, growth, way, unit: sizes.mean() }
}

function knownByPeriod({ windows }: Triangle, start: number, periods: number): (window: number) => Float64Array {
  const byWindow = new Map<number, Float64Array>()
  return (window) => {
    const before = byWindow.get(window)
    if (before !== undefined) return before
    const known = new Float64Array(periods)
    const added = windows.get(window)?.added ?? []
    let next = 0
    let sum = 0
    for (let period = 0; period < periods; period++) {
      for (; next < added.length && window + added[next]!.age <= start + period; next++) sum += added[next]!.amount
      known[period] = sum
    }
    byWindow.set(window, known)
    return known
  }
}
