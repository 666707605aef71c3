import type { ViewTriangle } from '../read/triangle-file.ts'
import { addedByDelay, type TriangleShape, triangleRows } from '../read/triangle-rows.ts'
import { formatWindow, formatWindowEnd } from '../time/lateness.ts'
import { formatCount, formatCounted, formatPercent } from './numbers.ts'
import { estimateNote, expectedText } from './print-tier.ts'
import { renderTable, type TableColumn } from './table.ts'

/** For people: the triangle, and what it shows of each age. */
export function describeTriangle(read: ViewTriangle, shape: TriangleShape, width?: number): string {
  if (isEmpty(read)) return ''
  const rows = triangleRows(read, shape)
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
  if (windows > 0) notes.push(estimateNote(read.countsEvents ? 'events' : 'measure'))
  const hidden = [
    windows > shape.windows && `--limit ${windows} shows all ${formatCount(windows)} windows`,
    triangle.ages.length > shape.delays &&
      `--delays ${triangle.ages.length} all ${formatCount(triangle.ages.length)} delays`,
  ].filter((text) => text !== false)
  if (hidden.length > 0) notes.push(`${hidden.join(', ')}.`)
  return notes
}
