import type { Disambiguation } from '../model/type.ts'
import { fixedOffset, offsetAt } from './zone.ts'

/**
 * Local times as the moments they mean in a zone. Local times are cut into stretches within which one offset holds; a
 * stretch is found once for each day, so that no value costs a look-up in a zone's rules.
 *
 * A local time is counted in milliseconds as if it were UTC.
 */
export interface Stretch {
  /** From this local time on, */
  readonly from: number
  /** up to before this one, */
  readonly to: number
  /** clocks show each once, twice where they were set back over it, and never where they were set forward over it. */
  readonly shown: 'once' | 'twice' | 'never'
  /**
   * What to subtract for the earlier and for the later moment that is meant, in milliseconds. Where clocks never show the
   * time these are the moments with the offsets after and before the gap.
   */
  readonly earlier: number
  readonly later: number
}

const DAY = 86_400_000
/** Local times beyond have no moment that a calendar knows. */
const LOCAL_MAX = 8.64e15 - 4 * DAY

/** The stretch a local time lies in; null for one beyond the calendar. */
export type StretchAt = (local: number) => Stretch | null

const known = new Map<string, StretchAt>()

/** The stretches of a zone's local times, looked up once for all. */
export function localStretches(zone: string): StretchAt {
  let stretches = known.get(zone)
  if (stretches === undefined) {
    stretches = makeStretches(zone)
    known.set(zone, stretches)
  }
  return stretches
}

function makeStretches(zone: string): StretchAt {
  const offset = fixedOffset(zone)
  if (offset !== null) {
    const all: Stretch = { from: -Infinity, to: Infinity, shown: 'once', earlier: offset, later: offset }
    return () => all
  }
  const days = new Map<number, readonly Stretch[]>()
  return (local) => {
    if (!(Math.abs(local) <= LOCAL_MAX)) return null
    const day = Math.floor(local / DAY)
    let stretches = days.get(day)
    if (stretches === undefined) {
      stretches = stretchesOf(day, zone)
      days.set(day, stretches)
    }
    return stretches.find(({ to }) => local < to)!
  }
}

/** What to subtract from a local time; null where it is rejected. */
export function offsetOf({ shown, earlier, later }: Stretch, disambiguation: Disambiguation): number | null {
  if (shown === 'once') return earlier
  if (disambiguation === 'reject') return null
  if (disambiguation === 'compatible') return shown === 'twice' ? earlier : later
  return disambiguation === 'earlier' ? earlier : later
}

/** A time without a change of offset, in milliseconds. */
interface Period {
  readonly start: number
  readonly end: number
  readonly offset: number
}

/** The stretches of a local day, in order. An offset is less than a day, so two days on either side show all of them. */
function stretchesOf(day: number, zone: string): Stretch[] {
  const periods = periodsBetween((day - 2) * DAY, (day + 3) * DAY, zone)
  const [from, to] = [day * DAY, (day + 1) * DAY]
  const edges = periods
    .flatMap(({ start, end, offset }) => [start + offset, end + offset])
    .filter((edge) => edge > from && edge < to)
  const cuts = [...new Set([from, ...edges, to])].sort((a, b) => a - b)
  return cuts.slice(0, -1).map((cut, i) => stretchFrom(cut, cuts[i + 1]!, periods))
}

function stretchFrom(from: number, to: number, periods: readonly Period[]): Stretch {
  const readings = periods.filter(({ start, end, offset }) => from >= start + offset && from < end + offset)
  const [first, last] = [readings[0], readings.at(-1)]
  if (first === undefined || last === undefined) {
    const before = periods.findLast(({ end, offset }) => end + offset <= from)!
    const after = periods.find(({ start, offset }) => start + offset > from)!
    return { from, to, shown: 'never', earlier: after.offset, later: before.offset }
  }
  return { from, to, shown: first === last ? 'once' : 'twice', earlier: first.offset, later: last.offset }
}

/** All of the time between two moments at the beginning of days, UTC. Within a day an offset changes once at most. */
function periodsBetween(from: number, to: number, zone: string): Period[] {
  const periods: Period[] = []
  let start = from
  let offset = offsetAt(from, zone)
  for (let day = from; day < to; day += DAY) {
    const next = offsetAt(day + DAY, zone)
    if (next === offset) continue
    const change = firstWith(next, day, day + DAY, zone)
    periods.push({ start, end: change, offset })
    start = change
    offset = next
  }
  periods.push({ start, end: to, offset })
  return periods
}

/** The first millisecond, after `before`, at which an offset holds that holds at `after`. */
function firstWith(offset: number, before: number, after: number, zone: string): number {
  let [low, high] = [before, after]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle, zone) === offset) high = middle
    else low = middle
  }
  return high
}
