import { columnFromValues } from '../columns/from-values.ts'
import { date, float64, int32, nullable, timestamp } from '../model/types.ts'
import { formatWindow, formatWindowEnd } from '../time/lateness.ts'
import type { Estimate, WindowAmounts } from '../time/triangle.ts'
import type { NamedColumn } from './arrow.ts'
import { formatCount, formatCounted, formatPercent } from './numbers.ts'
import { logicalOf } from './print-trace.ts'
import { renderTable, type TableColumn } from './table.ts'
import { expectedText } from './tier.ts'
import { estimateIn, type ViewTriangle } from './triangle-file.ts'
import type { FoundView } from './view-files.ts'

/** Which part of a triangle is shown, and how. */
export interface TriangleShape {
  /** What each delay added, instead of all up to it. */
  readonly incremental: boolean
  readonly windows: number
  readonly delays: number
}

/** A window's row: amounts by delay, null where the delay isn't observed yet. */
interface TriangleRow {
  readonly window: number
  readonly amounts: readonly (number | null)[]
  readonly estimate: Estimate
}

function rowsOf(read: ViewTriangle, shape: TriangleShape): TriangleRow[] {
  const { triangle } = read
  const windows = [...triangle.windows.values()]
  const delays = Math.min(shape.delays, delaysOf(triangle.ages.length))
  return windows.slice(Math.max(0, windows.length - shape.windows)).map((amounts) => ({
    window: amounts.window,
    amounts: amountsByDelay(amounts, triangle.last - amounts.window, delays, shape.incremental),
    estimate: estimateIn(read, amounts.window),
  }))
}

function delaysOf(ages: number): number {
  return Math.max(1, ages)
}

function amountsByDelay(
  { added }: WindowAmounts,
  age: number,
  delays: number,
  incremental: boolean,
): (number | null)[] {
  const byDelay = new Map(added.map((one) => [one.age, one.amount]))
  let sum = 0
  return Array.from({ length: delays }, (_, delay) => {
    if (delay > age) return null
    const amount = byDelay.get(delay) ?? 0
    sum += amount
    return incremental ? amount : sum
  })
}

/** Of all that is in the triangle, what came with each delay. */
function addedByDelay({ triangle }: ViewTriangle): readonly number[] {
  const added = new Array<number>(delaysOf(triangle.ages.length)).fill(0)
  for (const window of triangle.windows.values()) {
    for (const { age, amount } of window.added) added[age] = (added[age] ?? 0) + amount
  }
  return added
}

/** For people: the triangle, and what it shows of each age. */
export function describeTriangle(read: ViewTriangle, shape: TriangleShape, width?: number): string {
  if (isEmpty(read)) return ''
  const rows = rowsOf(read, shape)
  const right = 'right' as const
  const delays = rows[0]?.amounts.length ?? 0
  const columns: TableColumn[] = [
    { header: 'window' },
    ...Array.from({ length: delays }, (_, delay) => ({
      header: shape.incremental ? `+${delay}` : `to +${delay}`,
      align: right,
    })),
    { header: 'known', align: right },
    { header: 'complete', align: right },
    { header: 'expected' },
  ]
  const lines = rows.map(({ window, amounts, estimate }) => [
    formatWindow(read.calendar, window),
    ...amounts.map((amount) => (amount === null ? '' : amountText(amount))),
    amountText(estimate.known),
    estimate.completeness === null ? '' : formatPercent(estimate.completeness),
    expectedText(estimate),
  ])
  return `${renderTable(columns, lines, width)}\n${describeAges(read, shape, width)}`
}

function describeAges(read: ViewTriangle, { delays }: TriangleShape, width?: number): string {
  const added = addedByDelay(read)
  const total = added.reduce((sum, amount) => sum + amount, 0)
  const right = 'right' as const
  const columns: TableColumn[] = [
    { header: 'delay', align: right },
    { header: read.counted === 'events' ? 'events' : 'reported', align: right },
    { header: 'share', align: right },
    { header: 'complete', align: right },
    { header: 'grows by', align: right },
    { header: 'windows', align: right },
  ]
  const lines = read.triangle.ages
    .slice(0, delays)
    .map(({ age, factor, completeness, windows }) => [
      `+${age}`,
      amountText(added[age] ?? 0),
      total === 0 ? '' : formatPercent((added[age] ?? 0) / total),
      completeness === null ? '' : formatPercent(completeness),
      factor === null ? '' : `× ${factor.toFixed(3)}`,
      factor === null ? '' : formatCount(windows),
    ])
  return renderTable(columns, lines, width)
}

function amountText(amount: number): string {
  return Number.isInteger(amount) ? formatCount(amount) : String(Number(amount.toPrecision(6)))
}

