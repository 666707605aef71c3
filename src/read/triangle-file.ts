/** The reporting triangle of a generation, as its folder holds it. */
import { join } from 'node:path'
import { OutputError } from '../model/errors.ts'
import type { Manifest, ManifestWindow } from '../model/manifest.ts'
import { openParquet } from '../parquet/file.ts'
import { readColumns } from '../parquet/scan.ts'
import { disk } from '../storage/disk.ts'
import { openListed } from '../storage/listed-file.ts'
import { type Calendar, makeCalendar } from '../time/calendar.ts'
import { formatWindowEnd } from '../time/lateness.ts'
import { type Estimate, estimateOf, type Triangle, type TriangleCount, triangleOf } from '../time/triangle.ts'
import { rawReader } from './values.ts'
import type { FoundView } from './view-files.ts'
import { calendarOf, watermarkOf, windowOf } from './window.ts'

/** What is counted: events, or what the view measures. */
export type Counted = 'events' | 'measure'

export interface ViewTriangle {
  readonly calendar: Calendar
  readonly triangle: Triangle
  readonly counted: Counted
  /** What was recorded later than the last wholly observed period, and so isn't in the triangle. */
  readonly beyond: number
  /** Events that came late and that the view refused, so that its figures will never have them. They aren't in the triangle. */
  readonly refused: number
}

/** Reads the triangle of what the view applies, as far as periods are wholly observed. */
export function readTriangle(found: FoundView, counted: Counted, purpose: string): ViewTriangle {
  const window = windowOf(found, purpose)
  const calendar = calendarOf(found, window)
  const cells = readCells(found, calendar, counted)
  const counts = window.late === 'apply' ? cells : cells.filter(({ late }) => !late)
  const last = lastObserved(found, window, calendar)
  const later = counts.filter((count) => count.window + count.delay > last)
  return {
    calendar,
    counted,
    triangle: triangleOf(counts, last),
    beyond: later.reduce((sum, { amount }) => sum + amount, 0),
    refused: window.late === 'apply' ? 0 : cells.reduce((sum, { late, events }) => sum + (late ? events : 0), 0),
  }
}

/** What is to be expected of a window by the triangle. */
export function estimateIn({ calendar, triangle }: ViewTriangle, window: number): Estimate {
  const through = Number.isFinite(triangle.last) ? formatWindowEnd(calendar, triangle.last) : undefined
  return estimateOf(triangle, window, through)
}

/**
 * The last period of which all is known that was recorded in it. Where a log records days, a day that is known is known to
 * its end.
 */
function lastObserved(found: FoundView, window: ManifestWindow, calendar: Calendar): number {
  const moment = watermarkOf(found, window)
  if (moment === null) return Number.NEGATIVE_INFINITY
  const { zone, unit } = calendar
  const index = calendar.indexOf(moment)
  const days = makeCalendar({ every: 'day', zone, unit })
  const known = window.recordsDays ? days.endOf(days.indexOf(moment)) : moment + 1n
  return known >= calendar.endOf(index) ? index : index - 1
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
