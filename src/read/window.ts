/** The windows of a view, as its manifest describes them. */
import { ConfigurationError } from '../model/errors.ts'
import type { ManifestWindow } from '../model/manifest.ts'
import { type Calendar, makeCalendar } from '../time/calendar.ts'
import { describeWithinWindow } from '../time/lateness.ts'
import { parseMoment } from '../time/moments.ts'
import type { KeyValue } from './key-text.ts'
import type { FoundView } from './view-files.ts'

/**
 * The windows of a view.
 *
 * @param purpose What they are needed for, for the message.
 * @throws ConfigurationError where it has none.
 */
export function windowOf({ manifest }: Pick<FoundView, 'manifest'>, purpose: string): ManifestWindow {
  if (manifest.options.vintages !== null) {
    throw new ConfigurationError(
      `${purpose}: expected a view, found the vintages of one. Take the view itself; with --known-at it is as it was then.`,
    )
  }
  if (manifest.window !== null) return manifest.window
  throw new ConfigurationError(
    `${purpose}: expected a view with windows, found ${manifest.view}, which has none. Give it a window in defineView.`,
  )
}

/** The calendar of a view's windows, in the unit of its moments. */
export function calendarOf({ manifest }: FoundView, { every, zone }: ManifestWindow): Calendar {
  const { unit } = manifest.columns.find(({ name }) => name === 'knownThrough')!
  return makeCalendar({ every, zone, unit: unit! })
}

/** Up to when all is taken to be known, in the unit of the view's moments; null where nothing is. */
export function watermarkOf(found: FoundView, window: ManifestWindow): bigint | null {
  const { unit, zone } = calendarOf(found, window)
  return window.watermark === null ? null : parseMoment(window.watermark, { unit, zone, option: 'watermark' })
}

/**
 * The moment before which all is known. What a log of moments still records is recorded after its watermark. A log of days may
 * still record more on the watermark's day, unless that day is over: because the log writes whole days, or because the view
 * is of what was known at the end of that day, or later.
 */
export function knownBefore(found: FoundView, window: ManifestWindow, watermark: bigint): bigint {
  if (!window.recordsDays) return watermark + 1n
  const { unit, zone } = calendarOf(found, window)
  const days = makeCalendar({ every: 'day', zone, unit })
  const day = days.indexOf(watermark)
  const end = days.endOf(day)
  // Text that is declared to hold days may hold moments, too.
  if (days.startOf(day) !== watermark) return watermark + 1n
  const { knownAt } = found.manifest.options
  const isOver =
    window.recordsWholeDays || (knownAt !== null && parseMoment(knownAt, { unit, zone, option: 'knownAt' }) >= end - 1n)
  return isOver ? end : watermark
}

/** `2021-03-15 is in the window 2021-03-01`, where a key names no window but a day or moment of one; else null. */
export function withinWindow(found: FoundView, key: readonly KeyValue[]): string | null {
  const { window, key: columns } = found.manifest
  const at = columns.findIndex(({ name }) => name === window?.column)
  const value = key[at]
  if (window === null || (typeof value !== 'bigint' && typeof value !== 'number')) return null
  try {
    return describeWithinWindow(calendarOf(found, window), value)
  } catch (error) {
    // No calendar reaches that far, and so no window does.
    if (error instanceof RangeError) return null
    throw error
  }
}
