/**
 * The reporting triangle: how much of a window was reported with which delay, and how much of it is still expected.
 *
 * Windows and delays count periods of a calendar: what occurred in window w and was recorded in period w + d has delay d, and
 * a window's age is how many periods have passed since. Only what was recorded up to the last wholly observed period
 * counts; so each window is known up to one age, its cumulative amounts form a triangle, and the chain ladder completes it.
 */
import { type Age, agesFrom, sumsOf, type WindowAmounts } from './chain-ladder.ts'

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
  /** Whether all amounts are whole numbers. */
  readonly isWhole: boolean
}

/**
 * @param last Index of the last wholly observed period. What was recorded later is left out.
 * @throws RangeError for a delay below zero.
 */
export function triangleOf(counts: Iterable<TriangleCount>, last: number): Triangle {
  const cells = new Map<number, Map<number, number>>()
  let first = Number.POSITIVE_INFINITY
  let mayFall = false
  let isWhole = true
  for (const { window, delay, amount } of counts) {
    if (delay < 0) throw new RangeError(`expected a delay of 0 or more, found ${delay} of window ${window}`)
    if (window + delay > last || amount === 0) continue
    first = Math.min(first, window + delay)
    mayFall ||= amount < 0
    isWhole &&= Number.isInteger(amount)
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
    ages: agesFrom(sumsOf(seen, last)),
    mayFall,
    isWhole,
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
