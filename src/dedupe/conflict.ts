import type { SlotColumn } from '../columns/slot-column.ts'
import { isPresent } from '../model/column.ts'
import type { Place } from '../model/errors.ts'
import type { LogPlan } from '../model/plan.ts'
import { openParquet } from '../parquet/file.ts'
import { readBatch } from '../scan/batch.ts'
import type { Batch } from '../scan/event-batch.ts'
import { idText, valueText } from '../scan/identity.ts'
import type { Store } from '../storage/store.ts'
import type { RowPlace } from './duplicates.ts'

export interface ConflictDescription {
  readonly eventId: string
  /** Null where the two rows' ids differ after all. */
  readonly differing: { readonly column: string; readonly values: readonly [string, string] } | null
  readonly places: readonly [Place, Place]
}

/** Reads two rows again and finds the column in which they differ. */
export function describeConflict(log: LogPlan, a: RowPlace, b: RowPlace, files: Store): ConflictDescription {
  const batches = [readAll(log, a, files), readAll(log, b, files)] as const
  const rows = [a.row, b.row] as const
  const places = [placeIn(log, a), placeIn(log, b)] as const
  const ids = [idText(log, batches[0], rows[0]), idText(log, batches[1], rows[1])]
  if (ids[0] !== ids[1]) return { eventId: ids.join(' and '), differing: null, places }
  const texts = log.slots.map((slot, index) => ({
    column: slot.name,
    values: [0, 1].map((i) => shown(batches[i]!.columns[index] as SlotColumn, rows[i]!)) as [string, string],
  }))
  const isIgnored = (slot: number) => log.duplicates?.ignored.includes(slot) === true
  const differing = texts.find(({ values }, slot) => values[0] !== values[1] && !isIgnored(slot))
  return { eventId: ids[0]!, differing: differing ?? null, places }
}

/** Strings quoted, so that null and "null" differ; −0 with its sign. */
function shown(column: SlotColumn, row: number): string {
  if (!isPresent(column, row)) return 'null'
  if (column.kind === 'bytes' || column.kind === 'dictionary') return JSON.stringify(valueText(column, row))
  return column.kind === 'float64' && Object.is(column.values[row], -0) ? '-0' : valueText(column, row)
}

function readAll(log: LogPlan, place: RowPlace, files: Store): Batch {
  const file = log.files[log.splits[place.split]!.file]!
  const readable = files.openForReading(file.path)
  try {
    return readBatch(log, file, () => openParquet(readable), place.rowGroup, new Set(log.slots.keys()))
  } finally {
    readable.close()
  }
}

function placeIn(log: LogPlan, { split, rowGroup, row }: RowPlace): Place {
  return { file: log.files[log.splits[split]!.file]!.path, rowGroup, row }
}
