import { localRulesOf, nanosecondsIn } from '../columns/moment-text.ts'
import { isLocal, nanosecondsOf, storedUnit } from '../columns/stored-moments.ts'
import type { LogicalType } from '../model/column.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { FilePlan, SlotSource } from '../model/plan.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile, RowGroup } from '../parquet/file.ts'
import { fieldAt } from '../parquet/schema.ts'
import { makeCalendar } from '../time/calendar.ts'
import { localStretches } from '../time/local-time.ts'

/** A row group's first and last moment in nanoseconds, by its statistics. */
export interface MomentBounds {
  readonly min: bigint
  readonly max: bigint
  readonly nullCount: number | undefined
  /** Whether the row group holds these very moments; else its moments lie within them. */
  readonly isExact: boolean
}

/** What statistics say of a column of moments; undefined where they say nothing. */
export function momentBounds(
  parquet: ParquetFile,
  rowGroup: RowGroup,
  source: SlotSource | undefined,
  type: Type | undefined,
): MomentBounds | undefined {
  if (source?.kind !== 'column' || type === undefined) return undefined
  const found = fieldAt(parquet.schema, source.path).type
  const { min, max, nullCount } = rowGroup.statistics(source.path) ?? {}
  if (min === undefined || max === undefined) return undefined
  if (found.kind === 'timestamp' && isLocal(found, type)) {
    return { ...localBounds(BigInt(min), BigInt(max), nanosecondsIn[found.unit], type), nullCount }
  }
  const momentOf = instantsOf(found, type)
  return momentOf === undefined ? undefined : { min: momentOf(min), max: momentOf(max), nullCount, isExact: true }
}

/** What a bound means in nanoseconds; undefined where the column's order is not that of its moments. */
function instantsOf(
  found: LogicalType,
  type: Type,
): ((bound: bigint | number | string | boolean) => bigint) | undefined {
  const unit = found.kind === 'timestamp' ? found.unit : found.kind === 'int' ? storedUnit(type.storedAs) : undefined
  if (unit !== undefined) return (bound) => BigInt(bound) * nanosecondsOf[unit]
  if (found.kind !== 'date') return undefined
  const days = makeCalendar({ every: 'day', zone: type.zone ?? 'UTC', unit: 'ms' })
  return (day) => days.startOf(Number(day)) * nanosecondsIn.ms
}

const DAY = 86_400_000n * nanosecondsIn.ms

/**
 * Where clocks were set back or forward, a local time that is earlier may be the later moment. Bounds are exact where one offset
 * holds for the day before and after both; else they are taken a day wider, as no clock is ever set by that much twice.
 *
 * @param step Nanoseconds in a step of the column's unit.
 */
function localBounds(min: bigint, max: bigint, step: bigint, type: Type): Omit<MomentBounds, 'nullCount'> {
  const offsets = [offsetAround(min * step, type), offsetAround(max * step, type)]
  const [first, last] = offsets
  if (typeof first === 'bigint' && typeof last === 'bigint') {
    return { min: min * step - first, max: max * step - last, isExact: true }
  }
  return { min: min * step - 2n * DAY, max: max * step + 2n * DAY, isExact: false }
}

/** The offset, in nanoseconds, that holds from a day before a local time to a day after it; null where it changes. */
function offsetAround(local: bigint, type: Type): bigint | null {
  const stretchAt = localStretches(localRulesOf(type).zone)
  const milliseconds = Number(local / nanosecondsIn.ms)
  const stretches = [-1, 0, 1].map((days) => stretchAt(milliseconds + days * 86_400_000))
  const offset = stretches[0]?.earlier
  const isOne = stretches.every((stretch) => stretch?.shown === 'once' && stretch.earlier === offset)
  return offset !== undefined && isOne ? BigInt(offset) * nanosecondsIn.ms : null
}

/** Moments whose texts have the same digits, so that they are in the order of their texts: of the years 0 to 9999. */
const momentMin = -62_167_219_200n * 1_000_000_000n
const momentMax = 253_402_300_799n * 1_000_000_000n

/** When the first and last event of a file were recorded, where its statistics show both. */
export function recordedSpanOf(
  parquet: ParquetFile,
  source: SlotSource | undefined,
  type: Type | undefined,
): Pick<FilePlan, 'recordedFrom' | 'recordedTo'> {
  const bounds = parquet.rowGroups
    .filter(({ rows }) => rows > 0)
    .map((rowGroup) => momentBounds(parquet, rowGroup, source, type))
  if (bounds.length === 0 || bounds.some((bound) => bound?.isExact !== true)) return {}
  const from = bounds.map((bound) => bound!.min).reduce((a, b) => (a < b ? a : b))
  const to = bounds.map((bound) => bound!.max).reduce((a, b) => (a > b ? a : b))
  if (from < momentMin || to > momentMax) return {}
  return { recordedFrom: formatMoment(from, 'ns'), recordedTo: formatMoment(to, 'ns') }
}

/**
 * Whether a file has days where moments are expected.
 *
 * @param isDeclared The log declares days. That decides what text and documents hold; of columns of days and of moments their type does.
 */
export function holdsDays(parquet: ParquetFile, source: SlotSource | undefined, isDeclared: boolean): boolean {
  switch (source?.kind) {
    case 'column': {
      const { kind } = fieldAt(parquet.schema, source.path).type
      return kind === 'date' || (isDeclared && kind !== 'timestamp' && kind !== 'int')
    }
    case 'inside':
      return isDeclared
    case 'constant':
      return isDeclared || (typeof source.value === 'string' && /^\d{4}-\d\d-\d\d$/.test(source.value))
    default:
      return false
  }
}
