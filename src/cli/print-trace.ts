import type { KeyEvent, KeyTrace, Row, StateChange } from '../index.ts'
import { compactJson } from '../read/json.ts'
import { tableCell } from './cells.ts'
import { localFormatter } from './local-moments.ts'
import { formatCount } from './numbers.ts'
import { renderTable, type TableColumn, truncate } from './table.ts'

/** The moments of events as people read them, in the zone of the log. */
function localMoments(moments: readonly (string | null)[], zone: string): string[] {
  const format = localFormatter(
    moments.filter((moment) => moment !== null),
    zone,
  )
  return moments.map((moment) => (moment === null ? '' : format(moment)))
}

/** Longer values are shown without what they were before: that is in the line above. */
const besideMax = 12
/** Of a longer object, in characters of JSON, only what an event changed is shown, */
const objectMax = 80
/** these many places of it, */
const changesMax = 3
/** each value this long. */
const valueMax = 40

/** A line for each event: when it occurred and was recorded, what it brought, and what it changed. */
export function describeEvents({ zone }: Pick<KeyTrace, 'zone'>, events: readonly KeyEvent[], width?: number): string {
  const first = events[0]
  if (first === undefined) return ''
  const moments = (['occurredAt', 'recordedAt'] as const).flatMap((name) => {
    if (events.every((event) => event[name] === undefined)) return []
    const texts = events.map((event) => event[name] ?? null)
    return [{ header: name.slice(0, -'At'.length), cells: localMoments(texts, zone) }]
  })
  const fieldNames = [...new Set(events.flatMap(({ fields }) => Object.keys(fields)))]
  const stateNames = [...new Set(events.flatMap(({ after, omitted }) => [...Object.keys(after ?? {}), ...omitted]))]
  const clashes = new Set(fieldNames.filter((name) => stateNames.includes(name)))
  const columns: TableColumn[] = [
    ...(first.log === undefined ? [] : [{ header: 'log' }]),
    { header: 'event' },
    ...moments.map(({ header }) => ({ header })),
    { header: 'type' },
    ...fieldNames.map((name) => ({
      header: clashes.has(name) ? `e.${name}` : name,
      align: alignOf(events.map(({ fields }) => fields[name])),
    })),
    ...stateNames.map((name) => ({ header: name, align: alignOf(events.map(({ after }) => after?.[name])) })),
    { header: '' },
  ]
  const rows = events.map((event, i) => [
    ...(first.log === undefined ? [] : [event.log!]),
    event.event,
    ...moments.map(({ cells }) => cells[i]!),
    event.type,
    ...fieldNames.map((name) => tableCell(event.fields[name])),
    ...stateNames.map((name) => stateCell(event, name)),
    outcomeCell(event),
  ])
  return renderTable(columns, rows, width)
}

/** The rows that the key is in the view. */
export function describeKeyRows({ columns }: Pick<KeyTrace, 'columns'>, rows: readonly Row[], width?: number): string {
  const headers = columns.map(
    ({ name, type }) => ({ header: name, align: isNumeric(type) ? 'right' : 'left' }) as const,
  )
  const lines = rows.map((row) => columns.map(({ name }) => tableCell(row[name])))
  return renderTable(headers, lines, width)
}

function isNumeric(type: KeyTrace['columns'][number]['type']): boolean {
  return ['int32', 'int64', 'bigint', 'uint64', 'float64', 'decimal'].includes(type)
}

function outcomeCell({ outcome, reason }: KeyEvent): string {
  if (outcome !== 'applied') return `${outcome}: ${reason}`
  return reason === null ? '' : `late: ${reason}`
}

function alignOf(values: readonly unknown[]): 'left' | 'right' {
  const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint'
  return values.some(isNumber) && values.every((value) => value === null || value === undefined || isNumber(value))
    ? 'right'
    : 'left'
}

/** `100 → 70` where the event changed it; of what is too long for a cell only the places that changed. */
function stateCell(event: KeyEvent, name: string): string {
  const { before, after, changed, omitted } = event
  const isLong = omitted.includes(name) || (isObject(after?.[name]) && tableCell(after![name]).length > objectMax)
  if (isLong) return changed.includes(name) ? changesCell(event, name) : ''
  const text = tableCell(after?.[name])
  if (!changed.includes(name)) return text
  const earlier = tableCell(before?.[name])
  return Math.max(earlier.length, text.length) > besideMax ? `→ ${text}` : `${earlier} → ${text}`.trimStart()
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** `[3].sku: "a" → "b", + [7]: {"sku":"c"}` */
function changesCell({ changes, moreChanges }: KeyEvent, name: string): string {
  const own = changes.filter(({ path }) => String(path[0]) === name)
  const texts = own.slice(0, changesMax).map(changeText)
  const more = own.length - texts.length + moreChanges
  return more > 0 ? `${texts.join(', ')} and ${formatCount(more)} more` : texts.join(', ')
}

function changeText({ path, ...values }: StateChange): string {
  const place = path.slice(1).map((step) => (typeof step === 'number' ? `[${step}]` : nameText(step)))
  const at = place.join('').replace(/^\./, '')
  const [before, after] = [values.before, values.after].map((value) => (value === undefined ? '' : clipped(value)))
  if (!('before' in values)) return `+ ${at}: ${after}`
  return 'after' in values ? `${at}: ${before} → ${after}` : `− ${at}: ${before}`
}

function nameText(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function clipped(value: unknown): string {
  return truncate(compactJson(value), valueMax)
}
