import { ConfigurationError } from '../model/errors.ts'
import type { TimeUnit } from '../model/type.ts'
import { stepsAMillisecond } from './duration.ts'
import { dayStarts, localText, readingsOf } from './zone.ts'

export interface MomentContext {
  readonly unit: TimeUnit
  /** In which days end and local times are meant. */
  readonly zone: string
  /** The option's name, for messages. */
  readonly option: string
}

/**
 * A moment given as an option, in the log's unit: a day, which means all of it and so its last instant; or an ISO 8601 moment;
 * or one without an offset, which is the zone's local time. Digits finer than the unit are dropped.
 *
 * @throws ConfigurationError also for a local time that the zone's clocks never showed or showed twice, with both moments that
 *   it may mean.
 */
export function parseMoment(text: string, context: MomentContext): bigint {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? dayOf(text) : null
  if (day !== null) return endOfDay(day, text, context)
  const parts = momentText.exec(text)
  const [, local, fraction = '', offset] = parts ?? []
  if (local === undefined || dayOf(local.slice(0, 10)) === null) throw unreadable(text, context)
  const written = local.replace(' ', 'T')
  const milliseconds =
    offset === undefined ? localMoment(written, text, context) : Date.parse(`${written}${offset.toUpperCase()}`)
  if (Number.isNaN(milliseconds)) throw unreadable(text, context)
  const steps = stepsAMillisecond[context.unit]
  const digits = fraction.padEnd(9, '0').slice(0, String(steps).length + 2)
  return BigInt(milliseconds) * BigInt(steps) + BigInt(digits)
}

const momentText =
  /^(\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?:[.,](\d{1,9}))?(Z|z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/

/** Days since 1970-01-01; null for a day that no calendar has. Date.parse takes 31 February for 3 March. */
export function dayOf(text: string): number | null {
  const time = Date.parse(text)
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(text) ? null : time / 86_400_000
}

function unreadable(text: string, { option }: MomentContext): ConfigurationError {
  return new ConfigurationError(
    `${option}: expected a day as 2021-05-22 or a moment as 2021-05-22T14:00:00Z, found ${JSON.stringify(text)}.`,
  )
}

function endOfDay(day: number, text: string, { unit, zone, option }: MomentContext): bigint {
  const starts = dayStarts(zone)
  const [start, end] = [starts(day), starts(day + 1)]
  if (start === end) {
    throw new ConfigurationError(
      `${option}: expected a day that ${zone} had, found ${text}, which its calendar left out. ` +
        `Give the day before or after; one ends and the other begins at ${localText(end, zone)}.`,
    )
  }
  return BigInt(end) * BigInt(stepsAMillisecond[unit]) - 1n
}

function localMoment(local: string, text: string, { zone, option }: MomentContext): number {
  const { count, earlier, later } = readingsOf(local, zone)
  if (count === 'one') return earlier
  const found = count === 'none' ? 'which clocks there went past' : 'which clocks there showed twice'
  throw new ConfigurationError(
    `${option}: expected a time that ${zone} had once, found ${text}, ${found}. ` +
      `It may mean ${localText(earlier, zone)} or ${localText(later, zone)}: give one of them.`,
  )
}
