import { columnFromValues } from '../columns/from-values.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import type { Column } from '../model/column.ts'
import { describePlace, InputError, type Place } from '../model/errors.ts'
import { orderSlots } from '../model/order.ts'
import type { FilePlan, LogPlan, SlotSource } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { newMemory, type ReadMemory } from '../parquet/read-memory.ts'
import { readColumns } from '../parquet/scan.ts'
import { fieldAt } from '../parquet/schema.ts'
import type { Batch } from './event-batch.ts'
import { idText } from './identity.ts'
import { momentConverter } from './moment-values.ts'
import { atPlace, readInside } from './read-inside.ts'
import { toSlot } from './to-slot.ts'

/**
 * Reads what is needed of one row group. Roles must not hold nulls.
 *
 * @param open Gives the file, open. Called again for ids: by then it may have been closed for another.
 * @param memory Where its columns lie: they are good until it is used for another batch.
 */
export function readBatch(
  log: LogPlan,
  file: FilePlan,
  open: (file: FilePlan) => ParquetFile,
  rowGroup: number,
  needed: ReadonlySet<number>,
  memory: ReadMemory = newMemory,
): Batch {
  const parquet = open(file)
  const rows = parquet.rowGroups[rowGroup]!.rows
  const columns = new Array<SlotColumn | undefined>(log.slots.length)
  const plainSlots = [...needed].filter((slot) => isPlain(file.sources[slot]!, parquet))
  const paths = plainSlots.map((slot) => (file.sources[slot] as { path: readonly string[] }).path)
  const read = readColumns(parquet, rowGroup, paths, undefined, memory)
  plainSlots.forEach((index, i) => {
    const slot = log.slots[index]!
    const place = { file: file.path, rowGroup, column: paths[i]!.join('.') }
    refuseHiddenValues(read[i]!, parquet.rowGroups[rowGroup]!.statistics(paths[i]!)?.nullCount, place)
    columns[index] = atPlace(place, () => toSlot(read[i]!, fieldAt(parquet.schema, paths[i]!).type, slot.type))
  })
  const others = [...needed].filter((slot) => !plainSlots.includes(slot) && file.sources[slot]!.kind !== 'constant')
  readInside({ log, file, parquet, rowGroup, memory }, others, columns)
  for (const slot of needed) {
    const source = file.sources[slot]!
    if (source.kind === 'constant') columns[slot] = constantColumn(log.slots[slot]!, source, rows, file.path)
  }
  let ids: Batch | undefined
  const eventIdAt = (row: number) => {
    ids ??= readBatch(log, file, open, rowGroup, new Set(log.roles.id))
    return idText(log, ids, row)
  }
  const batch = { rows, columns, file: file.path, rowGroup, origin: null, memory, eventIdAt }
  refuseNullRoles(log, batch)
  refuseHiddenNulls(log, batch)
  return batch
}

/** A flat column, or a leaf of structs. */
function isPlain(source: SlotSource, parquet: ParquetFile): boolean {
  return source.kind === 'column' && fieldAt(parquet.schema, source.path).type.kind !== 'nested'
}

/** A folder's name is text; numbers and truth values are parsed, all else is accepted or refused by its type. */
function folderValue(type: Type, text: string | null): unknown {
  if (text === null) return null
  if (type.kind === 'timestamp') return momentConverter(type, undefined)(text, 0)
  if (type.kind === 'float64' && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text)
  if (type.kind === 'bool' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function constantColumn(
  slot: Slot,
  source: Extract<SlotSource, { kind: 'constant' }>,
  rows: number,
  file: string,
): SlotColumn {
  const place = { file, column: slot.name }
  const value = atPlace(place, () =>
    source.origin === 'folder' ? folderValue(slot.type, source.value as string | null) : source.value,
  )
  // What is declared for files without the column is declared as handlers see it, and moments are converted by now.
  const origin = source.origin === 'missing' || slot.type.kind === 'timestamp' ? 'handler' : 'outside'
  const column = atPlace(place, () => columnFromValues(slot.type, [value], origin))
  if (column.kind === 'bytes' && column.nullCount === 0) {
    return {
      kind: 'dictionary',
      length: rows,
      nullCount: 0,
      validity: null,
      codes: new Int32Array(rows),
      dictionary: column,
    }
  }
  return columnFromValues(slot.type, new Array<unknown>(rows).fill(value), origin) as SlotColumn
}

const keyAdvice =
  ' Where the key may be null, declare the column as a field, as account: nullable(string()), and make the key of it by key and keyBy of the view.'

function refuseNullRoles(log: LogPlan, batch: Batch): void {
  const { id, key, type, occurredAt } = log.roles
  const required: [string, number][] = [
    // The id of a view's row is its key, of which columns may be null.
    ...(log.view === null ? id.map((slot): [string, number] => ['id', slot]) : []),
    ['key', key],
    ['type', type],
    ...orderRoles(log),
    ...log.momentSlots.map((slot): [string, number] => [slot === occurredAt ? 'occurredAt' : 'recordedAt', slot]),
  ]
  for (const [role, slot] of required) {
    const column = slot < 0 ? undefined : batch.columns[slot]
    if (column === undefined || column.nullCount === 0 || column.validity === null) continue
    const row = firstNull(column.validity, column.length)
    const place = { file: batch.file, rowGroup: batch.rowGroup, row, column: columnName(log.slots[slot]!) }
    throw new InputError(
      `Cannot read ${describePlace(place)}: expected a value, as the column is the events' ${role}, found null.${role === 'key' ? keyAdvice : ''}`,
      place,
    )
  }
}

/** The roles by which any view's events are ordered; a field that only breaks ties may be null. */
function orderRoles({ groups, roles: { occurredAt, recordedAt, sequence } }: LogPlan): [string, number][] {
  const ordering = groups.flatMap(({ order }) => orderSlots(order))
  const roles: [string, number][] = [
    ['sequence', sequence],
    ['recordedAt', recordedAt],
    ['occurredAt', occurredAt],
  ]
  return roles.filter(([, slot]) => ordering.includes(slot))
}

/** Where statistics say that there are no nulls, none are looked for later: they would be zeros. */
function refuseHiddenNulls(log: LogPlan, batch: Batch): void {
  batch.columns.forEach((column, index) => {
    const slot = log.slots[index]!
    if (column === undefined || column.nullCount === 0 || column.validity === null || slot.mayBeNull) return
    const row = firstNull(column.validity, column.length)
    const place = { file: batch.file, rowGroup: batch.rowGroup, row, column: columnName(slot) }
    throw new InputError(
      `Cannot read ${describePlace(place)}: expected a value, as the file's statistics count no nulls in this column, found null. Declare the field as nullable(…), or write the file again: its footer is wrong.`,
      place,
    )
  })
}

/** Where statistics say that all are null, the type of the column was not looked at. */
function refuseHiddenValues(column: Column, nullCount: number | undefined, place: Place): void {
  if (nullCount !== column.length || column.nullCount === column.length) return
  throw new InputError(
    `Cannot read ${describePlace(place)}: expected nulls only, as the file's statistics count ${nullCount} of them, found ${column.length - column.nullCount} values. The file's footer is wrong; write the file again.`,
    place,
  )
}

function columnName({ name, type: { from } }: Slot): string {
  if (from === undefined) return name
  return typeof from === 'string' ? from : from.join('.')
}

function firstNull(validity: Uint8Array, length: number): number {
  for (let row = 0; row < length; row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) return row
  return -1
}
