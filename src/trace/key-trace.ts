import type { LoadedJob } from '../job/load.ts'
import { ConfigurationError } from '../model/errors.ts'
import { type ManifestColumn, manifestColumn } from '../model/manifest.ts'
import type { Progress } from '../model/report.ts'
import { handlerValue, type Key, parseKey, partsOf } from '../read/key-text.ts'
import { programRows, type Row } from '../read/program-rows.ts'
import { declaredConverter, logicalOf } from '../read/values.ts'
import type { Disk } from '../storage/store.ts'
import { outputSchema } from '../view/view-set.ts'
import type { KeyEvent, KeyTrace, KeyTraceStream, StateChange, TraceKeyOptions } from './key-trace-types.ts'
import type { KeyRows, StoredState } from './passbook.ts'
import { planTrace, type TracePlan } from './plan-trace.ts'
import { withSourceRows } from './source-rows.ts'
import type { StoredChange } from './state-changes.ts'
import { drained, openTrace, type TracedEvent } from './trace.ts'

/** Properties of a free-form state beyond this are left out of what is kept of every event, in characters of JSON. */
const PROPERTY_MAX = 1_000

/** Plans a trace and reads the events of the key, which are folded as they are asked for. */
export async function streamKeyTrace(job: LoadedJob, options: TraceKeyOptions, files: Disk): Promise<KeyTraceStream> {
  return await withSourceRows(job, options, files, (rows) => keyStream(planTrace(job, options, files, rows), options))
}

function keyStream(plan: TracePlan, { key, statesMax, wholeStates, onProgress }: TraceKeyOptions): KeyTraceStream {
  const opened = openTrace(plan, wholeKey(plan, key), {
    kept: {
      steps: statesMax ?? Number.POSITIVE_INFINITY,
      characters: wholeStates === true ? Number.POSITIVE_INFINITY : PROPERTY_MAX,
    },
    ...(onProgress !== undefined && { onProgress: progressOf(rowsIn(plan), onProgress) }),
  })
  const columns = outputSchema(plan.log, plan.view).map(({ name, type }) => manifestColumn(name, type))
  return {
    view: plan.view.name,
    log: plan.log.name,
    zone: plan.log.zone,
    columns,
    count: opened.count,
    *events() {
      const going = opened.events()
      let next = going.next()
      for (; !next.done; next = going.next()) yield keyEvent(plan, next.value)
      return rowsOf(columns, next.value)
    },
    outside: opened.outside,
    rowGroups: opened.rowGroups,
  }
}

/** The same, all at once. */
export async function keyTraceOf(job: LoadedJob, options: TraceKeyOptions, files: Disk): Promise<KeyTrace> {
  const { events, count: _count, ...about } = await streamKeyTrace(job, options, files)
  const { items, end } = drained(events())
  return { ...about, events: items, rows: end }
}

/** The key as `keyBy` gives it. */
function wholeKey(plan: TracePlan, key: Key): Readonly<Record<string, unknown>> {
  const view = plan.view.name
  const window = plan.window === null ? null : { column: plan.window.column, zone: plan.window.calendar.zone }
  const parts = partsOf({ view, key: plan.key }, key)
  if (parts.length < plan.key.length) {
    const names = plan.key.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      `View ${view} has the key ${names}: expected ${plan.key.length} values, found ${parts.length}.`,
    )
  }
  const values = parseKey({ view, key: plan.key, window }, parts)
  const { codec } = plan.traced.views[0]!
  return Object.fromEntries(codec.names.map((name, i) => [name, handlerValue(plan.key[i]!, values[i]!)]))
}

function rowsIn({ shares }: TracePlan): number {
  return shares.reduce((sum, { log }) => sum + log.rows, 0)
}

function progressOf(total: number, onProgress: (progress: Progress) => void): (rows: number, bytes: number) => void {
  let done = 0
  let allBytes = 0
  return (rows, bytes) => {
    done += rows
    allBytes += bytes
    onProgress({ stage: 'map', done, total, unit: 'events', bytes: allBytes })
  }
}

function rowsOf(columns: readonly ManifestColumn[], rows: KeyRows): Row[] {
  if (rows.rows === 0) return []
  const named = columns.map(({ name, type, ...rest }, index) => ({
    name,
    type: logicalOf({ kind: type, ...rest }),
    column: rows.columns[index]!,
  }))
  return [...programRows(named, columns.map(asTexts))]
}

/** Bytes and UUIDs become bytes where files are written: until then they are texts. */
function asTexts(column: ManifestColumn): ManifestColumn {
  return column.type === 'bytes' || column.type === 'uuid' ? { ...column, type: 'string' } : column
}

function keyEvent(plan: TracePlan, event: TracedEvent): KeyEvent {
  const { log, fields } = plan.shares[event.member]!
  const { roles, slots } = log
  const convert = (slot: number, value: unknown) =>
    value === null ? null : declaredConverter(slots[slot]!.type)(value)
  const moment = (slot: number, value: unknown) => convert(slot, value) as string | null
  return {
    ...(plan.view.logs !== undefined && { log: log.name }),
    event: event.eventId,
    type: event.type,
    ...(roles.occurredAt < 0 ? {} : { occurredAt: moment(roles.occurredAt, event.occurredAt) }),
    ...(roles.recordedAt < 0 ? {} : { recordedAt: moment(roles.recordedAt, event.recordedAt) }),
    fields: Object.fromEntries(fields.map((slot, i) => [slots[slot]!.name, convert(slot, event.fields[i])])),
    outcome: event.outcome,
    reason: event.reason,
    before: stateValues(plan, event.before),
    after: stateValues(plan, event.after),
    omitted: event.omitted,
    changed: changedNames(plan, event),
    changes: event.changes.listed.map(stateChange),
    moreChanges: event.changes.more,
    place: event.place,
  }
}

function stateChange({ path, before, after }: StoredChange): StateChange {
  const value = declaredConverter({ kind: 'json' })
  return { path, ...(before !== null && { before: value(before) }), ...(after !== null && { after: value(after) }) }
}

function stateValues(plan: TracePlan, state: StoredState | null): Record<string, unknown> | null {
  if (state === null) return null
  const types = plan.traced.views[0]!.state
  const entries = Object.entries(state).map(([name, value]): [string, unknown] => {
    const type = types === undefined ? ({ kind: 'json' } as const) : types[name]!
    return [name, value === null ? null : declaredConverter(type)(value)]
  })
  return Object.fromEntries(entries)
}

function changedNames(plan: TracePlan, { before, after, changes }: TracedEvent): string[] {
  if (before === null || after === null) return []
  if (plan.traced.views[0]!.state === undefined) return [...changes.names]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !Object.is(before[name], after[name]))
}
