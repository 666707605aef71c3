import type { LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import type { StoredState } from '../trace/passbook.ts'
import type { TracePlan } from '../trace/plan-trace.ts'
import type { Outcome, Trace, TracedEvent } from '../trace/trace.ts'
import { outputSchema } from '../view/view-set.ts'
import type { NamedColumn } from './arrow.ts'
import { localFormatter } from './local-moments.ts'
import { renderTable, type TableColumn } from './table.ts'
import { cellText, converterOf } from './values.ts'

/** What a value of a declared type means, as far as printing it goes. */
export function logicalOf({ kind, unit = 'us', precision = 18, scale = 0 }: Type): LogicalType {
  switch (kind) {
    case 'int32':
      return { kind: 'int', bits: 32, signed: true }
    case 'int64':
    case 'bigint':
      return { kind: 'int', bits: 64, signed: true }
    case 'float64':
      return { kind: 'float', bits: 64 }
    case 'timestamp':
      return { kind: 'timestamp', unit, utc: true }
    case 'decimal':
      return { kind: 'decimal', precision, scale }
    default:
      return { kind }
  }
}

/** A traced event with its values as JSON has them. */
export interface PrintedEvent {
  readonly event: string
  readonly type: string
  readonly occurredAt?: unknown
  readonly recordedAt?: unknown
  readonly fields: Readonly<Record<string, unknown>>
  readonly outcome: Outcome
  readonly reason: string | null
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  /** Columns of the state that the event changed. */
  readonly changed: readonly string[]
  readonly place: TracedEvent['place']
}

export function printedEvents(plan: TracePlan, events: readonly TracedEvent[]): PrintedEvent[] {
  const { roles, slots } = plan.log
  const convert = (slot: number, value: unknown) =>
    value === null ? null : converterOf(logicalOf(slots[slot]!.type))(value)
  return events.map((event) => ({
    event: event.eventId,
    type: event.type,
    ...(roles.occurredAt < 0 ? {} : { occurredAt: convert(roles.occurredAt, event.occurredAt) }),
    ...(roles.recordedAt < 0 ? {} : { recordedAt: convert(roles.recordedAt, event.recordedAt) }),
    fields: Object.fromEntries(plan.fields.map((slot, i) => [slots[slot]!.name, convert(slot, event.fields[i])])),
    outcome: event.outcome,
    reason: event.reason,
    before: stateValues(plan, event.before),
    after: stateValues(plan, event.after),
    changed: changedNames(event),
    place: event.place,
  }))
}

function stateValues(plan: TracePlan, state: StoredState | null): Record<string, unknown> | null {
  if (state === null) return null
  const types = plan.traced.views[0]!.state
  const entries = Object.entries(state).map(([name, value]): [string, unknown] => {
    const type = types === undefined ? ({ kind: 'json' } as const) : logicalOf(types[name]!)
    return [name, value === null ? null : converterOf(type)(value)]
  })
  return Object.fromEntries(entries)
}

function changedNames({ before, after }: TracedEvent): string[] {
  if (before === null || after === null) return []
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !Object.is(before[name], after[name]))
}

/** The rows of the view that the key became. */
export function printedColumns(plan: TracePlan, { rows }: Trace): NamedColumn[] {
  return outputSchema(plan.log, plan.view).map(({ name, type }, index) => ({
    name,
    type: logicalOf(type),
    column: rows.columns[index]!,
  }))
}

/** The moments of events as people read them, in the zone of the log. */
function localMoments({ log }: TracePlan, slot: number, values: readonly unknown[]): string[] {
  if (slot < 0) return []
  const moments = values.filter((value) => value !== null).map((value) => BigInt(value as bigint))
  const format = localFormatter(moments, log.timeUnit, log.zone)
  return values.map((value) => (value === null ? '' : format(BigInt(value as bigint))))
}

/** Longer values are shown without what they were before: that stands in the line above. */
const besideMax = 12

/** A line for each event: when it occurred and was recorded, what it brought, and what it changed. */
export function describeEvents(plan: TracePlan, traced: readonly TracedEvent[], width?: number): string {
  const events = printedEvents(plan, traced)
  const first = events[0]
  if (first === undefined) return ''
  const { occurredAt, recordedAt } = plan.log.roles
  const occurred = localMoments(
    plan,
    occurredAt,
    traced.map((event) => event.occurredAt),
  )
  const recorded = localMoments(
    plan,
    recordedAt,
    traced.map((event) => event.recordedAt),
  )
  const fieldNames = Object.keys(first.fields)
  const stateNames = [...new Set(events.flatMap(({ after }) => Object.keys(after ?? {})))]
  const clashes = new Set(fieldNames.filter((name) => stateNames.includes(name)))
  const columns: TableColumn[] = [
    { header: 'event' },
    ...(occurredAt < 0 ? [] : [{ header: 'occurred' }]),
    ...(recordedAt < 0 ? [] : [{ header: 'recorded' }]),
    { header: 'type' },
    ...fieldNames.map((name) => ({
      header: clashes.has(name) ? `e.${name}` : name,
      align: alignOf(events.map(({ fields }) => fields[name])),
    })),
    ...stateNames.map((name) => ({ header: name, align: alignOf(events.map(({ after }) => after?.[name])) })),
    { header: '' },
  ]
  const rows = events.map((event, i) => [
    event.event,
    ...(occurredAt < 0 ? [] : [occurred[i]!]),
    ...(recordedAt < 0 ? [] : [recorded[i]!]),
    event.type,
    ...fieldNames.map((name) => cellText(event.fields[name])),
    ...stateNames.map((name) => stateCell(event, name)),
    outcomeCell(event),
  ])
  return renderTable(columns, rows, width)
}

function outcomeCell({ outcome, reason }: PrintedEvent): string {
  if (outcome !== 'applied') return `${outcome}: ${reason}`
  return reason === null ? '' : `late: ${reason}`
}

function alignOf(values: readonly unknown[]): 'left' | 'right' {
  const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint'
  return values.some(isNumber) && values.every((value) => value === null || value === undefined || isNumber(value))
    ? 'right'
    : 'left'
}

/** `100 → 70` where the event changed it. */
function stateCell({ before, after, changed }: PrintedEvent, name: string): string {
  const text = cellText(after?.[name])
  if (!changed.includes(name)) return text
  const earlier = cellText(before?.[name])
  return Math.max(earlier.length, text.length) > besideMax ? `→ ${text}` : `${earlier} → ${text}`.trimStart()
}
