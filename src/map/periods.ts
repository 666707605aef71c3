import { wordsOf } from '../columns/slot-column.ts'
import type { Int32Column } from '../model/column.ts'
import type { LogPlan } from '../model/plan.ts'
import type { Batch } from '../scan/event-batch.ts'
import { addRun, cutAtGaps, type RecordedRun } from '../time/clock-skew.ts'
import { vintageCalendar } from '../view/view-set.ts'
import type { FoundKeys } from './emitted-rows.ts'
import { momentsOf, numbered, windowsOf } from './windows.ts'

/** When the events of a batch were recorded, in the periods of the requested vintages. */
export interface BatchPeriods {
  /** By row: number of the period among those of the batch. */
  readonly of: Int32Array
  /** The periods of the batch, as the calendar numbers them. */
  readonly indexes: readonly number[]
  /** By row: the period, as the calendar numbers it. */
  readonly column: Int32Column
}

/** Null where no vintages are requested. */
export function makePeriodReader(log: LogPlan): ((batch: Batch) => BatchPeriods) | null {
  if (log.vintages === null) return null
  const calendar = vintageCalendar(log)
  return (batch) => {
    const { of, indexes } = numbered(windowsOf(calendar, log.roles.recordedAt, batch))
    const periods = Int32Array.from(indexes)
    const values = of.map((number) => periods[number]!)
    return { of, indexes, column: { kind: 'int32', length: batch.rows, nullCount: 0, validity: null, values } }
  }
}

/** When events were recorded: by period, as the calendar of vintages numbers it. Without periods all is one, number 0. */
export type RecordedRuns = Map<number, RecordedRun[]>

/** Takes what was recorded up to known-at, as long as anything was. */
export function noteRecorded(log: LogPlan, batch: Batch, periods: BatchPeriods | null, recorded: RecordedRuns): void {
  const { values, validity } = momentsOf(batch, log.roles.recordedAt)
  const words = wordsOf(values)
  const bounds = newBounds(periods?.indexes.length ?? 1)
  const untilHigh = log.knownAt === null ? 0x7fffffff : Number(BigInt.asIntN(32, log.knownAt >> 32n))
  const untilLow = log.knownAt === null ? 0xffffffff : Number(BigInt.asUintN(32, log.knownAt))
  const { events, minHigh, minLow, maxHigh, maxLow } = bounds
  for (let row = 0; row < values.length; row++) {
    const h = words[2 * row + 1]!
    const l = words[2 * row]! >>> 0
    if (h > untilHigh || (h === untilHigh && l > untilLow)) continue
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue
    const period = periods === null ? 0 : periods.of[row]!
    events[period]!++
    if (h > maxHigh[period]! || (h === maxHigh[period]! && l > maxLow[period]!)) {
      maxHigh[period] = h
      maxLow[period] = l
    }
    if (h < minHigh[period]! || (h === minHigh[period]! && l < minLow[period]!)) {
      minHigh[period] = h
      minLow[period] = l
    }
  }
  for (let period = 0; period < events.length; period++) {
    if (events[period] === 0) continue
    const run = runOf(bounds, period)
    const isOne = run.max - run.min <= log.maxClockSkew
    const runs = isOne ? [run] : cutAtGaps(momentsIn(log, values, validity, periods, period), log.maxClockSkew)
    for (const one of runs) noteRun(recorded, periods?.indexes[period] ?? 0, one, log.maxClockSkew)
  }
}

/** By period of a batch: the first and last moment, by their two words, and how many there are. */
function newBounds(periods: number) {
  return {
    events: new Int32Array(periods),
    minHigh: new Int32Array(periods).fill(0x7fffffff),
    minLow: new Float64Array(periods).fill(2 ** 32),
    maxHigh: new Int32Array(periods).fill(-0x80000000),
    maxLow: new Float64Array(periods).fill(-1),
  }
}

function runOf({ events, minHigh, minLow, maxHigh, maxLow }: ReturnType<typeof newBounds>, period: number) {
  const moment = (high: number, low: number) => (BigInt(high) << 32n) | BigInt(low)
  return {
    min: moment(minHigh[period]!, minLow[period]!),
    max: moment(maxHigh[period]!, maxLow[period]!),
    events: events[period]!,
  }
}

/** The known moments of one period. */
function momentsIn(
  { knownAt }: LogPlan,
  values: BigInt64Array,
  validity: Uint8Array | null,
  periods: BatchPeriods | null,
  period: number,
): BigInt64Array {
  return values.filter(
    (moment, row) =>
      (periods === null || periods.of[row] === period) &&
      (knownAt === null || moment <= knownAt) &&
      (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0),
  )
}

export function noteRun(recorded: RecordedRuns, period: number, run: RecordedRun, skew: bigint): void {
  const runs = recorded.get(period)
  if (runs === undefined) recorded.set(period, [run])
  else addRun(runs, run, skew)
}

/** Keys and periods up to this many are numbered in an array. */
const PAIRS_MAX = 1 << 22

/**
 * Splits each key by the periods of its events: one distinct key becomes one for each of its periods.
 *
 * @returns The keys with their bytes as before, and the period of each.
 */
export function splitByPeriod(
  { count, rows, hasMultiKeyRows, slots, distinct }: FoundKeys,
  { of, indexes }: BatchPeriods,
): { found: FoundKeys; periodOf: Int32Array } {
  const periods = indexes.length
  const numberOf = distinct.count * periods <= PAIRS_MAX ? arrayNumbers(distinct.count * periods) : mapNumbers()
  const pairs: number[] = []
  const split = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const pair = slots[i]! * periods + of[rows[i]!]!
    const number = numberOf(pair, pairs.length)
    if (number === pairs.length) pairs.push(pair)
    split[i] = number
  }
  const keyOf = Int32Array.from(pairs, (pair) => Math.floor(pair / periods))
  const found = {
    count,
    rows,
    hasMultiKeyRows,
    slots: split,
    distinct: {
      count: pairs.length,
      hashes: keyOf.map((key) => distinct.hashes[key]!),
      data: distinct.data,
      starts: keyOf.map((key) => distinct.starts[key]!),
      lengths: keyOf.map((key) => distinct.lengths[key]!),
    },
  }
  return { found, periodOf: Int32Array.from(pairs, (pair) => indexes[pair % periods]!) }
}

/** Gives a pair the next number where it has none. */
type NumberPairs = (pair: number, next: number) => number

function arrayNumbers(pairs: number): NumberPairs {
  const numbers = new Int32Array(pairs)
  return (pair, next) => {
    if (numbers[pair] === 0) numbers[pair] = next + 1
    return numbers[pair]! - 1
  }
}

function mapNumbers(): NumberPairs {
  const numbers = new Map<number, number>()
  return (pair, next) => {
    const known = numbers.get(pair)
    if (known !== undefined) return known
    numbers.set(pair, next)
    return next
  }
}
