import type { TimeUnit } from './type.ts'

/** A moment in a log's unit as ISO 8601, UTC, with all digits of the unit. */
export function formatMoment(moment: bigint, unit: TimeUnit): string {
  const steps = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }[unit]
  const fraction = ((moment % steps) + steps) % steps
  const seconds = new Date(Number((moment - fraction) / steps) * 1000).toISOString().slice(0, -5)
  return `${seconds}.${String(fraction).padStart(String(steps).length - 1, '0')}Z`
}
