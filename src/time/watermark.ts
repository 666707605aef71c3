import type { TimeUnit } from '../model/type.ts'
import { durationProblem, exactMilliseconds, parseDuration, stepsAMillisecond } from './duration.ts'

/**
 * The watermark: the moment up to which a log is taken to be complete. A log grows in partitions, each in the order it
 * records; what a partition still adds is recorded after its newest event. So the log is complete up to the least of
 * its partitions' newest events, unless one of them has been silent for so long that nothing more is expected of it.
 *
 * As known-at advances, the watermark never goes back: a partition's newest event only advances, and a new partition
 * begins with an event newer than all before it. So what was final stays final.
 */

/** What is wrong with a log's idleTimeout or maxClockSkew, as `expected …, found …`; null where nothing is. */
export function idleTimeoutProblem(text: unknown): string | null {
  const problem = durationProblem(text)
  if (problem !== null) return problem
  return exactMilliseconds(parseDuration(text, '')) === null
    ? `expected weeks or a smaller unit, as a month has no length of its own, found '${text}'`
    : null
}

/** A log's idleTimeout or maxClockSkew in its time unit. A day counts 24 hours: calendar days could turn the watermark back. */
export function idleSteps(text: string, unit: TimeUnit): bigint {
  const problem = idleTimeoutProblem(text)
  if (problem !== null) throw new RangeError(`a log's duration: ${problem}`)
  return BigInt(exactMilliseconds(parseDuration(text, ''))!) * BigInt(stepsAMillisecond[unit])
}

/**
 * @param progress For each partition that has events, when the newest of them was recorded.
 * @param idleTimeout In the same unit.
 * @returns Null where no partition has events.
 */
export function watermarkOf(progress: Iterable<bigint>, idleTimeout: bigint): bigint | null {
  let least: bigint | null = null
  let newest: bigint | null = null
  for (const moment of progress) {
    if (least === null || moment < least) least = moment
    if (newest === null || moment > newest) newest = moment
  }
  if (least === null || newest === null) return null
  const idleWatermark = newest - idleTimeout
  return idleWatermark > least ? idleWatermark : least
}

/** Up to when all of several logs are known; null where one isn't at all. */
export function leastKnown(watermarks: readonly (bigint | null)[]): bigint | null {
  return watermarks.reduce((a, b) => (a === null || b === null ? null : a < b ? a : b))
}

/** Whether no event of a window is in time any more: all that is still to come is recorded after its deadline. */
export function isFinal(watermark: bigint | null, deadline: bigint): boolean {
  return watermark !== null && watermark > deadline
}
