import type { ColumnEntry, FilesReport } from '../inspect/inspect-files.ts'
import type { Delay, Range, SequenceSurvey, SurveyProgress } from '../inspect/survey.ts'
import type { LogEvents } from '../inspect/survey-job.ts'
import type { TimeUnit } from '../model/type.ts'
import { formatTimestamp } from '../read/values.ts'
import { tableCell } from './cells.ts'
import { localFormatter } from './local-moments.ts'
import { formatBytes, formatCount, formatCounted, formatSeconds } from './numbers.ts'
import { describeOrder, orderNotes, scopeNote } from './print-order.ts'
import { renderTable, truncate } from './table.ts'

const filesShown = 10
const valuesShown = 8
const boundWidth = 28

/** What the footers say, for people. */
export function describeFiles(report: FilesReport, width?: number): string {
  const { files, rows, bytes, rowGroups, partitions, codecs, writers } = report
  const lines = [
    `${report.name}: ${formatCounted(files.length, 'file')}, ${formatCount(rows)} rows in ${formatCounted(rowGroups, 'row group')}, ${formatBytes(bytes)}`,
    `  codecs ${codecs.join(', ') || 'none'}; written by ${enumerate(writers, 3) || 'unknown'}`,
    ...partitions.map(({ name, values }) => `  partitioned by ${name}: ${enumerate(values, valuesShown)}`),
  ]
  const fileRows = files
    .slice(0, filesShown)
    .map((file) => [file.path, formatCount(file.rows), formatCount(file.rowGroups), formatBytes(file.bytes)])
  const right = 'right' as const
  const fileTable = renderTable(
    [
      { header: 'file' },
      { header: 'rows', align: right },
      { header: 'row groups', align: right },
      { header: 'size', align: right },
    ],
    fileRows,
    width,
  )
  const more = files.length > filesShown ? `… and ${formatCounted(files.length - filesShown, 'more file')}\n` : ''
  return `${lines.join('\n')}\n\n${fileTable}${more}\n${describeColumns(report.columns, width)}${describeDrift(report)}`
}

function describeColumns(columns: readonly ColumnEntry[], width?: number): string {
  const right = 'right' as const
  return renderTable(
    [
      { header: 'column' },
      { header: 'type' },
      { header: 'nulls', align: right },
      { header: 'size', align: right },
      { header: 'smallest' },
      { header: 'largest' },
    ],
    columns.map((column) => [
      column.name,
      column.types.join(' or '),
      column.nulls === null ? '?' : formatCount(column.nulls),
      formatBytes(column.bytes),
      truncate(tableCell(column.min), boundWidth).trimEnd(),
      truncate(tableCell(column.max), boundWidth).trimEnd(),
    ]),
    width,
  )
}

function describeDrift({ columns, files }: FilesReport): string {
  const lines: string[] = []
  for (const { name, types, missingIn, otherIn } of columns) {
    if (missingIn.length > 0) {
      lines.push(
        `  ${name} is missing in ${missingIn.length} of ${formatCounted(files.length, 'file')}: ${enumerate(missingIn, 3)}`,
      )
    }
    if (otherIn.length > 0)
      lines.push(`  ${name} is ${types[0]}, but ${types.slice(1).join(', ')} in ${enumerate(otherIn, 3)}`)
  }
  return lines.length === 0 ? '\nall files have the same columns\n' : `\nfiles differ:\n${lines.join('\n')}\n`
}

/** What the events are like, for people. */
export function describeSurveys(surveys: readonly LogEvents[], width?: number): string {
  return surveys.map((survey) => `${describeSurvey(survey, width)}${describeViews(survey, width)}`).join('\n')
}

