/** Of a standard normal variable, the value below which it lies with a probability. P. J. Acklam's approximation, to 1e-9. */
export function normalQuantile(probability: number): number {
  if (probability < 0.02425) return -tail(probability)
  if (probability > 1 - 0.02425) return tail(1 - probability)
  const q = probability - 0.5
  const r = q * q
  return (polynomial(CENTRE, r) * q) / (polynomial(CENTRE_BELOW, r) * r + 1)
}

function tail(probability: number): number {
  const q = Math.sqrt(-2 * Math.log(probability))
  return -polynomial(TAIL, q) / (polynomial(TAIL_BELOW, q) * q + 1)
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)
}

const CENTRE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
]
const CENTRE_BELOW = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572]
const TAIL = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
]
const TAIL_BELOW = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]

/**
 * Of a variable with Student's distribution, the value below which it lies with a probability: the expansion around the normal
 * one, M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
 *
 * @param degrees Of freedom, 4 or more, not necessarily whole: there the value at 0.975 is off by less than 0.5 %.
 */
export function studentQuantile(probability: number, degrees: number): number {
  const z = normalQuantile(probability)
  const n = degrees
  return (
    z +
    (z ** 3 + z) / (4 * n) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3)
  )
}
