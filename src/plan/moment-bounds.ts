import { nanosecondsIn } from '../columns/from-values.ts'
import { formatMoment } from '../model/moment-text.ts'
import type { FilePlan, SlotSource } from '../model/plan.ts'
import type { ParquetFile, RowGroup } from '../parquet/file.ts'
import { fieldAt } from '../parquet/schema.ts'
import { makeCalendar } from '../time/calendar.ts'

/** A row group's first and last moment in nanoseconds, by its statistics. */
export interface MomentBounds {
  readonly min: bigint
  readonly max: bigint
  readonly nullCount: number | undefined
}

/** What statistics say of a column of moments; undefined where they say nothing. */
export function momentBounds(
  parquet: ParquetFile,
  rowGroup: RowGroup,
  source: SlotSource | undefined,
  zone: string,
): MomentBounds | undefined {
  if (source?.kind !== 'column') return undefined
  const { type } = fieldAt(parquet.schema, source.path)
  const { min, max, nullCount } = rowGroup.statistics(source.path) ?? {}
  if (min === undefined || max === undefined) return undefined
  if (type.kind === 'timestamp') {
    const step = nanosecondsIn[type.unit]
    return { min: BigInt(min) * step, max: BigInt(max) * step, nullCount }
  }
  if (type.kind !== 'date') return undefined
  const days = makeCalendar({ every: 'day', zone, unit: 'ms' })
  const midnight = (day: number | bigint | string | boolean) => days.startOf(Number(day)) * nanosecondsIn.ms
  return { min: midnight(min), max: midnight(max), nullCount }
}

/** Moments whose texts have the same digits, so that they are in the order of their texts: of the years 0 to 9999. */
const momentMin = -62_167_219_200n * 1_000_000_000n
const momentMax = 253_402_300_799n * 1_000_000_000n

/** When the first and last event of a file were recorded, where its statistics show both. */
export function recordedSpanOf(
  parquet: ParquetFile,
  source: SlotSource | undefined,
  zone: string,
): Pick<FilePlan, 'recordedFrom' | 'recordedTo'> {
  const bounds = parquet.rowGroups
    .filter(({ rows }) => rows > 0)
    .map((rowGroup) => momentBounds(parquet, rowGroup, source, zone))
  if (bounds.length === 0 || bounds.some((bound) => bound === undefined)) return {}
  const from = bounds.map((bound) => bound!.min).reduce((a, b) => (a < b ? a : b))
  const to = bounds.map((bound) => bound!.max).reduce((a, b) => (a > b ? a : b))
  if (from < momentMin || to > momentMax) return {}
  return { recordedFrom: formatMoment(from, 'ns'), recordedTo: formatMoment(to, 'ns') }
}

/** Whether a column of moments is one of days. */
export function holdsDays(parquet: ParquetFile, source: SlotSource | undefined): boolean {
  return source?.kind === 'column' && fieldAt(parquet.schema, source.path).type.kind === 'date'
}
