import type { TimeUnit } from '../model/type.ts'
import { type Calendar, makeCalendar } from './calendar.ts'
import { stepsAMillisecond } from './duration.ts'
import { fixedOffset, zoneProblem } from './zone.ts'

/** How moments are read: the unit they count in, and the zone whose clocks show days and hours. A log has one. */
export interface MomentClock {
  readonly unit: TimeUnit
  readonly zone: string
  /** Of moments that are numbers in a zone of one offset: that offset, and a day and an hour, in steps; else null. */
  readonly fixed: { readonly offset: number; readonly day: number; readonly hour: number } | null
  readonly days: Calendar
  readonly hours: Calendar
}

const known = new Map<string, MomentClock>()

/** @throws RangeError for a zone that there isn't. */
export function momentClock(unit: TimeUnit, zone: string): MomentClock {
  const name = `${unit} ${zone}`
  let clock = known.get(name)
  if (clock === undefined) {
    const problem = zoneProblem(zone)
    if (problem !== null) throw new RangeError(`zone: ${problem}`)
    const offset = unit === 'ns' ? null : fixedOffset(zone)
    const steps = stepsAMillisecond[unit]
    clock = {
      unit,
      zone,
      fixed: offset === null ? null : { offset: offset * steps, day: 86_400_000 * steps, hour: 3_600_000 * steps },
      days: makeCalendar({ every: 'day', zone, unit }),
      hours: makeCalendar({ every: 'hour', zone, unit }),
    }
    known.set(name, clock)
  }
  return clock
}

/**
 * The clock of the log whose events a view's functions are given at the moment. A job imports `refold` by itself, so that the
 * engine and the job may have each their own copy of this module: what they share is in one place of the thread.
 */
export const shared = sharedState()

/** The clock, and what `dayOf` and its like need of a fixed one: numbers of an object, as they are asked for each event. */
interface SharedClock {
  current: MomentClock | null
  /** NaN where there is no clock of one offset. */
  offset: number
  day: number
  hour: number
}

function sharedState(): SharedClock {
  const thread = globalThis as { [name: symbol]: SharedClock | undefined }
  const name = Symbol.for('refold.moment-clock')
  thread[name] ??= { current: null, offset: Number.NaN, day: Number.NaN, hour: Number.NaN }
  return thread[name]
}

/** Null where no function of a view runs. */
export function currentClock(): MomentClock | null {
  return shared.current
}

/** Runs functions of a view, for which `dayOf` and its like read moments by the log's clock. */
export function withClock<T>(clock: MomentClock | null, work: () => T): T {
  const before = shared.current
  setClock(clock)
  try {
    return work()
  } finally {
    setClock(before)
  }
}

function setClock(clock: MomentClock | null): void {
  const fixed = clock?.fixed
  shared.current = clock
  shared.offset = fixed ? fixed.offset : Number.NaN
  shared.day = fixed ? fixed.day : Number.NaN
  shared.hour = fixed ? fixed.hour : Number.NaN
}