/** How the events of each view are ordered, and what there is to declare. */
function describeViews(survey: LogEvents, width?: number): string {
  const { views } = survey
  const scope = scopeNote(survey)
  const about = scope === null ? '' : `\n${scope}\n`
  if (views.length === 0) return about
  const rows = views.map(({ view, order, problem }) => [
    view,
    order === null ? `not found: ${problem}` : describeOrder(order),
  ])
  const notes = views.flatMap(({ view, order }) => (order === null ? [] : orderNotes(view, order)))
  const table = renderTable([{ header: 'view' }, { header: 'order of events' }], rows, width)
  return `${about}\n${table}${notes.map((note) => `\n${note}\n`).join('')}`
}

function describeSurvey({ log, zone, events: survey }: LogEvents, width?: number): string {
  const facts: (readonly [string, string])[] = [['events', formatCount(survey.events)]]
  if (survey.occurredAt !== null) facts.push(['occurred', describeRange(survey.occurredAt, zone)])
  if (survey.recordedAt !== null) facts.push(['recorded', describeRange(survey.recordedAt, zone)])
  if (survey.progress !== null) facts.push(['complete', describeProgress(survey.progress, zone)])
  if (survey.ahead !== null) facts.push(['clock', survey.ahead])
  if (survey.outOfOrder !== null) {
    const { events, files } = survey.outOfOrder
    const found = `${formatCounted(events, 'event')} in ${formatCounted(files, 'file')} ${events === 1 ? 'was' : 'were'} recorded before the one in front of ${events === 1 ? 'it' : 'them'}`
    facts.push(['order', events === 0 ? 'each file is in the order of recording' : found])
  }
  if (survey.sequence !== null) facts.push(['sequence', describeSequence(survey.sequence)])
  facts.push([
    'duplicates',
    survey.duplicates === 0 ? 'none' : `${formatCounted(survey.duplicates, 'event')} beyond the first of their id`,
  ])
  if (survey.delay !== null) facts.push(['delay', describeDelay(survey.delay)])
  const label = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(([name, fact]) => `  ${name.padEnd(label)}  ${fact}\n`).join('')
  const types = renderTable(
    [{ header: 'type' }, { header: 'events', align: 'right' }],
    survey.types.map(({ type, events }) => [type, formatCount(events)]),
    width,
  )
  return `events of ${log}\n${lines}\n${types}`
}

/** As days where the log knows no times of day. */
function describeRange({ min, max, unit }: Range, zone: string): string {
  const texts = [min, max].map((moment) => formatTimestamp(moment, unit, true))
  const [from, to] = texts.map(localFormatter(texts, zone))
  return `from ${from} to ${to}`
}

function describeProgress({ watermark, unit, heldBackBy }: SurveyProgress, zone: string): string {
  const text = formatTimestamp(watermark, unit, true)
  const by = heldBackBy === null ? '' : `, held back by partition ${heldBackBy}`
  return `up to ${localFormatter([text], zone)(text)}${by}`
}

function describeSequence({ scope, missing, repeated, streams }: SequenceSurvey): string {
  const through =
    scope === 'log' ? 'counts through the log' : `counts through each of ${formatCounted(streams, 'stream')}`
  const gaps = missing === 0 ? 'without gaps' : `${formatCounted(missing, 'number')} missing`
  return `${through}, ${gaps}${repeated === 0 ? '' : `, ${formatCounted(repeated, 'number')} repeated`}`
}

const secondsOf: Readonly<Record<TimeUnit, number>> = { ms: 1e-3, us: 1e-6, ns: 1e-9 }

function describeDelay({ unit, negative, quantiles }: Delay): string {
  const shown = quantiles.map(({ quantile, delay }) => {
    const name = quantile === 0 ? 'least' : quantile === 1 ? 'most' : `${quantile * 100} %`
    return `${name} ${delay < 0 ? '−' : ''}${formatSeconds(Math.abs(delay) * secondsOf[unit])}`
  })
  return `${shown.join(', ')}${negative === 0 ? '' : `; ${formatCounted(negative, 'event')} recorded before they occurred`}`
}

function enumerate(items: readonly string[], shown: number): string {
  const rest = items.length - shown
  return rest > 0 ? `${items.slice(0, shown).join(', ')} and ${formatCount(rest)} more` : items.join(', ')
}
