import { ViewError } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import type { TimeUnit } from '../model/type.ts'
import type { ViewDefinition } from '../model/view.ts'
import type { Batch } from '../scan/event-batch.ts'
import { functionError } from '../scan/places.ts'
import type { Calendar } from '../time/calendar.ts'
import { type BoundSlots, compileWithEvent } from '../view/fold.ts'
import { guarded } from '../view/purity.ts'
import { describeResult, refusePromise } from '../view/results.ts'
import { ValueError } from '../view/runtime.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { addInteger, addNumber, type ExactSum, integersOf, mergeSum, roundSum } from './exact-sum.ts'
import type { BatchWindows } from './windows.ts'

/**
 * The reporting triangle of a view: how many of a window's events, and how much of what is measured, were recorded in
 * the same window, in the next, in the one after that.
 */
export interface TriangleCell extends ExactSum {
  /** As the calendar numbers windows. */
  readonly window: number
  /** Windows from the event's to that in which it was recorded; 0 for those recorded before they occurred. */
  readonly delay: number
  /** Whether its events were recorded after the window's deadline, which may lie within a period. */
  readonly late: boolean
  events: number
}

/** Cells by window, delay and lateness. */
export class Triangle {
  readonly #windows = new Map<number, Map<number, TriangleCell>>()

  cell(window: number, delay: number, late: boolean): TriangleCell {
    const cells = this.#windows.get(window) ?? new Map<number, TriangleCell>()
    if (cells.size === 0) this.#windows.set(window, cells)
    const place = 2 * delay + (late ? 1 : 0)
    const known = cells.get(place)
    if (known !== undefined) return known
    const cell = { window, delay, late, events: 0, whole: 0n, small: 0, parts: null }
    cells.set(place, cell)
    return cell
  }

  add(cells: readonly TriangleCell[]): void {
    for (const from of cells) {
      const into = this.cell(from.window, from.delay, from.late)
      into.events += from.events
      mergeSum(into, from)
    }
  }

  /** Sorted by window and delay, late events after those in time. */
  cells(): TriangleCell[] {
    const cells = [...this.#windows.values()].flatMap((ofWindow) => [...ofWindow.values()])
    return cells.sort((a, b) => a.window - b.window || a.delay - b.delay || Number(a.late) - Number(b.late))
  }
}

/** Adds the events of batches to a triangle. */
export interface TriangleCounter {
  /** @param rows Of events that are for the view, once for each of their keys; those of one event are consecutive. */
  count(batch: Batch, rows: Int32Array, windows: BatchWindows, triangle: Triangle): void
}

export function makeTriangleCounter(log: LogPlan, { plan, views }: PreparedGroup): TriangleCounter {
  const view = views[0]!
  const { measure } = view.definition.window!
  if (measure === undefined) return { count: countEvents }
  const absent = log.slots.filter((_, slot) => !plan.mapSlots.includes(slot)).map((slot) => slot.name)
  const slots = plan.mapSlots.map((slot) => log.slots[slot]!)
  const loop = compileWithEvent(slots, absent, plan.copiesEvents, measureSource, { measure }) as MeasureLoop
  return {
    count(batch, rows, windows, triangle) {
      countEvents(batch, rows, windows, triangle)
      loop.bindColumns(plan.mapSlots.map((slot) => batch.columns[slot]))
      let last = -1
      const add = (row: number, value: unknown) => {
        const cell = triangle.cell(windows.indexes[windows.of[row]!]!, delayOf(windows, row), windows.late?.[row] === 1)
        addMeasure(cell, value)
      }
      const distinct = rows.filter((row) => {
        const isNew = row !== last
        last = row
        return isNew
      })
      try {
        guarded(() => loop.run(distinct, add), view.clock)
      } catch (error) {
        const who = `View ${view.name}, its measure`
        throw functionError({ view: view.name, handler: 'measure' }, who, batch, loop.at(), error)
      }
    },
  }
}

interface MeasureLoop extends BoundSlots {
  run(rows: Int32Array, add: (row: number, value: unknown) => void): void
  at(): number
}

const measureSource = `return {
  bindColumns,
  at() { return p; },
  run(rows, add) { for (let i = 0; i < rows.length; i++) { p = rows[i]; add(p, measure(event)); } },
};`

function addMeasure(cell: TriangleCell, value: unknown): void {
  if (typeof value === 'bigint') cell.whole += value
  else if (Number.isSafeInteger(value)) addInteger(cell, value as number)
  else if (typeof value === 'number' && Number.isFinite(value)) addNumber(cell, value)
  else {
    refusePromise(value)
    throw new ValueError('measure', `expected a number, found ${describeResult(value)}`)
  }
}

function delayOf({ of, indexes, recordedIn }: BatchWindows, row: number): number {
  return Math.max(0, recordedIn[row]! - indexes[of[row]!]!)
}

/** Delays up to this many windows are counted in an array. */
const SHORT_DELAYS = 64

function countEvents(batch: Batch, rows: Int32Array, windows: BatchWindows, triangle: Triangle): void {
  const { of, indexes, recordedIn, late } = windows
  // First those in time, then the late ones, if any.
  const cells = indexes.length * SHORT_DELAYS
  const counts = new Int32Array(late === null ? cells : 2 * cells)
  const { origin } = batch
  let last = -1
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const event = origin === null ? row : origin[row]!
    if (event === last) continue
    last = event
    const window = of[row]!
    const delay = recordedIn[row]! - indexes[window]!
    const isLate = late !== null && late[row] === 1
    if (delay < SHORT_DELAYS) counts[(isLate ? cells : 0) + window * SHORT_DELAYS + (delay < 0 ? 0 : delay)]!++
    else triangle.cell(indexes[window]!, delay, isLate).events++
  }
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] === 0) continue
    const isLate = at >= cells
    const window = indexes[Math.floor((isLate ? at - cells : at) / SHORT_DELAYS)]!
    triangle.cell(window, at % SHORT_DELAYS, isLate).events += counts[at]!
  }
}

/** A triangle as the columns of a file. */
export interface TriangleTable {
  /** Windows as a view's key column has them: days, or moments in this unit. */
  readonly unit: TimeUnit | null
  readonly window: readonly (number | bigint)[]
  readonly delay: readonly number[]
  readonly late: readonly boolean[]
  readonly events: readonly number[]
  /** Integers, where all that was measured are, else numbers. */
  readonly measure: readonly (number | bigint)[]
  readonly isExact: boolean
}

export function triangleTable(calendar: Calendar, view: ViewDefinition, cells: readonly TriangleCell[]): TriangleTable {
  const isExact = cells.every(({ parts }) => parts === null)
  return {
    unit: calendar.keyKind === 'date' ? null : calendar.unit,
    window: cells.map((cell) => calendar.keyOf(cell.window)),
    delay: cells.map((cell) => cell.delay),
    late: cells.map((cell) => cell.late),
    events: cells.map((cell) => cell.events),
    measure: cells.map((cell) =>
      view.window!.measure === undefined ? cell.events : measured(view.name, cell, isExact),
    ),
    isExact,
  }
}

function measured(view: string, cell: TriangleCell, isExact: boolean): number | bigint {
  if (!isExact) return roundSum(cell)
  const sum = integersOf(cell)
  if (BigInt.asIntN(64, sum) === sum) return sum
  throw new ViewError(
    `View ${view}, its measure: expected sums within 64 bits, found ${sum}. Measure in larger units.`,
    { view, handler: 'measure' },
  )
}
