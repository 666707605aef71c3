/**
 * Sums that don't depend on the order of what is added: integers as they are, other numbers as a run of numbers that
 * don't overlap, whose sum is exactly that of all that was added (J. R. Shewchuk, "Adaptive Precision Floating-Point
 * Arithmetic", 1997). Rounded once, when all is added.
 */
export interface ExactSum {
  /** The sum of integers, in two pieces: most are added as numbers, as long as those are exact. */
  whole: bigint
  small: number
  /** Of all other numbers: their sum in parts, smallest first; null where there were none. */
  parts: number[] | null
}

export function addInteger(sum: ExactSum, value: number): void {
  const small = sum.small + value
  if (Number.isSafeInteger(small)) {
    sum.small = small
  } else {
    sum.whole += BigInt(sum.small) + BigInt(value)
    sum.small = 0
  }
}

/** The sum of all integers. */
export function integersOf({ whole, small }: ExactSum): bigint {
  return whole + BigInt(small)
}

/** Adds a number that is no integer, or too large to be known as one. */
export function addNumber(sum: ExactSum, value: number): void {
  sum.parts ??= []
  const parts = sum.parts
  let rest = value
  let kept = 0
  for (const part of parts) {
    const [large, small] = Math.abs(rest) < Math.abs(part) ? [part, rest] : [rest, part]
    const total = large + small
    const lost = small - (total - large)
    if (lost !== 0) parts[kept++] = lost
    rest = total
  }
  parts.length = kept
  parts.push(rest)
}

export function mergeSum(into: ExactSum, from: ExactSum): void {
  into.whole += integersOf(from)
  if (from.parts !== null) for (const part of from.parts) addNumber(into, part)
}

/** The number nearest to the sum. */
export function roundSum(sum: ExactSum): number {
  const all: ExactSum = { whole: 0n, small: 0, parts: [...(sum.parts ?? [])] }
  for (let rest = integersOf(sum); rest !== 0n; ) {
    const nearest = Number(rest)
    addNumber(all, nearest)
    rest -= BigInt(nearest)
  }
  return rounded(all.parts!)
}

/** Adds parts from the largest on; where what is left lies half-way between two numbers, the part below it decides. */
function rounded(parts: readonly number[]): number {
  let at = parts.length - 1
  if (at < 0) return 0
  let total = parts[at]!
  let lost = 0
  while (at > 0) {
    const part = parts[--at]!
    const before = total
    total = before + part
    lost = part - (total - before)
    if (lost !== 0) break
  }
  if (at > 0 && Math.sign(lost) === Math.sign(parts[at - 1]!)) {
    const twice = lost * 2
    if (total + twice - total === twice) total += twice
  }
  return total
}
