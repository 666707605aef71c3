import type { LoadedJob } from '../job/load.ts'
import { fieldsRead } from '../job/reads.ts'
import { returnsOf } from '../job/returns.ts'
import { makeWindowReader, type WindowReader } from '../map/windows.ts'
import { ConfigurationError } from '../model/errors.ts'
import { type ManifestColumn, manifestColumn } from '../model/manifest.ts'
import { orderSlots } from '../model/order.ts'
import type { FoldedLog, GroupPlan, LogPlan } from '../model/plan.ts'
import { isTyped, type LogView, logsOf, sharesOf, type ViewDefinition, type WindowDefinition } from '../model/view.ts'
import { viewOf } from '../plan/layers.ts'
import { makePlan } from '../plan/make-plan.ts'
import { type RowsOfViews, refuseInputs } from '../plan/plan-input.ts'
import type { Disk } from '../storage/store.ts'
import type { Calendar } from '../time/calendar.ts'
import { formatDuration } from '../time/duration.ts'
import { describeWithinWindow } from '../time/lateness.ts'
import { ByteWriter, KeyValueError } from '../view/key-codec.ts'
import {
  keyFields,
  outputSchema,
  type PreparedGroup,
  type PreparedView,
  prepareGroup,
  windowCalendar,
} from '../view/view-set.ts'
import type { TraceOptions } from './key-trace-types.ts'

/** Values of the key columns by name, as `keyBy` gives them; those of a log's own key by the name `key`. */
export type Key = Readonly<Record<string, unknown>>

/** What a trace reads and folds. */
export interface TracePlan {
  readonly files: Disk
  readonly view: ViewDefinition
  /** What is folded: the log's events, or those of several logs together. */
  readonly log: FoldedLog
  readonly traced: PreparedGroup
  /** The view's logs, in the order of their precedence. */
  readonly shares: readonly TraceShare[]
  /** What the windows are of a view with windows. */
  readonly window: TraceWindow | null
  /** The key's columns as they are in the view. */
  readonly key: readonly ManifestColumn[]
}

/** One of the logs of a traced view. It has two views: the one that is traced, and one that takes every event of its key. */
export interface TraceShare {
  readonly files: Disk
  readonly view: LogView
  /** Place of the log in the view's order of logs. */
  readonly member: number
  /** Each row group is a split of its own. */
  readonly log: LogPlan
  /** The log whatever the moments that were asked for. */
  readonly wholeLog: LogPlan
  readonly traced: PreparedGroup
  /** Of a view with windows: what they are, and what finds those of events. */
  readonly window: (TraceWindow & { readonly reader: WindowReader }) | null
  /** Finds the events of a key whatever becomes of them: see `seeker`. */
  seeking(key: Key): PreparedGroup
  /** Slots of the log: fields that the view's handlers read. */
  readonly fields: readonly number[]
}

interface TraceWindow {
  readonly column: string
  readonly calendar: Calendar
}

/**
 * Plans a trace from the logs' footers.
 *
 * @param files Where the logs are.
 * @param rows By view: the part files of its rows; for a view that is made of these.
 * @throws ConfigurationError where the job has no such view.
 */
export function planTrace(job: LoadedJob, options: TraceOptions, files: Disk, rows?: RowsOfViews): TracePlan {
  const view = viewOf(job.name, job.definition.views, options.view)
  if (view.log?.view === undefined)
    refuseInputs(
      options,
      logsOf(view).map(({ name }) => name),
    )
  // A passbook is one key's events one after the other, so states are never combined and always in order.
  const traced: ViewDefinition = { ...view, merge: undefined, orderFree: false }
  const own = sharesOf(view)
  const sought = own.map((share) => seeker(share, () => true))
  const keysOf = new Map(sought.map(({ keyBy }, member) => [keyBy, own[member]!.keyBy]))
  const plan = makePlan({
    job: job.name,
    views: [traced, ...sought],
    inputs: options.inputs,
    rows,
    knownAt: options.knownAt,
    asOf: options.asOf,
    strategy: 'shuffle',
    fieldsRead: (fn, parameter) => fieldsRead(keysOf.get(fn as LogView['keyBy']) ?? fn, parameter),
    returnsOf,
    files,
  })
  const shares = own.map((share, member) =>
    traceShare(plan.logs[member]!, { share, traced, sought: sought[member]!, member }, files),
  )
  const first = shares[0]!
  const [merged] = plan.merged
  const log = merged?.log ?? first.log
  const keys = Object.keys(keyFields(log, view)).length
  return {
    files,
    view,
    log,
    traced: merged === undefined ? first.traced : prepareGroup(log, merged.group, new Map([[view.name, traced]])),
    shares,
    window: first.window,
    key: outputSchema(log, view)
      .slice(0, keys)
      .map(({ name, type }) => manifestColumn(name, type)),
  }
}

