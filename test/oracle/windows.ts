import { Temporal } from 'temporal-polyfill'
import type { LogView } from '../../src/model/view.ts'
import { foldNaively, type PlainEvent } from './naive.ts'

/**
 * What windows, lateness and the watermark come to, said once more in the terms of Temporal: every window is looked up for
 * itself, nothing is counted in bulk. Moments are microseconds.
 */

export interface TimedEvent extends PlainEvent {
  readonly occurredAt: number
  readonly recordedAt: number
  readonly partition: string
}

/** Microseconds since 1970: only events recorded, occurred up to then. */
export interface Moments {
  readonly knownAt?: number | undefined
  readonly asOf?: number | undefined
}

type Row = Record<string, unknown>
type AnyFunction = (...given: unknown[]) => unknown

const epochMonday = Temporal.PlainDate.from('1969-12-29')
const epoch = Temporal.PlainDate.from('1970-01-01')
const dayNumber = (date: Temporal.PlainDate) => epoch.until(date, { largestUnit: 'day' }).days

/** The window of a moment: its key, where it ends, and how many windows lie between it and the first. */
function windowAt(microseconds: number, every: string, zone: string): { key: number; end: number; number: number } {
  const parts = every.split(' ')
  const [count, unit] = parts.length === 1 ? [1, every] : [Number(parts[0]), parts[1]!.replace(/s$/, '')]
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(microseconds / 1000)).toZonedDateTimeISO(zone)
  const today = at.toPlainDate()
  if (unit === 'hour' || unit === 'minute') {
    const length = count * (unit === 'hour' ? 3_600_000_000 : 60_000_000)
    const origin = epoch.toZonedDateTime(zone).epochMilliseconds * 1000
    const number = Math.floor((microseconds - origin) / length)
    return { key: origin + number * length, end: origin + (number + 1) * length, number }
  }
  const midnight = (date: Temporal.PlainDate) => date.toZonedDateTime(zone).epochMilliseconds * 1000
  if (unit === 'month') {
    const months = (today.year - 1970) * 12 + today.month - 1
    const number = Math.floor(months / count)
    const first = epoch.add({ months: number * count })
    return { key: dayNumber(first), end: midnight(first.add({ months: count })), number }
  }
  const length = unit === 'week' ? 7 * count : count
  const origin = unit === 'week' ? epochMonday : epoch
  const number = Math.floor(origin.until(today, { largestUnit: 'day' }).days / length)
  const first = origin.add({ days: number * length })
  return { key: dayNumber(first), end: midnight(first.add({ days: length })), number }
}

/** Days and longer are counted on the zone's calendar. */
function deadline(end: number, lateness: string, zone: string): number {
  const [count, unit] = lateness.split(' ')
  const name = unit!.replace(/s?$/, 's')
  const at = Temporal.Instant.fromEpochMilliseconds(end / 1000)
  return at.toZonedDateTimeISO(zone).add({ [name]: Number(count) }).epochMilliseconds * 1000
}

/** All that was recorded up to this moment is known; undefined where nothing is. */
export function watermark(events: readonly TimedEvent[], knownAt: number | undefined, idleTimeout: number) {
  const newest = new Map<string, number>()
  for (const { partition, recordedAt } of events) {
    if (knownAt === undefined || recordedAt <= knownAt)
      newest.set(partition, Math.max(recordedAt, newest.get(partition) ?? recordedAt))
  }
  const all = [...newest.values()]
  return all.length === 0 ? undefined : Math.max(Math.min(...all), Math.max(...all) - idleTimeout)
}

