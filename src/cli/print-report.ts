import type { RebuildReport, ViewReport } from '../model/report.ts'
import { formatBytes, formatCount, formatCounted, formatSeconds, formatShort } from './numbers.ts'
import { renderTable, type TableColumn } from './table.ts'

const columns: readonly (TableColumn & { of(view: ViewReport): string })[] = [
  { header: 'view', of: ({ view }) => view },
  { header: 'outcome', of: ({ outcome }) => outcome },
  { header: 'generation', of: ({ generation }) => generation },
  { header: 'rows', align: 'right', of: ({ rows }) => formatCount(rows) },
  { header: 'keys', align: 'right', of: ({ keys }) => formatCount(keys) },
  { header: 'size', align: 'right', of: ({ bytes }) => formatBytes(bytes) },
  ...(['read', 'applied', 'filtered', 'duplicate', 'late', 'quarantined'] as const).map((counter) => ({
    header: counter,
    align: 'right' as const,
    of: ({ counters }: ViewReport) => formatCount(counters[counter]),
  })),
]

/** What a rebuild did, for people: a line for each view, and one for the whole. */
export function describeReport(report: RebuildReport, width?: number): string {
  const rows = report.views.map((view) => columns.map((column) => column.of(view)))
  const { seconds, events, bytesRead, workers, stages } = report
  const speed = seconds > 0 ? ` (${formatShort(events / seconds)} events/s, ${formatBytes(bytesRead / seconds)}/s)` : ''
  const times = stages.map(({ stage, seconds }) => `${stage} ${formatSeconds(seconds)}`).join(', ')
  const threads = workers === 0 ? 'the main thread' : formatCounted(workers, 'worker')
  const told = report.notes.map((note) => `${note}\n`).join('')
  return `${renderTable(columns, rows, width)}
${told}${formatCounted(events, 'event')} in ${formatSeconds(seconds)}${speed} on ${threads}${times === '' ? '' : `: ${times}`}
`
}
