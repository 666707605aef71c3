import { MisfitError, midnightOf } from '../columns/from-values.ts'
import { declareZone, localProblem, localRulesOf, nanosecondsIn } from '../columns/moment-text.ts'
import { widened, wordsOf } from '../columns/slot-column.ts'
import { isLocal, nanosecondsOf, storedUnit } from '../columns/stored-moments.ts'
import { bufferOf } from '../columns/strings.ts'
import { type BytesColumn, type Column, type Int64Column, isPresent, type LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import { withoutDictionary } from '../parquet/logical.ts'
import { localStretches, offsetOf } from '../time/local-time.ts'
import { momentConverter, refuseOutOfBounds, rescale } from './moment-values.ts'

/**
 * Brings a file's column into a slot of moments: local times to the moments they mean, days to their midnights, numbers and
 * text as they are declared, and all of it in the slot's unit.
 */
export function momentColumn(column: Column, logical: LogicalType, type: Type): Int64Column {
  if (column.kind === 'values') return fromWide(column, logical, type)
  const texts = column.kind === 'dictionary' ? column.dictionary : column
  if (texts.kind === 'bytes') return fromText(column, texts, type)
  const values = withoutDictionary(column)
  const moments = values.kind === 'int32' ? widened(values) : values
  if (moments.kind !== 'int64') throw new MisfitError(0, 'moments', moments.kind)
  if (logical.kind === 'date') return midnights(moments, type)
  if (logical.kind !== 'timestamp') {
    const unit = storedUnit(type.storedAs)
    if (unit === undefined) throw new MisfitError(0, 'moments', 'integers')
    for (let row = 0; row < moments.length; row++) {
      if (isPresent(moments, row)) refuseOutOfBounds(moments.values[row]!, unit, row)
    }
    return rescaled(moments, nanosecondsOf[unit], type)
  }
  const instants = isLocal(logical, type) ? fromLocal(moments, nanosecondsIn[logical.unit], type) : moments
  return rescaled(instants, nanosecondsIn[logical.unit], type)
}

/** Moments of INT96 beyond what 64 bits hold in nanoseconds, and unsigned integers beyond 2^63 − 1. */
function fromWide(column: Column & { kind: 'values' }, logical: LogicalType, type: Type): Int64Column {
  const convert = momentConverter(type, logical)
  return filled(column, (row) => BigInt(convert(column.values[row], row) as number | bigint))
}

/** Text is read once for each entry of a dictionary. */
function fromText(column: Column, texts: BytesColumn, type: Type): Int64Column {
  const convert = momentConverter(type, undefined)
  const buffer = bufferOf(texts.data)
  const read = (entry: number, row: number) => {
    const text = buffer.toString('utf8', texts.offsets[entry]!, texts.offsets[entry + 1]! - texts.gap)
    return BigInt(convert(text, row) as number | bigint)
  }
  if (column.kind !== 'dictionary') return filled(column, (row) => read(row, row))
  const known = new Map<number, bigint>()
  return filled(column, (row) => {
    const code = column.codes[row]!
    let moment = known.get(code)
    if (moment === undefined) {
      moment = read(code, row)
      known.set(code, moment)
    }
    return moment
  })
}

function filled(column: Column, momentAt: (row: number) => bigint): Int64Column {
  const values = new BigInt64Array(column.length)
  for (let row = 0; row < column.length; row++) if (isPresent(column, row)) values[row] = momentAt(row)
  return withValues(column, values)
}

function withValues({ length, nullCount, validity }: Column, values: BigInt64Array): Int64Column {
  return { kind: 'int64', length, nullCount, validity, values }
}

/** Days as the moments at which they begin. */
function midnights(column: Int64Column, type: Type): Int64Column {
  let day: bigint | undefined
  let midnight = 0n
  return filled(column, (row) => {
    if (column.values[row] !== day) {
      day = column.values[row]!
      midnight = midnightOf(type, Number(day), row)
    }
    return midnight
  })
}

const WORD = 2 ** 32

/**
 * Local times as moments of the same unit. Neighbours mostly lie in one stretch, of which the offset is subtracted from both
 * words, so that no bigint is made.
 *
 * @param step Nanoseconds in a step of the column's unit.
 */
function fromLocal(column: Int64Column, step: bigint, type: Type): Int64Column {
  const rules = localRulesOf(type)
  const stretchAt = localStretches(rules.zone)
  const steps = Number(nanosecondsIn.ms / step)
  const whole = Math.floor(WORD / steps)
  const rest = WORD % steps
  const values = new BigInt64Array(column.length)
  const from = wordsOf(column.values)
  const to = wordsOf(values)
  let start = 0
  let end = 0
  let offsetHigh = 0
  let offsetLow = 0
  const find = (local: number, row: number) => {
    const stretch = stretchAt(local)
    const offset = stretch === null ? null : offsetOf(stretch, rules.disambiguation)
    if (stretch === null || offset === null || rules.isUndeclared) {
      if (rules.isUndeclared) throw new MisfitError(row, 'moments', `local times; ${declareZone}`)
      const { expected, found } = localProblem(local, stretch, rules)
      throw new MisfitError(row, expected, found)
    }
    start = stretch.from
    end = stretch.to
    const inSteps = BigInt(offset) * BigInt(steps)
    offsetHigh = Number(inSteps >> 32n)
    offsetLow = Number(BigInt.asUintN(32, inSteps))
  }
  for (let row = 0; row < column.length; row++) {
    const high = from[2 * row + 1]!
    const low = from[2 * row]! >>> 0
    const local = high * whole + Math.floor((high * rest + low) / steps)
    if (local < start || local >= end) {
      if (!isPresent(column, row)) continue
      find(local, row)
    }
    const lower = low - offsetLow
    const upper = high - offsetHigh - (lower < 0 ? 1 : 0)
    if (upper !== (upper | 0) && isPresent(column, row)) {
      throw new MisfitError(row, 'a local time whose moment 64 bits hold', String(column.values[row]))
    }
    to[2 * row] = lower
    to[2 * row + 1] = upper
  }
  return withValues(column, values)
}

/** Moments in the slot's unit. */
function rescaled(column: Int64Column, from: bigint, type: Type): Int64Column {
  const to = nanosecondsIn[type.unit ?? 'us']
  if (from === to) return column
  if (from < to) {
    const by = to / from
    return filled(column, (row) => {
      const moment = column.values[row]!
      return moment % by === 0n ? moment / by : rescale(moment, from, type, row)
    })
  }
  const factor = Number(from / to)
  const values = new BigInt64Array(column.length)
  for (let row = 0; row < column.length; row++) {
    if (!isPresent(column, row)) continue
    const scaled = Number(column.values[row]) * factor
    values[row] = Number.isSafeInteger(scaled) ? BigInt(scaled) : rescale(column.values[row]!, from, type, row)
  }
  return withValues(column, values)
}