interface SharedView {
  readonly share: LogView
  readonly traced: ViewDefinition
  readonly sought: LogView
  readonly member: number
}

function traceShare(plan: LogPlan, { share, traced, sought, member }: SharedView, files: Disk): TraceShare {
  const log = { ...plan, splits: rowGroupsOf(plan) }
  const groupOf = (name: string) => plan.groups.find((group) => group.views.includes(name))!
  const own = groupOf(share.name)
  const { id, key, type, occurredAt, recordedAt, sequence } = log.roles
  const shown = [...id, type, occurredAt, recordedAt, ...orderSlots(own.order)].filter((slot) => slot >= 0)
  const tracedGroup = {
    ...own,
    views: [share.name],
    slots: [...new Set([...own.slots, ...shown])].sort((a, b) => a - b),
  }
  const roles = [...shown, key, sequence]
  return {
    files,
    view: share,
    member,
    log,
    wholeLog: withoutMoments(log),
    window: share.window ? windowAndReader(log, share.window) : null,
    traced: prepareGroup(log, tracedGroup, new Map([[share.name, traced]])),
    seeking: (wanted) => prepareSeeker(log, groupOf(sought.name), share, wanted),
    fields: own.slots.filter((slot) => !roles.includes(slot)),
  }
}

/** One split a row group, so that no more of the log is held at a time. */
function rowGroupsOf(log: LogPlan): LogPlan['splits'] {
  return log.splits.flatMap(({ file, rowGroups, bytes, rows }) =>
    rowGroups.map((rowGroup) => ({
      file,
      rowGroups: [rowGroup],
      rows: rowGroup.rows,
      bytes: rows === 0 ? 0 : Math.round((bytes * rowGroup.rows) / rows),
    })),
  )
}

function windowAndReader(log: LogPlan, window: WindowDefinition): TraceShare['window'] {
  return { column: window.name, calendar: windowCalendar(log, window), reader: makeWindowReader(log, window) }
}

function withoutMoments(log: LogPlan): LogPlan {
  const splits = log.splits.map((split) => ({
    ...split,
    rowGroups: split.rowGroups.map((rowGroup) => ({ ...rowGroup, skipped: false })),
  }))
  return { ...log, splits, knownAt: null, asOf: null }
}

function prepareSeeker(log: LogPlan, group: GroupPlan, view: LogView, wanted: Key): PreparedGroup {
  const { given } = prepareGroup(log, { ...group, views: [view.name] }, new Map([[view.name, view]])).views[0]!
  const names = Object.keys(given)
  const definition = seeker(view, (key) => names.every((name) => (key as Key)[name] === wanted[name]))
  // Nothing of an event travels but its key.
  const bare = { ...group, views: [definition.name], slots: [], order: [] }
  return prepareGroup(log, bare, new Map([[definition.name, definition]]))
}

/**
 * The view without all that keeps events from a key: it takes any type, filters nothing and folds nothing. What its `keyBy`
 * can't take, because no handler would, is of no key.
 *
 * @param isWanted Asked for each key that `keyBy` gives.
 */
function seeker(view: LogView, isWanted: (key: unknown) => boolean): LogView {
  const by = view.keyBy as ((event: unknown) => unknown) | undefined
  const found = (event: unknown) => {
    try {
      const keys = by!(event)
      return (Array.isArray(keys) ? keys : [keys]).find((key) => key !== null && isWanted(key)) ?? null
    } catch {
      return null
    }
  }
  return {
    ...view,
    name: `events of ${view.name} in ${view.log.name}`,
    keyBy: by === undefined ? undefined : found,
    filter: undefined,
    on: { '*': () => {} },
    state: isTyped(view.state) ? {} : view.state,
    unknown: 'filter',
    onError: 'fail',
    merge: undefined,
    window: view.window && { ...view.window, measure: undefined },
    orderFree: true,
    columns: {},
    row: undefined,
  }
}

/** The bytes of a key. @throws ConfigurationError where a value doesn't fit its column. */
export function keyBytes({ traced, window }: TracePlan, key: Key): Uint8Array {
  const [{ codec, name }] = traced.views as readonly [PreparedView]
  const writer = new ByteWriter()
  try {
    if (window !== null) requireWindow(name, window, key)
    codec.write(key, writer)
  } catch (error) {
    if (!(error instanceof KeyValueError || error instanceof RangeError)) throw error
    throw new ConfigurationError(`View ${name} can have no such key: ${error.message.replace(/\.$/, '')}.`)
  }
  return writer.bytes.subarray(0, writer.length)
}

function requireWindow(view: string, { calendar, column }: NonNullable<TracePlan['window']>, key: Key): void {
  const within = describeWithinWindow(calendar, key[column] as number | bigint)
  if (within === null) return
  throw new ConfigurationError(
    `View ${view} can have no such key: windows are of ${formatDuration(calendar.every)}, and ${within}.`,
  )
}
