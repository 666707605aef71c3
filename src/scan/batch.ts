import { describeBadJson, parseJson } from '../columns/exact-json.ts'
import { columnFromValues, MisfitError } from '../columns/from-values.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import { lostInDecoding } from '../columns/utf8.ts'
import { type BytesColumn, type Column, isPresent } from '../model/column.ts'
import { describePlace, InputError, type Place } from '../model/errors.ts'
import { orderSlots } from '../model/order.ts'
import type { FilePlan, LogPlan, SlotSource } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { bytesAt } from '../parquet/logical.ts'
import { type Shape, shapeAt, stepInto } from '../parquet/nested-shape.ts'
import { newMemory, type ReadMemory } from '../parquet/read-memory.ts'
import { readColumns } from '../parquet/scan.ts'
import { fieldAt } from '../parquet/schema.ts'
import type { Batch } from './event-batch.ts'
import { idText } from './identity.ts'
import { makeJsonScanner } from './json-scanner.ts'
import { momentConverter } from './moment-values.ts'
import { follow, nestedConverter, shapeBeyond, textConverter } from './nested-values.ts'
import { shownBytes, utf8Text } from './text-slots.ts'
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
  const plainSlots = [...needed].filter((slot) => file.sources[slot]!.kind === 'column')
  const paths = plainSlots.map((slot) => (file.sources[slot] as { path: readonly string[] }).path)
  const read = readColumns(parquet, rowGroup, paths, undefined, memory)
  plainSlots.forEach((index, i) => {
    const slot = log.slots[index]!
    const place = { file: file.path, rowGroup, column: paths[i]!.join('.') }
    columns[index] = atPlace(place, () =>
      toSlot(asDeclared(read[i]!, parquet, paths[i]!, slot.type), fieldAt(parquet.schema, paths[i]!).type, slot.type),
    )
  })
  readInside(log, file, parquet, rowGroup, needed, columns, memory)
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

/** Nested values for a field of JSON, as JSON has them. */
function asDeclared(column: Column, parquet: ParquetFile, path: readonly string[], type: Type): Column {
  if (column.kind !== 'values' || type.kind !== 'json') return column
  return { ...column, values: column.values.map(nestedConverter(shapeAt(parquet, path), type)) }
}

/** Runs a conversion; a value that doesn't fit becomes an error with its place. */
function atPlace<T>(place: Place, convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    const at = { ...place, row: error.row }
    throw new InputError(`Cannot read ${describePlace(at)}: expected ${error.expected}, found ${error.found}.`, at)
  }
}

/** Slots that lie inside JSON or nested columns: each such column is read and parsed once for all of them. */
function readInside(
  log: LogPlan,
  file: FilePlan,
  parquet: ParquetFile,
  rowGroup: number,
  needed: ReadonlySet<number>,
  columns: (SlotColumn | undefined)[],
  memory: ReadMemory,
): void {
  const byColumn = new Map<string, { path: readonly string[]; slots: number[] }>()
  for (const index of needed) {
    const source = file.sources[index]!
    if (source.kind !== 'inside') continue
    const name = JSON.stringify(source.path)
    const entry = byColumn.get(name)
    if (entry === undefined) byColumn.set(name, { path: source.path, slots: [index] })
    else entry.slots.push(index)
  }
  for (const { path, slots } of byColumn.values()) {
    const place = { file: file.path, rowGroup, column: path.join('.') }
    const column = readColumns(parquet, rowGroup, [path], undefined, memory)[0]!
    const wanted = slots.map((index) => (file.sources[index] as { steps: readonly string[] }).steps)
    const shape = column.kind === 'values' ? shapeAt(parquet, path) : undefined
    const types = slots.map((index) => log.slots[index]!.type)
    const values = parseInside(column, wanted, shape, { place, types })
    slots.forEach((index, i) => {
      const at = { ...place, column: [...path, ...wanted[i]!].join('.') }
      const { type } = log.slots[index]!
      const convert = shape === undefined ? textConverter(type) : nestedConverter(shapeBeyond(shape, wanted[i]!), type)
      // Moments are converted to the slot's unit here.
      const origin = type.kind === 'timestamp' ? 'handler' : 'outside'
      columns[index] = atPlace(
        at,
        () => columnFromValues(type, convert === null ? values[i]! : values[i]!.map(convert), origin) as SlotColumn,
      )
    })
  }
}