/** Rows with what windows add; counters; late events' ids; and the triangle by window, delay and lateness. */
export function foldWindowsNaively(
  view: LogView,
  events: readonly TimedEvent[],
  { knownAt, asOf }: Moments,
  idleTimeout: number,
) {
  const { name, every, zone, allowedLateness, late: policy } = view.window!
  const windowOf = (event: TimedEvent) => windowAt(event.occurredAt, every, zone)
  const isLate = (event: TimedEvent) => event.recordedAt > deadline(windowOf(event).end, allowedLateness, zone)
  const given = (view.keyBy ?? (() => ({}))) as AnyFunction
  const keysOf = (event: TimedEvent) => {
    if (view.filter !== undefined && !(view.filter as AnyFunction)(event)) return []
    return [given(event) ?? []].flat().map((key) => ({ [name]: windowOf(event).key, ...(key as Row) }))
  }
  const isFor = (event: TimedEvent) => (view.on[event.type] ?? view.on['*']) !== undefined && keysOf(event).length > 0
  const known = events.filter(
    (event) =>
      (knownAt === undefined || event.recordedAt <= knownAt) && (asOf === undefined || event.occurredAt <= asOf),
  )
  const unique = [...new Map(known.map((event) => [event.id, event])).values()]
  const late = unique.filter((event) => isFor(event) && isLate(event))
  const applied = policy === 'apply' ? unique : unique.filter((event) => !late.includes(event))
  const inner = {
    ...view,
    window: undefined,
    key: { [name]: { kind: 'int64', nullable: false }, ...view.key },
    keyBy: (event: TimedEvent) => keysOf(event),
    filter: undefined,
  } as unknown as LogView
  const folded = foldNaively(inner, applied)
  const through = watermark(events, knownAt, idleTimeout)
  const keyText = (row: Row) => JSON.stringify([name, ...Object.keys(view.key ?? {})].map((column) => row[column]))
  const lateOf = new Map<string, number>()
  for (const event of late)
    for (const key of new Set(keysOf(event).map(keyText))) lateOf.set(key, (lateOf.get(key) ?? 0) + 1)
  const rows = folded.rows.map((row) => {
    const { end } = windowEnding(row[name] as number, every, zone)
    const status = through !== undefined && through > deadline(end, allowedLateness, zone) ? 'final' : 'provisional'
    return { ...row, status, knownThrough: through, lateEvents: lateOf.get(keyText(row)) ?? 0 }
  })
  const all = new Set(events.map((event) => event.id)).size
  const counters = {
    read: events.length,
    applied: folded.counters.applied,
    late: policy === 'apply' ? 0 : late.length,
    duplicate: events.length - all,
    quarantined: 0,
  }
  const filtered = counters.read - counters.applied - counters.late - counters.duplicate
  return {
    rows,
    counters: { ...counters, filtered },
    order: folded.order,
    late: policy === 'apply' ? [] : late.map((event) => event.id),
    triangle: triangleOf(view, unique.filter(isFor), isLate),
  }
}

/** The window with a key: that of its first moment. */
function windowEnding(key: number, every: string, zone: string) {
  const isExact = /hour|minute/.test(every)
  const first = isExact ? key : epoch.add({ days: key }).toZonedDateTime(zone).epochMilliseconds * 1000
  return windowAt(first, every, zone)
}

function triangleOf(view: LogView, events: readonly TimedEvent[], isLate: (event: TimedEvent) => boolean) {
  const { every, zone, measure } = view.window!
  const cells = new Map<string, { window: number; delay: number; late: boolean; events: number; measure: number }>()
  for (const event of events) {
    const window = windowAt(event.occurredAt, every, zone)
    const delay = Math.max(0, windowAt(event.recordedAt, every, zone).number - window.number)
    const late = isLate(event)
    const name = `${window.key} ${delay} ${late}`
    const cell = cells.get(name) ?? { window: window.key, delay, late, events: 0, measure: 0 }
    cell.events++
    cell.measure += measure === undefined ? 1 : Number((measure as AnyFunction)(event))
    cells.set(name, cell)
  }
  return [...cells.values()].sort((a, b) => a.window - b.window || a.delay - b.delay || Number(a.late) - Number(b.late))
}
