import { MisfitError, midnightOf } from '../columns/from-values.ts'
import {
  declareZone,
  type LocalRules,
  localProblem,
  localRulesOf,
  momentOfText,
  nanosecondsIn,
  tooFar,
  unitNames,
} from '../columns/moment-text.ts'
import {
  boundsOf,
  declareUnit,
  isLocal,
  nanosecondsOf,
  outOfBounds,
  type StoredUnit,
  storedUnit,
} from '../columns/stored-moments.ts'
import type { LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import { localStretches, offsetOf } from '../time/local-time.ts'

/** Moments as single values: those of nested columns, JSON and folders' names. Whole columns are in `moment-slots.ts`. */

/** Converts values to moments in the type's unit: numbers where these are exact, else bigints. */
export function momentConverter(type: Type, leaf: LogicalType | undefined): (value: unknown, row: number) => unknown {
  const convert = valueConverter(type, leaf)
  return (value, row) => (value === null || value === undefined ? null : convert(value, row))
}

function valueConverter(type: Type, leaf: LogicalType | undefined): (value: unknown, row: number) => unknown {
  if (leaf?.kind === 'date') return (value, row) => midnightOf(type, Number(value), row)
  if (leaf?.kind === 'timestamp') {
    const step = nanosecondsIn[leaf.unit]
    const toInstant = isLocal(leaf, type) ? instantConverter(localRulesOf(type), step) : (moment: bigint) => moment
    return (value, row) => rescale(toInstant(BigInt(value as bigint), row), step, type, row)
  }
  const unit = storedUnit(type.storedAs)
  return (value, row) => {
    if (unit !== undefined && isWhole(value)) return ofNumber(BigInt(value), unit, type, row)
    if (unit === undefined && typeof value === 'string') return ofText(value, type, row)
    throw undeclared(value, type, row)
  }
}

function isWhole(value: unknown): value is number | bigint | string {
  return (
    typeof value === 'bigint' || Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value))
  )
}

function ofNumber(value: bigint, unit: StoredUnit, type: Type, row: number): number | bigint {
  refuseOutOfBounds(value, unit, row)
  return rescale(value, nanosecondsOf[unit], type, row)
}

/** A number of a wrong unit would be a moment far away. */
export function refuseOutOfBounds(value: bigint, unit: StoredUnit, row: number): void {
  const { min, max } = boundsOf(unit)
  if (value >= min && value <= max) return
  const { expected, found } = outOfBounds(value, unit)
  throw new MisfitError(row, expected, found)
}

function ofText(text: string, type: Type, row: number): number | bigint {
  const moment = momentOfText(text, type, (day) => midnightOf(type, day, row))
  if (typeof moment === 'object') throw new MisfitError(row, moment.expected, moment.found)
  return moment
}

function undeclared(value: unknown, type: Type, row: number): MisfitError {
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  const found = text.length > 100 ? `${text.slice(0, 100)}…` : text
  const unit = storedUnit(type.storedAs)
  if (unit !== undefined) return new MisfitError(row, `a whole number of ${unitOf(unit)} since 1970`, found)
  return new MisfitError(
    row,
    'a moment as 2021-05-22T14:00:00Z',
    isWhole(value) ? `${found}; ${declareUnit(type)}` : found,
  )
}

function unitOf(unit: StoredUnit): string {
  return unit === 's' ? 'seconds' : unitNames[unit]
}

/** From local times to the moments they mean, in steps of so many nanoseconds. */
export function instantConverter(rules: LocalRules, step: bigint): (local: bigint, row: number) => bigint {
  const stretchAt = localStretches(rules.zone)
  const steps = nanosecondsIn.ms / step
  return (local, row) => {
    const milliseconds = Number((local - (((local % steps) + steps) % steps)) / steps)
    const stretch = stretchAt(milliseconds)
    const offset = stretch === null || rules.isUndeclared ? null : offsetOf(stretch, rules.disambiguation)
    if (offset !== null) return local - BigInt(offset) * steps
    if (rules.isUndeclared) throw new MisfitError(row, 'moments', `local times; ${declareZone}`)
    const { expected, found } = localProblem(milliseconds, stretch, rules)
    throw new MisfitError(row, expected, found)
  }
}

/** A moment in steps of so many nanoseconds, in the type's unit. */
export function rescale(moment: bigint, from: bigint, { unit = 'us' }: Type, row: number): bigint {
  const nanoseconds = moment * from
  const to = nanosecondsIn[unit]
  if (nanoseconds % to !== 0n) {
    throw new MisfitError(row, `a moment in whole ${unitNames[unit]}; declare a finer timeUnit`, String(moment))
  }
  const scaled = nanoseconds / to
  if (BigInt.asIntN(64, scaled) === scaled) return scaled
  const { expected, found } = tooFar(unit, shown(nanoseconds))
  throw new MisfitError(row, expected, found)
}

/** A moment in nanoseconds as a date where it is one. */
function shown(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / nanosecondsIn.ms)
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : `${nanoseconds} nanoseconds`
}
