/** Moments as people read them: on the clocks of a zone, and as days where they are nothing else. */
import { localText } from '../time/zone.ts'

/**
 * `2021-05-22T14:00:00+08:00`, `2021-05-22T06:00:00.000000Z`
 *
 * @param moment As it is read of a view: in UTC, or as it is where no Date holds it.
 */
export function formatLocal(moment: string, zone: string): string {
  return zone === 'UTC' || !moment.endsWith('Z') ? moment : localText(Date.parse(moment), zone)
}

/** The day that begins at a moment, or null where none does. */
export function dayBeginningAt(moment: string, zone: string): string | null {
  // Clocks are looked at in milliseconds.
  if (!/\.\d{3}0*Z$/.test(moment)) return null
  const text = formatLocal(moment, zone)
  return /T00:00:00(?:\.0+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text.slice(0, text.indexOf('T')) : null
}

/** Formats moments of one column; as days where each of them begins one. */
export function localFormatter(moments: readonly string[], zone: string): (moment: string) => string {
  const areDays = moments.every((moment) => dayBeginningAt(moment, zone) !== null)
  return (moment) => (areDays ? dayBeginningAt(moment, zone)! : formatLocal(moment, zone))
}
