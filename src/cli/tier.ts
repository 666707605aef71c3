/**
 * Two ways to read figures that may still change: `final`, only those of windows that can't change any more; `live`, all of
 * them, with how complete a window is and what it is expected to come to.
 */

import { columnFromValues } from '../columns/from-values.ts'
import { takeRowsWrittenOut } from '../columns/take-rows.ts'
import type { ManifestWindow } from '../model/manifest.ts'
import { float64, nullable, string } from '../model/types.ts'
import { formatWindowEnd } from '../time/lateness.ts'
import type { Estimate } from '../time/triangle.ts'
import type { NamedColumn } from './arrow.ts'
import { dayBeginningAt, formatLocal } from './local-moments.ts'
import { formatCount, formatPercent } from './numbers.ts'
import type { Rows } from './rows.ts'
import type { Tier } from './tier-option.ts'
import { calendarOf, estimateIn, readTriangle, type ViewTriangle, watermarkOf, windowOf } from './triangle-file.ts'
import { rawReader, valueReader } from './values.ts'
import type { FoundView } from './view-files.ts'

/** Rows of one tier, and what there is to say of it. */
export interface TieredRows extends Rows {
  readonly note: string
}

/**
 * @param readRows Gives the rows' batches anew with each call: they are gone through twice.
 * @param forPeople Completeness and estimate as people read them, in two columns of text; else as numbers.
 */
export function tieredRows(
  found: FoundView,
  tier: Tier,
  readRows: () => Iterable<readonly NamedColumn[]>,
  forPeople: boolean,
): TieredRows {
  const window = windowOf(found, `--tier ${tier}`)
  const windows = countWindows(readRows())
  const provisional = provisionalText(windows)
  const known = knownText(found, window)
  if (tier === 'final') {
    const batches = mapped(readRows(), finalRows)
    return {
      total: windows.finalRows,
      batches,
      note: `${known}; ${provisional}${windows.provisional === 0 ? '' : ' and left out'}.`,
    }
  }
  const triangle = readTriangle(found, 'measure', '--tier live')
  const isAlone = isOneRowEach(found, windows)
  const estimates = new Map<unknown, Estimate>()
  const estimateAt = (key: unknown) => {
    const estimate = estimates.get(key) ?? estimateOfKey(triangle, key)
    estimates.set(key, estimate)
    return estimate
  }
  const batches = mapped(readRows(), (columns) => withEstimates(columns, estimateAt, isAlone, forPeople))
  return {
    total: windows.rows,
    batches,
    note: `${known}; ${provisional}.${observedText(triangle)}`,
  }
}

/** `4 of 10 windows are provisional` */
function provisionalText({ all, provisional }: WindowCount): string {
  if (all === 0) return 'there are no windows'
  if (all === 1) return `the window is ${provisional === 1 ? 'provisional' : 'final'}`
  return `${provisional === 0 ? 'none' : formatCount(provisional)} of ${formatCount(all)} windows ${provisional <= 1 ? 'is' : 'are'} provisional`
}

/**
 * Whether each window is one row. The triangle is of whole windows: it says nothing of the parts into which further key columns
 * divide them, or the view's `row`.
 */
function isOneRowEach({ manifest }: FoundView, windows: WindowCount): boolean {
  return manifest.key.length === 1 && manifest.rows <= manifest.keys && windows.rows <= windows.all
}

/** `Known through 2021-05-25 (Asia/Taipei)` */
function knownText(found: FoundView, window: ManifestWindow): string {
  const moment = watermarkOf(found, window)
  if (moment === null) return 'Nothing is known yet'
  const { unit, zone } = calendarOf(found, window)
  const text = (window.recordsDays ? dayBeginningAt(moment, unit, zone) : null) ?? formatLocal(moment, unit, zone)
  return `Known through ${text} (${zone})`
}

/** A period that has only begun would make its delay look rarer than it is. */
function observedText({ beyond, calendar, triangle }: ViewTriangle): string {
  if (beyond === 0 || triangle.windows.size === 0) return ''
  return ` What is complete and expected follows from all that was recorded through ${formatWindowEnd(calendar, triangle.last)}.`
}

function estimateOfKey(read: ViewTriangle, key: unknown): Estimate {
  return estimateIn(read, read.calendar.indexOfKey(key as number | bigint))
}

function* mapped(
  batches: Iterable<readonly NamedColumn[]>,
  change: (columns: readonly NamedColumn[]) => readonly NamedColumn[],
): Generator<readonly NamedColumn[]> {
  for (const columns of batches) yield change(columns)
}

interface WindowCount {
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
function withEstimates(
  columns: readonly NamedColumn[],
  estimateAt: (key: unknown) => Estimate,
  isAlone: boolean,
  forPeople: boolean,
): readonly NamedColumn[] {
  const key = windowReader(columns)
  const status = statusReader(columns)
  const estimates = Array.from({ length: columns[0]!.column.length }, (_, row) =>
    status(row) === 'final' ? null : estimateAt(key(row)),
  )
  const numbers = (name: string, of: (estimate: Estimate) => number | null): NamedColumn => {
    const values = estimates.map((estimate) => (estimate === null ? null : of(estimate)))
    return { name, type: { kind: 'float', bits: 64 }, column: columnFromValues(nullable(float64()), values) }
  }
  const texts = (name: string, of: (estimate: Estimate) => string): NamedColumn => {
    const values = estimates.map((estimate) => (estimate === null ? '' : of(estimate)))
    return { name, type: { kind: 'string' }, column: columnFromValues(string(), values) }
  }
  const added = forPeople
    ? [
        texts('complete', ({ completeness }) => (completeness === null ? 'unknown' : formatPercent(completeness))),
        ...(isAlone ? [texts('expected', expectedText)] : []),
      ]
    : [
        numbers('completeness', ({ completeness }) => completeness),
        ...(isAlone
          ? [
              numbers('estimate', ({ ultimate }) => ultimate),
              numbers('estimateLow', ({ low }) => low),
              numbers('estimateHigh', ({ high }) => high),
            ]
          : []),
      ]
  return [...columns, ...added]
}

/** `812 (760 to 871)`: what a window is expected to come to, and between which it lies with a probability of 95 %. */
export function expectedText({ ultimate, low, high, reason }: Estimate): string {
  if (ultimate === null) return `unknown: ${reason}`
  // No more digits than say something, and as many in all three.
  const digits = Number.isInteger(ultimate) || Math.abs(ultimate) >= 100 ? 0 : Math.abs(ultimate) >= 10 ? 1 : 2
  const figure = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const interval = low === null || high === null ? '' : ` (${figure(low)} to ${figure(high)})`
  return `${figure(ultimate)}${interval}`
}
