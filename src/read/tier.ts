/**
 * Two ways to read figures that may still change: `final`, only those of windows that can't change any more; `live`, all of
 * them, with how complete a window is and its expected final figure.
 */
import { takeRowsWrittenOut } from '../columns/take-rows.ts'
import type { Estimate } from '../time/estimate.ts'
import { formatWindowEnd } from '../time/lateness.ts'
import { type NamedColumn, numberColumn } from './named-column.ts'
import type { Rows } from './rows.ts'
import { type Counted, estimateOfFigure, readTriangle, type ViewTriangle } from './triangle-file.ts'
import { formatTimestamp, rawReader, valueReader } from './values.ts'
import type { FoundView } from './view-files.ts'
import { calendarOf, knownBefore, watermarkOf, windowOf } from './window.ts'

export const tiers = ['live', 'final'] as const

export type Tier = (typeof tiers)[number]

/** Rows of one tier, and what there is to say of it. */
export interface TieredRows extends Rows {
  readonly status: TierStatus
}

export interface TierStatus {
  readonly windows: WindowCount
  /** Up to when all is taken to be known, ISO 8601; null where nothing is. */
  readonly knownThrough: string | null
  readonly zone: string
  readonly recordsDays: boolean
  /** The log records days, and more may be recorded on the day of `knownThrough`. */
  readonly dayMayGrow: boolean
  /** When the newest event was recorded that the figures count, ISO 8601; null where there is none. */
  readonly countedThrough: string | null
  /** The last wholly observed period, from which `live` estimates where figures count what was recorded later; else null. */
  readonly observedThrough: string | null
  /** What `live` expects beside each row: events, or what the view measures; null where it gives nothing but completeness. */
  readonly expects: Counted | null
}

/** What is expected of the window of each row, null for a final one, as columns; `isAlone`: each window is one row. */
export type EstimateColumns = (estimates: readonly (Estimate | null)[], isAlone: boolean) => readonly NamedColumn[]

/**
 * @param purpose What the tier is read for, for messages.
 * @param readRows Called for each of two passes over the rows.
 * @throws ConfigurationError where the view has no windows.
 */
export function tieredRows(
  found: FoundView,
  tier: Tier,
  purpose: string,
  readRows: () => Iterable<readonly NamedColumn[]>,
  columnsOf: EstimateColumns = estimateNumbers,
): TieredRows {
  const window = windowOf(found, purpose)
  const windows = countWindows(readRows())
  const watermark = watermarkOf(found, window)
  const status = {
    windows,
    knownThrough: watermark === null ? null : formatTimestamp(watermark, calendarOf(found, window).unit, true),
    zone: window.zone,
    recordsDays: window.recordsDays,
    dayMayGrow: watermark !== null && window.recordsDays && knownBefore(found, window, watermark) === watermark,
    countedThrough: newestRecorded(found),
  }
  if (tier === 'final') {
    const batches = mapped(readRows(), finalRows)
    return { total: windows.finalRows, batches, status: { ...status, observedThrough: null, expects: null } }
  }
  const triangle = readTriangle(found, 'measure', purpose)
  const isAlone = isOneRowEach(found, windows)
  const estimates = new Map<unknown, Estimate>()
  const estimateAt = (key: unknown) => {
    const estimate = estimates.get(key) ?? estimateOfKey(triangle, key)
    estimates.set(key, estimate)
    return estimate
  }
  const added = (columns: readonly NamedColumn[]) => columnsOf(estimatesOf(columns, estimateAt), isAlone)
  const batches = mapped(readRows(), (columns) => [...columns, ...added(columns)])
  const counted = triangle.countsEvents ? 'events' : 'measure'
  const expects = isAlone && windows.provisional > 0 ? counted : null
  const estimated = { observedThrough: observedThrough(triangle), expects } as const
  return { total: windows.rows, batches, status: { ...status, ...estimated } }
}

