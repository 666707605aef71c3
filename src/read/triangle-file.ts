/** The reporting triangle of a generation, as its folder holds it. */
import { join } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { Manifest, ManifestWindow } from '../model/manifest.ts'
import { openParquet } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { disk } from '../storage/disk.ts'
import { openListed } from '../storage/listed-file.ts'
import type { Calendar } from '../time/calendar.ts'
import { type Estimates, estimatesOf } from '../time/calibration.ts'
import { parseDuration } from '../time/duration.ts'
import type { Estimate } from '../time/estimate.ts'
import { formatWindowEnd } from '../time/lateness.ts'
import { type Triangle, type TriangleCount, triangleOf } from '../time/triangle.ts'
import { isFinal } from '../time/watermark.ts'
import { rawReader } from './values.ts'
import type { FoundView } from './view-files.ts'
import { calendarOf, knownBefore, watermarkOf, windowOf } from './window.ts'

/** What is counted: events, or what the view measures. */
export type Counted = 'events' | 'measure'

export interface ViewTriangle {
  readonly calendar: Calendar
  readonly triangle: Triangle
  readonly estimates: Estimates
  readonly counted: Counted
  /** What is counted is the number of events: that is asked for, or all that the view measures. */
  readonly countsEvents: boolean
  /** What was recorded later than the last wholly observed period, and so isn't in the triangle: in all, and by window. */
  readonly beyond: number
  readonly later: ReadonlyMap<number, number>
  /** Events that came late and that the view refused, so that its figures will never have them. They aren't in the triangle. */
  readonly refused: number
  /** Whether a window can't change any more: it is final, and the view refuses what comes too late. */
  isClosed(window: number): boolean
}

/** Reads the triangle of what the view applies, as far as periods are wholly observed. */
export function readTriangle(found: FoundView, counted: Counted, purpose: string): ViewTriangle {
  const window = windowOf(found, purpose)
  const calendar = calendarOf(found, window)
  const cells = readCells(found, calendar, counted)
  const counts = window.late === 'apply' ? cells : cells.filter(({ late }) => !late)
  const last = lastObserved(found, window, calendar)
  const beyond = counts.filter((count) => count.window + count.delay > last)
  const later = new Map<number, number>()
  for (const { window, amount } of beyond) later.set(window, (later.get(window) ?? 0) + amount)
  const triangle = triangleOf(counts, last)
  return {
    calendar,
    counted,
    countsEvents: cells.every(({ amount, events }) => amount === events),
    triangle,
    estimates: estimatesOf(triangle),
    beyond: beyond.reduce((sum, { amount }) => sum + amount, 0),
    later,
    isClosed: closedWindows(found, window, calendar),
    refused: window.late === 'apply' ? 0 : cells.reduce((sum, { late, events }) => sum + (late ? events : 0), 0),
  }
}

/**
 * What is to be expected of a window, at the moment of the figure that the generation holds: this counts also what was recorded
 * since the last wholly observed period, up to which the triangle shows how windows grow.
 */
export function estimateOfFigure(read: ViewTriangle, window: number): Estimate {
  const estimate = estimateIn(read, window)
  const later = read.later.get(window) ?? 0
  if (later === 0) return estimate
  const known = estimate.known + later
  const { ultimate, low, high } = estimate
  if (ultimate === null) return { ...estimate, known }
  const mayFall = read.triangle.mayFall || later < 0
  const bounded = (amount: number) => (mayFall ? amount : Math.max(amount, known))
  return {
    ...estimate,
    ...{ known, completeness: known / bounded(ultimate), ultimate: bounded(ultimate) },
    ...{ low: bounded(low!), high: bounded(high!) },
  }
}

/** What is to be expected of a window by the triangle; of one that can't change, what is known of it. */
export function estimateIn(read: ViewTriangle, window: number): Estimate {
  const { calendar, triangle, estimates } = read
  const through = Number.isFinite(triangle.last) ? formatWindowEnd(calendar, triangle.last) : undefined
  const estimate = estimates(window, { through })
  if (!read.isClosed(window)) return estimate
  const { known } = estimate
  return {
    ...estimate,
    completeness: 1,
    ultimate: known,
    standardError: 0,
    low: known,
    high: known,
    reason: null,
    past: null,
  }
}

function closedWindows(found: FoundView, window: ManifestWindow, calendar: Calendar): (index: number) => boolean {
  if (window.late === 'apply') return () => false
  const watermark = watermarkOf(found, window)
  const lateness = parseDuration(window.allowedLateness, 'allowedLateness')
  return (index) => isFinal(watermark, calendar.deadlineOf(index, lateness))
}

/** The last period of which all is known that was recorded in it. */
function lastObserved(found: FoundView, window: ManifestWindow, calendar: Calendar): number {
  const moment = watermarkOf(found, window)
  if (moment === null) return Number.NEGATIVE_INFINITY
  const index = calendar.indexOf(moment)
  return knownBefore(found, window, moment) >= calendar.endOf(index) ? index : index - 1
}

interface TriangleCell extends TriangleCount {
  readonly late: boolean
  readonly events: number
}

function readCells({ folder, manifest }: FoundView, calendar: Calendar, counted: Counted): TriangleCell[] {
  return manifest.triangle.flatMap((listed) => {
    const path = join(folder, listed.name)
    const file = openListed(folder, listed, disk)
    try {
      const parquet = openParquet(file)
      if (!parquet.schema.some((column) => column.name === 'late')) throw olderTriangle(manifest, path)
      return parquet.rowGroups.flatMap(({ index, rows }) => {
        const columns = readColumns(parquet, index, [['window'], ['delay'], ['late'], ['events'], [counted]])
        const [windowAt, delayAt, lateAt, eventsAt, amountAt] = columns.map((one) => rawReader(one, 'utf8'))
        return Array.from({ length: rows }, (_, row) => ({
          window: indexOf(calendar, windowAt!(row) as number | bigint, manifest, path),
          delay: Number(delayAt!(row)),
          late: lateAt!(row) === true,
          events: Number(eventsAt!(row)),
          amount: Number(amountAt!(row)),
        }))
      })
    } finally {
      file.close()
    }
  })
}

function olderTriangle({ view }: Manifest, path: string): OutputError {
  return new OutputError(
    `Cannot use ${path}: expected a triangle of view ${view} that counts late events separately, found one without the column "late". Rebuild the view.`,
    { file: path, column: 'late' },
  )
}

function indexOf(calendar: Calendar, key: number | bigint, { view }: Manifest, path: string): number {
  try {
    return calendar.indexOfKey(key)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new OutputError(
      `Cannot use ${path}: expected windows of view ${view}, found one that begins at ${key}. Rebuild the view.`,
      { file: path },
      { cause: error },
    )
  }
}