/** No event is known at all, so that no period was ever observed. */
function isEmpty({ triangle }: ViewTriangle): boolean {
  return !Number.isFinite(triangle.last)
}

/** What the tables leave out. */
export function triangleNotes(read: ViewTriangle, shape?: TriangleShape): string[] {
  const { triangle, calendar, beyond, counted, refused } = read
  const notes: string[] = []
  const windows = triangle.windows.size
  if (isEmpty(read)) return ['No event of the log is known, so there is no triangle.']
  const through = formatWindowEnd(calendar, triangle.last)
  if (windows === 0) notes.push(`Nothing was recorded of any window through ${through}.`)
  else
    notes.push(
      `Observed through ${through}; windows are every ${calendar.every.count === 1 ? calendar.every.unit : `${calendar.every.count} ${calendar.every.unit}s`} in ${calendar.zone}.`,
    )
  if (beyond !== 0) {
    const what = counted === 'events' ? formatCounted(beyond, 'event') : `An amount of ${amountText(beyond)}`
    const verb = counted === 'events' && beyond !== 1 ? 'are' : 'is'
    notes.push(`${what}, recorded in a period that isn't observed to its end, ${verb} left out.`)
  }
  if (refused > 0) {
    const verb = refused === 1 ? 'is' : 'are'
    notes.push(`${formatCounted(refused, 'late event')}, which the view refused, ${verb} left out.`)
  }
  if (shape === undefined) return notes
  const hidden = [
    windows > shape.windows && `--limit ${windows} shows all ${formatCount(windows)} windows`,
    triangle.ages.length > shape.delays &&
      `--delays ${triangle.ages.length} all ${formatCount(triangle.ages.length)} delays`,
  ].filter((text) => text !== false)
  if (hidden.length > 0) notes.push(`${hidden.join(', ')}.`)
  return notes
}

/** A row for each window: its amounts by delay, and what is expected of it. */
export function triangleColumns(read: ViewTriangle, shape: TriangleShape): NamedColumn[] {
  const { calendar, triangle } = read
  const rows = rowsOf(read, shape)
  const windowType = calendar.keyKind === 'date' ? date() : timestamp(calendar.unit as 'us')
  const number = (name: string, values: readonly (number | null)[]): NamedColumn => ({
    name,
    type: { kind: 'float', bits: 64 },
    column: columnFromValues(nullable(float64()), values),
  })
  const ofEstimate = (name: string, of: (estimate: Estimate) => number | null) =>
    number(
      name,
      rows.map(({ estimate }) => of(estimate)),
    )
  const delays = Math.min(shape.delays, delaysOf(triangle.ages.length))
  return [
    {
      name: 'window',
      type: logicalOf(windowType),
      column: columnFromValues(
        windowType,
        rows.map(({ window }) => calendar.keyOf(window)),
        'handler',
      ),
    },
    {
      name: 'age',
      type: logicalOf(int32()),
      column: columnFromValues(
        int32(),
        rows.map(({ estimate }) => estimate.age),
      ),
    },
    ofEstimate('known', ({ known }) => known),
    ofEstimate('completeness', ({ completeness }) => completeness),
    ofEstimate('estimate', ({ ultimate }) => ultimate),
    ofEstimate('estimateLow', ({ low }) => low),
    ofEstimate('estimateHigh', ({ high }) => high),
    ...Array.from({ length: delays }, (_, delay) =>
      number(
        `delay${delay}`,
        rows.map(({ amounts }) => amounts[delay] ?? null),
      ),
    ),
  ]
}

/** All there is, as one object. */
export function triangleForMachines({ manifest }: FoundView, read: ViewTriangle, shape: TriangleShape): object {
  const { calendar, triangle, counted, beyond, refused } = read
  const added = addedByDelay(read)
  return {
    view: manifest.view,
    ...{ counted, incremental: shape.incremental },
    every: manifest.window?.every,
    zone: calendar.zone,
    knownThrough: manifest.window?.watermark,
    observedThrough: triangle.windows.size === 0 ? null : formatWindowEnd(calendar, triangle.last),
    leftOut: beyond,
    lateLeftOut: refused,
    windows: rowsOf(read, shape).map(({ window, amounts, estimate }) => ({
      window: formatWindow(calendar, window),
      age: estimate.age,
      known: estimate.known,
      completeness: estimate.completeness,
      estimate: estimate.ultimate,
      estimateLow: estimate.low,
      estimateHigh: estimate.high,
      standardError: estimate.standardError,
      reason: estimate.reason,
      amounts: amounts.filter((amount) => amount !== null),
    })),
    ages: triangle.ages.slice(0, shape.delays).map((age) => ({ ...age, reported: added[age.age] ?? 0 })),
  }
}
