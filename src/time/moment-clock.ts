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
const shared = sharedState()

function sharedState(): { current: MomentClock | null } {
  const thread = globalThis as { [name: symbol]: { current: MomentClock | null } | undefined }
  const name = Symbol.for('refold.moment-clock')
  thread[name] ??= { current: null }
  return thread[name]
}

/** Null where no function of a view runs. */
export function currentClock(): MomentClock | null {
  return shared.current
}

/** Runs functions of a view, for which `dayOf` and its like read moments by the log's clock. */
export function withClock<T>(clock: MomentClock | null, work: () => T): T {
  const before = shared.current
  shared.current = clock
  try {
    return work()
  } finally {
    shared.current = before
  }
}
