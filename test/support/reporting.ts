/** Made-up reporting: how many cases of each day are reported with which delay. The same seed gives the same counts. */
import type { TriangleCount } from '../../src/time/triangle.ts'

export interface Reporting {
  readonly seed: number
  readonly days: number
  /** Longest delay and one. */
  readonly delays: number
  /** Cases a day, in waves around it. */
  readonly level: number
  /** The mean delay is longer by this share each day. */
  readonly slower?: number
  /** The mean delay wanders, by about this share a day. */
  readonly drift?: number
  /** Fewer cases and far fewer reports at weekends. */
  readonly weekdays?: boolean
}

const SHAPE = 20

export function reportingOf({ seed, days, delays, level, slower = 0, drift = 0, weekdays = false }: Reporting) {
  const random = randomOf(seed)
  const isWeekend = (day: number) => weekdays && day % 7 > 4
  const counts: TriangleCount[] = []
  let wandered = 0
  for (let window = 0; window < days; window++) {
    wandered = 0.9 * wandered + drift * normal(random)
    const meanDelay = 6 * Math.exp(wandered + slower * (window - days / 2))
    const cases = level * Math.exp(0.9 * Math.sin(window / 18)) * (isWeekend(window) ? 0.6 : 1)
    const weights = Array.from(
      { length: delays },
      (_, delay) => Math.exp(-delay / meanDelay) * (isWeekend(window + delay) ? 0.25 : 1),
    )
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const [delay, weight] of weights.entries()) {
      const amount = poisson(random, ((cases * weight) / total) * (gamma(random) / SHAPE))
      if (amount > 0) counts.push({ window, delay, amount })
    }
  }
  return counts
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Of the shape SHAPE, by Marsaglia and Tsang. */
function gamma(random: () => number): number {
  const d = SHAPE - 1 / 3
  for (;;) {
    const x = normal(random)
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

function poisson(random: () => number, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count++
  return count
}
