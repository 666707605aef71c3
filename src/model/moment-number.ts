/**
 * Moments as numbers. Within ±(2^53 − 1) all are exact; that is 285 years of microseconds on either side of 1970. Beyond, those
 * count that a number holds, so that the days 0001-01-01 and 9999-12-31, which databases write for none, are themselves.
 */
export function isMomentNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) < 2 ** 63 && (value as number) >= -(2 ** 63)
}

/** A moment as a number that is exactly it; null where there is none. */
export function momentNumber(moment: bigint): number | null {
  const number = Number(moment)
  return BigInt(number) === moment ? number : null
}
