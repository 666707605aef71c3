/** The reporting triangle of a view as rows, a window each. */
import { columnFromValues } from '../columns/from-values.ts'
import { date, int32, timestamp } from '../model/types.ts'
import type { Age, WindowAmounts } from '../time/chain-ladder.ts'
import type { Estimate } from '../time/estimate.ts'
import { formatWindow, formatWindowEnd } from '../time/lateness.ts'
import { type NamedColumn, numberColumn } from './named-column.ts'
import { type Counted, estimateIn, type ViewTriangle } from './triangle-file.ts'
import { logicalOf } from './values.ts'
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

export function triangleRows(read: ViewTriangle, shape: TriangleShape): TriangleRow[] {
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
export function addedByDelay({ triangle }: ViewTriangle): readonly number[] {
  const added = new Array<number>(delaysOf(triangle.ages.length)).fill(0)
  for (const window of triangle.windows.values()) {
    for (const { age, amount } of window.added) added[age] = (added[age] ?? 0) + amount
  }
  return added
}

/** A row for each window: its amounts by delay, and what is expected of it. */
export function triangleColumns(read: ViewTriangle, shape: TriangleShape): NamedColumn[] {
  const { calendar, triangle } = read
  const rows = triangleRows(read, shape)
  const windowType = calendar.keyKind === 'date' ? date() : timestamp(calendar.unit as 'us')
  const ofEstimate = (name: string, of: (estimate: Estimate) => number | null) =>
    numberColumn(
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
    ofEstimate('pastEstimates', ({ past }) => past?.compared ?? null),
    ofEstimate('pastHeld', ({ past }) => past?.held ?? null),
    ...Array.from({ length: delays }, (_, delay) =>
      numberColumn(
        `delay${delay}`,
        rows.map(({ amounts }) => amounts[delay] ?? null),
      ),
    ),
  ]
}

/** How much of each window was reported with which delay, and what is still to be expected. */
export interface TriangleReport {
  readonly view: string
  readonly counted: Counted
  readonly incremental: boolean
  /** The windows' length as it was declared, `day` or `6 hours`, and the zone they begin in. */
  readonly every: string
  readonly zone: string
  /** Up to when all is taken to be known, ISO 8601; null where nothing is. */
  readonly knownThrough: string | null
  /** The last day, or the end of the last window, that is wholly observed; null where nothing is. */
  readonly observedThrough: string | null
  /** What was recorded in a period that isn't observed to its end. */
  readonly leftOut: number
  /** Late events that the view refused. */
  readonly lateLeftOut: number
  /** In their order. */
  readonly windows: readonly TriangleWindow[]
  /** By delay, from 0 on: what was reported with it in all, and how much of a window is known by then. */
  readonly ages: readonly (Age & { readonly reported: number })[]
}

export interface TriangleWindow {
  /** Its first day, or the moment at which it begins on the zone's clocks. */
  readonly window: string
  /** Windows that were wholly observed since. */
  readonly age: number
  readonly known: number
  /** The share of its final amount that is known; null where it is unknown. */
  readonly completeness: number | null
  /** The expected final figure, and the bounds between which it lies with a probability of 95 %; null where nothing is expected. */
  readonly estimate: number | null
  readonly estimateLow: number | null
  readonly estimateHigh: number | null
  readonly standardError: number | null
  /**
   * How many estimates of windows of this age were made in the past, as far as enough is known since to compare them, and how
   * many of their intervals held; null where nothing is expected or none can be compared.
   */
  readonly pastEstimates: number | null
  readonly pastHeld: number | null
  /** Why nothing can be expected; null where it can. */
  readonly reason: string | null
  /** By delay: all that was known by then, or what it added. */
  readonly amounts: readonly number[]
}

/** All there is, as one object. */
export function triangleReport({ manifest }: FoundView, read: ViewTriangle, shape: TriangleShape): TriangleReport {
  const { calendar, triangle, counted, beyond, refused } = read
  const added = addedByDelay(read)
  return {
    view: manifest.view,
    ...{ counted, incremental: shape.incremental },
    every: manifest.window!.every,
    zone: calendar.zone,
    knownThrough: manifest.window!.watermark,
    observedThrough: triangle.windows.size === 0 ? null : formatWindowEnd(calendar, triangle.last),
    leftOut: beyond,
    lateLeftOut: refused,
    windows: triangleRows(read, shape).map(({ window, amounts, estimate }) => ({
      window: formatWindow(calendar, window),
      age: estimate.age,
      known: estimate.known,
      completeness: estimate.completeness,
      estimate: estimate.ultimate,
      estimateLow: estimate.low,
      estimateHigh: estimate.high,
      standardError: estimate.standardError,
      pastEstimates: estimate.past?.compared ?? null,
      pastHeld: estimate.past?.held ?? null,
      reason: estimate.reason,
      amounts: amounts.filter((amount) => amount !== null),
    })),
    ages: triangle.ages.slice(0, shape.delays).map((age) => ({ ...age, reported: added[age.age] ?? 0 })),
  }
}
