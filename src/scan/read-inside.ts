import { describeBadJson, parseJson } from '../columns/exact-json.ts'
import { columnFromValues, MisfitError } from '../columns/from-values.ts'
import { joinColumns, PIECE_ROWS_STEP } from '../columns/join-columns.ts'
import type { SlotColumn } from '../columns/slot-column.ts'
import { lostInDecoding } from '../columns/utf8.ts'
import { type BytesColumn, type Column, isPresent } from '../model/column.ts'
import { describePlace, InputError, type Place } from '../model/errors.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { Type } from '../model/type.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { bytesAt } from '../parquet/logical.ts'
import { shapeAt } from '../parquet/nested-shape.ts'
import type { ReadMemory } from '../parquet/read-memory.ts'
import { readColumns, readNested } from '../parquet/scan.ts'
import { fieldAt } from '../parquet/schema.ts'
import { makeJsonScanner } from './json-scanner.ts'
import { nestedConverter, shapeBeyond, textConverter, valueAt } from './nested-values.ts'
import { shownBytes, utf8Text } from './text-slots.ts'

/** The row group that is read. */
export interface InsideRead {
  readonly log: LogPlan
  readonly file: FilePlan
  readonly parquet: ParquetFile
  readonly rowGroup: number
  readonly memory: ReadMemory
}

/** A slot inside a column, or that is a nested column. */
interface Wanted {
  readonly index: number
  readonly type: Type
  readonly steps: readonly string[]
  readonly place: Place
}

/**
 * Slots that lie inside JSON or nested columns, or are nested columns: each such column is read once for all of
 * them, of a nested one only the leaves that they lie in.
 */
export function readInside(read: InsideRead, slots: readonly number[], columns: (SlotColumn | undefined)[]): void {
  const byColumn = new Map<string, { path: readonly string[]; wanted: Wanted[] }>()
  const { file, rowGroup, log, parquet } = read
  for (const index of slots) {
    const source = file.sources[index]!
    if (source.kind === 'constant') continue
    const steps = source.kind === 'inside' ? source.steps : []
    const place = { file: file.path, rowGroup, column: [...source.path, ...steps].join('.') }
    const wanted = { index, type: log.slots[index]!.type, steps, place }
    const name = JSON.stringify(source.path)
    const entry = byColumn.get(name)
    if (entry === undefined) byColumn.set(name, { path: source.path, wanted: [wanted] })
    else entry.wanted.push(wanted)
  }
  for (const { path, wanted } of byColumn.values()) {
    const isNested = fieldAt(parquet.schema, path).type.kind === 'nested'
    const found = isNested ? fromNested(read, path, wanted) : fromText(read, path, wanted)
    wanted.forEach(({ index }, i) => {
      columns[index] = found[i]
    })
  }
}

/** Rows whose nested values are in memory at once. */
const PIECE_ROWS = 512 * PIECE_ROWS_STEP

/** Values of a nested column, some rows of which are in memory as such, before they become columns. */
function fromNested(read: InsideRead, path: readonly string[], wanted: readonly Wanted[]): SlotColumn[] {
  const { parquet, rowGroup } = read
  const shape = shapeAt(parquet, path)
  const converters = wanted.map(({ type, steps }) => nestedConverter(shapeBeyond(shape, steps), type))
  const pieces = wanted.map((): SlotColumn[] => [])
  let values = wanted.map((): unknown[] => [])
  let first = 0
  const flush = () => {
    for (const [i, slot] of wanted.entries()) pieces[i]!.push(slotColumn(slot, values[i]!, converters[i]!, first))
    first += values[0]!.length
    values = wanted.map(() => [])
  }
  const take = (whole: unknown, row: number) => {
    for (const [i, { type, steps }] of wanted.entries()) values[i]!.push(valueAt(whole, steps, shape, { type, row }))
    if (values[0]!.length === PIECE_ROWS) flush()
  }
  const query = { path, wanted: wanted.map(({ steps }) => steps) }
  atPlace(wanted[0]!.place, () => readNested(parquet, rowGroup, query, take))
  if (values[0]!.length > 0 || pieces[0]!.length === 0) flush()
  return pieces.map((parts) => joinColumns(parts))
}

function fromText(read: InsideRead, path: readonly string[], wanted: readonly Wanted[]): SlotColumn[] {
  const { parquet, rowGroup, file, memory } = read
  const column = readColumns(parquet, rowGroup, [path], undefined, memory)[0]!
  const values = parseInside(column, wanted, { file: file.path, rowGroup, column: path.join('.') })
  return wanted.map((slot, i) => slotColumn(slot, values[i]!, textConverter(slot.type), 0))
}

/** @param first The row of the row group that the first value is of. */
function slotColumn(
  { type, place }: Wanted,
  values: readonly unknown[],
  convert: ((value: unknown, row: number) => unknown) | null,
  first: number,
): SlotColumn {
  // Moments are converted to the slot's unit here.
  const origin = type.kind === 'timestamp' ? 'handler' : 'outside'
  const make = () => columnFromValues(type, convert === null ? values : values.map(convert), origin)
  return atPlace(place, make, first) as SlotColumn
}

/** The values at each of the wanted paths, row by row; null where a path leads nowhere. */
function parseInside(column: Column, wanted: readonly Wanted[], place: Place): unknown[][] {
  const values = wanted.map(() => new Array<unknown>(column.length).fill(null))
  const textAt = rowReader(column, place)
  const paths = wanted.map(({ steps }) => steps)
  const scan = rowScanner(column, paths, values)
  for (let row = 0; row < column.length; row++) {
    if (scan?.(row)) continue
    const whole = textAt(row)
    if (whole === null || whole === undefined) continue
    wanted.forEach(({ type, steps }, i) => {
      values[i]![row] = valueAt(whole, steps, undefined, { type, row })
    })
  }
  return values
}

/** Runs a conversion; a value that doesn't fit becomes an error with its place. */
export function atPlace<T>(place: Place, convert: () => T, first = 0): T {
  try {
    return convert()
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    const at = { ...place, row: first + error.row }
    throw new InputError(`Cannot read ${describePlace(at)}: expected ${error.expected}, found ${error.found}.`, at)
  }
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