function newestRecorded({ manifest }: FoundView): string | null {
  // All in the same unit, so that texts are in the order of moments.
  return manifest.progress.reduce<string | null>(
    (newest, { recordedAt }) => (newest === null || recordedAt > newest ? recordedAt : newest),
    null,
  )
}

/** A period that has only begun would make its delay look rarer than it is. */
function observedThrough({ later, calendar, triangle }: ViewTriangle): string | null {
  return later.size === 0 || triangle.windows.size === 0 ? null : formatWindowEnd(calendar, triangle.last)
}

/**
 * Whether each window is one row. The triangle is of whole windows: it says nothing of the parts into which further key columns
 * divide them, or the view's `row`.
 */
function isOneRowEach({ manifest }: FoundView, windows: WindowCount): boolean {
  return manifest.key.length === 1 && manifest.rows <= manifest.keys && windows.rows <= windows.all
}

function estimateOfKey(read: ViewTriangle, key: unknown): Estimate {
  return estimateOfFigure(read, read.calendar.indexOfKey(key as number | bigint))
}

function* mapped(
  batches: Iterable<readonly NamedColumn[]>,
  change: (columns: readonly NamedColumn[]) => readonly NamedColumn[],
): Generator<readonly NamedColumn[]> {
  for (const columns of batches) yield change(columns)
}

export interface WindowCount {
  readonly all: number
  readonly provisional: number
  readonly rows: number
  readonly finalRows: number
}

function countWindows(batches: Iterable<readonly NamedColumn[]>): WindowCount {
  const isFinal = new Map<unknown, boolean>()
  let rows = 0
  let finalRows = 0
  for (const columns of batches) {
    const key = windowReader(columns)
    const status = statusReader(columns)
    const { length } = columns[0]!.column
    for (let row = 0; row < length; row++) {
      isFinal.set(key(row), status(row) === 'final')
      if (status(row) === 'final') finalRows++
    }
    rows += length
  }
  const provisional = [...isFinal.values()].filter((final) => !final).length
  return { all: isFinal.size, provisional, rows, finalRows }
}

function windowReader(columns: readonly NamedColumn[]): (row: number) => unknown {
  return rawReader(columns[0]!.column, 'utf8')
}

function statusReader(columns: readonly NamedColumn[]): (row: number) => unknown {
  const { column, type } = columns.find(({ name }) => name === 'status')!
  return valueReader(column, type)
}

function finalRows(columns: readonly NamedColumn[]): readonly NamedColumn[] {
  const status = statusReader(columns)
  const { length } = columns[0]!.column
  const rows = [...Array(length).keys()].filter((row) => status(row) === 'final')
  if (rows.length === length) return columns
  return columns.map((named) => ({ ...named, column: takeRowsWrittenOut(named.column, Int32Array.from(rows)) }))
}

/** What isn't known of a final window is not awaited any more, so estimates are for provisional ones. */
function estimatesOf(
  columns: readonly NamedColumn[],
  estimateAt: (key: unknown) => Estimate,
): readonly (Estimate | null)[] {
  const key = windowReader(columns)
  const status = statusReader(columns)
  return Array.from({ length: columns[0]!.column.length }, (_, row) =>
    status(row) === 'final' ? null : estimateAt(key(row)),
  )
}

function estimateNumbers(estimates: readonly (Estimate | null)[], isAlone: boolean): readonly NamedColumn[] {
  const numbers = (name: string, of: (estimate: Estimate) => number | null): NamedColumn =>
    numberColumn(
      name,
      estimates.map((estimate) => (estimate === null ? null : of(estimate))),
    )
  const completeness = numbers('completeness', (estimate) => estimate.completeness)
  if (!isAlone) return [completeness]
  return [
    completeness,
    numbers('estimate', ({ ultimate }) => ultimate),
    numbers('estimateLow', ({ low }) => low),
    numbers('estimateHigh', ({ high }) => high),
    numbers('pastEstimates', ({ past }) => past?.compared ?? null),
    numbers('pastHeld', ({ past }) => past?.held ?? null),
  ]
}
