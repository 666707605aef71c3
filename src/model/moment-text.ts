import type { TimeUnit } from './type.ts'

/** A moment in a log's unit as ISO 8601, UTC, with all digits of the unit. */
export function formatMoment(moment: bigint, unit: TimeUnit): string {
  const steps = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit]
  const fraction = ((moment % steps) + steps) % steps
  const seconds = new Date(Number((moment - fraction) / steps) * 1000).toISOString().slice(0, -5)
  return `${seconds}.${String(fraction).padStart(String(steps).length - 1, '0')}Z`
}

/** A moment in words; one that no calendar has as its number. */
export function dateText(moment: bigint, unit: TimeUnit): string {
  const days = moment / { ms: 86_400_000n, us: 86_400_000_000n, ns: 86_400_000_000_000n }[unit]
  return days < DAYS_MAX && days > -DAYS_MAX ? formatMoment(moment, unit) : `${moment} ${unit}`
}

/** What a Date can hold on either side of 1970. */
const DAYS_MAX = 100_000_000
