import type { Disambiguation, TimeUnit, Type } from '../model/type.ts'
import { localStretches, offsetOf, type Stretch } from '../time/local-time.ts'

/** Moments that are written without saying all that they mean: local times, and text. */

/** Why a value is no moment of a type, in the words of a MisfitError. */
export interface MomentProblem {
  readonly expected: string
  readonly found: string
}

export const nanosecondsIn = { ms: 1_000_000n, us: 1000n, ns: 1n } as const
export const unitNames = { ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' } as const

/** What a slot says of local times. */
export interface LocalRules {
  readonly zone: string
  readonly disambiguation: Disambiguation
  /** No zone is declared, so that a local time may mean any moment of a day and more. */
  readonly isUndeclared: boolean
}

export function localRulesOf({ zone = 'UTC', disambiguation = 'reject', assumesUtc }: Type): LocalRules {
  return { zone, disambiguation, isUndeclared: assumesUtc === true }
}

/** What to do about local times in a log that declares no zone. */
export const declareZone =
  "declare the log's zone, whose clocks show them, as zone: 'Europe/Berlin', or zone: 'UTC' if they are in UTC"

/** Why a local time can't be taken for a moment. */
export function localProblem(local: number, stretch: Stretch | null, { zone }: LocalRules): MomentProblem {
  if (stretch === null) return { expected: 'a local time that a calendar has', found: String(local) }
  const text = new Date(local).toISOString().slice(0, -1)
  const [earlier, later] = [stretch.earlier, stretch.later].map((offset) => new Date(local - offset).toISOString())
  const how = stretch.shown === 'twice' ? 'which they show twice' : 'which they skip'
  return {
    expected: `a local time that clocks in ${zone} show once`,
    found: `${text}, ${how}; it may mean ${earlier} or ${later}. Declare disambiguation: 'earlier', 'later' or 'compatible' on the log or the column`,
  }
}

const isoMoment =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?$/

const MINUTE = 60_000
/** The Gregorian calendar repeats itself after 400 years. */
const CYCLE_YEARS = 400
const CYCLE = 12_622_780_800_000

/** ISO 8601 text, as it was written. */
interface WrittenMoment {
  /** Milliseconds of whole seconds, of the clock that is meant. */
  readonly clock: number
  readonly nanoseconds: number
  /** Null of a local time. */
  readonly offset: number | null
  readonly isDay: boolean
}

/** Undefined where it isn't ISO 8601; null where no clock shows it. */
function readIso(text: string): WrittenMoment | null | undefined {
  const parts = isoMoment.exec(text)
  if (parts === null) return undefined
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const isDay = parts[4] === undefined
  const [hour, minute, second] = [Number(parts[4] ?? 0), Number(parts[5] ?? 0), Number(parts[6] ?? 0)]
  const clock = Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second) - CYCLE
  const date = new Date(clock)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return null
  const [hours, minutes] = [Number(parts[10] ?? 0), Number(parts[11] ?? 0)]
  if (hours > 23 || minutes > 59) return null
  const offset = (parts[9] === '-' ? -MINUTE : MINUTE) * (60 * hours + minutes)
  const isLocal = parts[8] === undefined && parts[9] === undefined
  return { clock, nanoseconds: Number((parts[7] ?? '').padEnd(9, '0')), offset: isLocal ? null : offset, isDay }
}

/**
 * A moment in the type's unit. Text without an offset is a local time of the type's zone; a day is the midnight it begins with.
 *
 * @param midnight The moment at which a day, counted since 1970-01-01, begins.
 */
export function momentOfText(
  text: string,
  type: Type,
  midnight: (day: number) => bigint,
): number | bigint | MomentProblem {
  const written = readIso(text)
  const found = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
  if (written === undefined) return { expected: 'a moment as 2021-05-22T14:00:00Z', found }
  if (written === null) return { expected: 'a moment that exists', found }
  if (written.isDay) return midnight(written.clock / 86_400_000)
  let offset = written.offset
  if (offset === null) {
    const rules = localRulesOf(type)
    if (rules.isUndeclared) return { expected: 'a moment with its zone', found: `${found}; ${declareZone}` }
    const stretch = localStretches(rules.zone)(written.clock)
    offset = stretch === null ? null : offsetOf(stretch, rules.disambiguation)
    if (offset === null) return localProblem(written.clock, stretch, rules)
  }
  return inUnit(written.clock - offset, written.nanoseconds, type.unit ?? 'us', found)
}

/** @param milliseconds Of whole seconds. */
function inUnit(
  milliseconds: number,
  nanoseconds: number,
  unit: TimeUnit,
  found: string,
): number | bigint | MomentProblem {
  if (unit === 'ns') {
    const moment = BigInt(milliseconds) * nanosecondsIn.ms + BigInt(nanoseconds)
    return BigInt.asIntN(64, moment) === moment ? moment : tooFar(unit, found)
  }
  const steps = nanoseconds / Number(nanosecondsIn[unit])
  if (!Number.isInteger(steps))
    return { expected: `a moment in whole ${unitNames[unit]}; declare a finer timeUnit`, found }
  if (unit === 'ms') return milliseconds + steps
  const moment = milliseconds * 1000 + steps
  return Number.isSafeInteger(moment) ? moment : BigInt(milliseconds) * 1000n + BigInt(steps)
}

/** Of a moment beyond what 64 bits hold in a unit. */
export function tooFar(unit: TimeUnit, found: string): MomentProblem {
  const reach = unit === 'ns' ? ", which end in 2262; declare timeUnit: 'us' or 'ms' on the log" : ''
  return { expected: `a moment that 64 bits hold in ${unitNames[unit]}${reach}`, found }
}
