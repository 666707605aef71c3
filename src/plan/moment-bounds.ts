import { nanosecondsIn } from '../columns/from-values.ts'
import type { SlotSource } from '../model/plan.ts'
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

/** Whether a column of moments is one of days. */
export function holdsDays(parquet: ParquetFile, source: SlotSource | undefined): boolean {
  return source?.kind === 'column' && fieldAt(parquet.schema, source.path).type.kind === 'date'
}
