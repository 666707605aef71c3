/**
 * How many intervals hold that were made in the past: every past day is gone back to, its estimates are made from what was known
 * on that day alone, learning from the days before it alone, and compared with what became known in the end.
 */
import { type Estimate, estimateOf } from '../../src/time/estimate.ts'
import { type Triangle, type TriangleCount, triangleOf } from '../../src/time/triangle.ts'

const levels = [0.5, 0.8, 0.95] as const
type Make = (triangle: Triangle) => (window: number, options: { readonly level: number }) => Estimate

/** Learns nothing from the past. */
export const ladderAlone: Make = (triangle) => (window, options) => estimateOf(triangle, window, options)

export interface Replayed {
  readonly counts: readonly TriangleCount[]
  /** The days that are gone back to. */
  readonly from: number
  readonly to: number
  /** The last day whose figure counts as final. */
  readonly final: number
}

/** A line for each group of ages: how many estimates there were, how many intervals of each level held, and the median width. */
export function coverage(
  { counts, from, to, final }: Replayed,
  groups: readonly (readonly [number, number])[],
  make: Make,
) {
  const end = triangleOf(counts, Number.MAX_SAFE_INTEGER)
  const lines = groups.map(() => ({ estimates: 0, held: levels.map(() => 0), widths: [] as number[] }))
  for (let today = from; today <= to; today++) {
    const estimates = make(triangleOf(counts, today))
    for (const [i, [youngest, oldest]] of groups.entries()) {
      for (let window = today - oldest; window <= Math.min(today - youngest, final); window++) {
        const actual = end.windows.get(window)?.known ?? 0
        const made = levels.map((level) => estimates(window, { level }))
        if (made[0]!.known <= 0 || made.some(({ ultimate }) => ultimate === null)) continue
        lines[i]!.estimates++
        // As they are printed: a number of cases is whole.
        for (const [j, { low, high }] of made.entries()) {
          if (actual >= Math.round(low!) && actual <= Math.round(high!)) lines[i]!.held[j]!++
        }
        lines[i]!.widths.push((made[2]!.high! - made[2]!.low!) / actual)
      }
    }
  }
  return lines.map(({ estimates, held, widths }, i) => ({
    ages: groups[i]!.join('–'),
    estimates,
    held: held.map((count) => (estimates === 0 ? null : Math.round((100 * count) / estimates))),
    width: widths.length === 0 ? null : Number(widths.sort((a, b) => a - b)[widths.length >> 1]!.toFixed(2)),
  }))
}