/** The values at each of the wanted paths, row by row; null where a path leads nowhere. */
function parseInside(
  column: Column,
  wanted: readonly (readonly string[])[],
  shape: Shape | undefined,
  { place, types }: { readonly place: Place; readonly types: readonly Type[] },
): unknown[][] {
  const values = wanted.map(() => new Array<unknown>(column.length).fill(null))
  const valueAt = rowReader(column, place)
  const scan = rowScanner(column, wanted, values)
  for (let row = 0; row < column.length; row++) {
    if (scan?.(row)) continue
    const whole = valueAt(row)
    if (whole === null || whole === undefined) continue
    for (let i = 0; i < wanted.length; i++) {
      let value: unknown = whole
      let within = shape
      for (const step of wanted[i]!) {
        value = follow(value, step, within, { type: types[i]!, row })
        if (within !== undefined) within = stepInto(within, step)
      }
      values[i]![row] = value
    }
  }
  return values
}

/** Finds the wanted values in a row's text, where that is simple; null where it never is. */
function rowScanner(
  column: Column,
  wanted: readonly (readonly string[])[],
  values: readonly unknown[][],
): ((row: number) => boolean) | null {
  const names = [...new Set(wanted.map(([name]) => name!))]
  if (column.kind !== 'bytes' || names.length < wanted.length || wanted.some(({ length }) => length > 1)) return null
  const scanner = makeJsonScanner(names)
  if (scanner === null) return null
  const { data, offsets, gap } = column
  return (row) => isPresent(column, row) && scanner.scan(data, offsets[row]!, offsets[row + 1]! - gap, values, row)
}

function rowReader(column: Column, place: Place): (row: number) => unknown {
  if (column.kind === 'values') return (row) => column.values[row]
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes')
    throw new InputError(`Cannot read ${describePlace(place)}: expected JSON text, found ${bytes.kind}.`, place)
  const buffer = Buffer.from(bytes.data.buffer, bytes.data.byteOffset, bytes.data.byteLength)
  const { validity } = column
  return (row) => {
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) return null
    const entry = column.kind === 'dictionary' ? column.codes[row]! : row
    const text = buffer.toString('utf8', bytes.offsets[entry]!, bytes.offsets[entry + 1]! - bytes.gap)
    if (lostInDecoding(text, () => bytesAt(bytes, entry))) refuseBytes(bytes, entry, { ...place, row })
    return parseExactly(text, { ...place, row })
  }
}

function refuseBytes(bytes: BytesColumn, entry: number, place: Place): never {
  throw new InputError(
    `Cannot read ${describePlace(place)}: expected ${utf8Text}, found ${shownBytes(bytes, entry)}.`,
    place,
  )
}

/** JSON with integers beyond 2^53 as bigints, so that no digit is lost before the declared type is known. */
function parseExactly(text: string, place: Place): unknown {
  try {
    return parseJson(text, BigInt)
  } catch (error) {
    throw new InputError(`Cannot read ${describePlace(place)}: ${describeBadJson(text, error)}.`, place, {
      cause: error,
    })
  }
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

function refuseNullRoles(log: LogPlan, batch: Batch): void {
  const { id, key, type, occurredAt } = log.roles
  const required: [string, number][] = [
    ...id.map((slot): [string, number] => ['id', slot]),
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
      `Cannot read ${describePlace(place)}: expected a value, as the column is the events' ${role}, found null.`,
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
      `Cannot read ${describePlace(place)}: expected a value, as the file's statistics count no nulls in this column, found null. The file's footer is wrong; write the file again.`,
      place,
    )
  })
}

function columnName({ name, type: { from } }: Slot): string {
  if (from === undefined) return name
  return typeof from === 'string' ? from : from.join('.')
}

function firstNull(validity: Uint8Array, length: number): number {
  for (let row = 0; row < length; row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) return row
  return -1
}
