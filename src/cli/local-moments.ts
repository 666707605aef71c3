/** Moments as people read them: on the clocks of a zone, and as days where they are nothing else. */
import type { TimeUnit } from '../model/type.ts'
import { stepsAMillisecond } from '../time/duration.ts'
import { localText } from '../time/zone.ts'
import { formatTimestamp } from './values.ts'

/** What a Date can hold, in milliseconds since 1970. */
const dateMillisecondsMax = 8_640_000_000_000_000n

/** `2021-05-22T14:00:00+08:00`, `2021-05-22T06:00:00.000000Z` */
export function formatLocal(moment: bigint, unit: TimeUnit, zone: string): string {
  const milliseconds = moment / BigInt(stepsAMillisecond[unit])
  const isFar = milliseconds > dateMillisecondsMax || milliseconds < -dateMillisecondsMax
  return zone === 'UTC' || isFar ? formatTimestamp(moment, unit, true) : localText(Number(milliseconds), zone)
}

/** The day that begins at a moment, or null where none does. */
export function dayBeginningAt(moment: bigint, unit: TimeUnit, zone: string): string | null {
  const steps = BigInt(stepsAMillisecond[unit])
  if (moment % steps !== 0n) return null
  const text = formatLocal(moment, unit, zone)
  return /T00:00:00(?:\.0+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text.slice(0, text.indexOf('T')) : null
}

/** Formats moments of one column; as days where each of them begins one. */
export function localFormatter(moments: Iterable<bigint>, unit: TimeUnit, zone: string): (moment: bigint) => string {
  const areDays = [...moments].every((moment) => dayBeginningAt(moment, unit, zone) !== null)
  return (moment) => (areDays ? dayBeginningAt(moment, unit, zone)! : formatLocal(moment, unit, zone))
}
