import { firstOfMonth, formatDay as textOfDay } from '../model/moment.ts'
import type { TimeUnit } from '../model/type.ts'
import { currentClock, type MomentClock, momentClock, shared } from './moment-clock.ts'

/** What handlers make of moments: days, hours and months as clocks show them. The same as windows have. */

/**
 * @property zone Whose clocks are meant: an IANA time zone, or an offset as `+05:30`. Default: the zone of the view's log.
 * @property unit What the moment counts since 1970 UTC. Default: the `timeUnit` of the view's log. A field of another unit, as
 *   `timestamp('ms')` of a log of microseconds, needs it: a number doesn't tell what it counts.
 */
export interface MomentOptions {
  readonly zone?: string
  readonly unit?: TimeUnit
}

/**
 * The day a moment lies in, as days since 1970-01-01. In a view's functions the zone and unit are those of the view's log;
 * elsewhere both must be given.
 *
 * @param moment A number of `ms` or `us`, a bigint of `ns`.
 * @throws TypeError for anything else, and for arguments or options that there aren't; MomentRangeError beyond every calendar.
 */
export function dayOf(moment: number | bigint, options?: MomentOptions): number
export function dayOf(moment: number | bigint, options?: MomentOptions, surplus?: never): number {
  if (typeof moment === 'number' && options === undefined && surplus === undefined) {
    const day = Math.floor((moment + shared.offset) / shared.day)
    // biome-ignore lint/suspicious/noSelfCompare: NaN without a fixed clock; a call would make this too long to be inlined thrice
    if (day === day) return day
  }
  return clockFor('dayOf', moment, options, surplus).days.indexOf(moment)
}

/** The hour a moment lies in, as the moment it begins, in the moment's own unit. Otherwise as `dayOf`. */
export function hourOf(moment: number, options?: MomentOptions): number
export function hourOf(moment: bigint, options?: MomentOptions): bigint
export function hourOf(moment: number | bigint, options?: MomentOptions, surplus?: never): number | bigint {
  if (typeof moment === 'number' && options === undefined && surplus === undefined) {
    const { offset, hour } = shared
    const start = Math.floor((moment + offset) / hour) * hour - offset
    if (!Number.isNaN(start)) return start
  }
  const { hours, unit } = clockFor('hourOf', moment, options, surplus)
  const start = hours.startOf(hours.indexOf(moment))
  return unit === 'ns' ? start : Number(start)
}

/** The first day of the month a moment lies in, as days since 1970-01-01. Otherwise as `dayOf`. */
export function monthOf(moment: number | bigint, options?: MomentOptions): number
export function monthOf(moment: number | bigint, options?: MomentOptions, surplus?: never): number {
  if (typeof moment === 'number' && options === undefined && surplus === undefined) {
    const day = Math.floor((moment + shared.offset) / shared.day)
    if (!Number.isNaN(day)) return firstOfMonth(day)
  }
  return firstOfMonth(clockFor('monthOf', moment, options, surplus).days.indexOf(moment))
}

/**
 * `2021-05-22` for a number of days since 1970-01-01, of which no zone is asked. May be handed to `map` of an array.
 *
 * @throws TypeError for any other argument.
 */
export function formatDay(day: number): string
export function formatDay(day: number, ...more: unknown[]): string {
  const isMapped = more.length === 2 && typeof more[0] === 'number' && Array.isArray(more[1])
  if (more.length > 0 && !isMapped)
    throw new TypeError(`formatDay(): expected a day alone, found ${shown(more[0])} as well`)
  return textOfDay(day)
}

function clockFor(name: string, moment: unknown, options: MomentOptions | undefined, surplus: unknown): MomentClock {
  const given = optionsOf(name, options, surplus)
  const log = currentClock()
  const { zone = log?.zone, unit = log?.unit } = given
  if (zone === undefined || unit === undefined) {
    throw new TypeError(
      `${name}(): expected zone and unit, as ${name}(moment, { zone: 'Europe/Berlin', unit: 'us' }), because no function of a view ` +
        'runs whose log says them',
    )
  }
  const expected = unit === 'ns' ? 'bigint' : 'number'
  if (typeof moment !== expected || Number.isNaN(moment)) {
    throw new TypeError(`${name}(): expected a moment in ${unit}, which is a ${expected}, found ${shown(moment)}`)
  }
  return momentClock(unit, zone)
}

const units: readonly unknown[] = ['ms', 'us', 'ns', undefined]

function optionsOf(name: string, options: unknown, surplus: unknown): MomentOptions {
  const expected = `${name}(): expected a moment, and options as { zone: 'Europe/Berlin' }`
  if (surplus !== undefined) throw new TypeError(`${expected}, found ${shown(surplus)} as well`)
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null) throw new TypeError(`${expected}, found ${shown(options)}`)
  const unknown = Object.keys(options).find((option) => option !== 'zone' && option !== 'unit')
  if (unknown !== undefined) throw new TypeError(`${name}(): expected the options zone and unit, found ${unknown}`)
  const { unit } = options as MomentOptions
  if (!units.includes(unit))
    throw new TypeError(`${name}(): expected the unit 'ms', 'us' or 'ns', found ${shown(unit)}`)
  return options
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
