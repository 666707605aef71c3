import { textColumn } from '../columns/from-values.ts'
import type { KeyHeap } from '../columns/key-heap.ts'
import { sortKeys } from '../columns/sort-keys.ts'
import type { BytesColumn, Column } from '../model/column.ts'
import type { ManifestFile } from '../model/manifest.ts'
import type { ExceptionRow } from '../model/report.ts'
import { string } from '../model/types.ts'
import { type OutputColumn, ParquetEncoder } from '../parquet/write.ts'
import { exceptionsFolder, exceptionsFolderName, partName } from '../storage/generations.ts'
import type { Disk } from '../storage/store.ts'

/**
 * The lists of events that were read and not applied. The duplicates of a log are the same for all of its views, and
 * there may be many: they are sorted and encoded once and written to a file of their own.
 */

/** A list as the bytes of its file. */
export interface EncodedExceptions {
  readonly rows: number
  readonly chunks: readonly Uint8Array[]
}

const columns: readonly OutputColumn[] = ['reason', 'event_id', 'type', 'detail'].map((name) => ({
  name,
  type: string(),
}))
/** In lists of a view of several logs. */
const logColumn: OutputColumn = { name: 'log', type: string() }
/** Only as many rows are made into columns at a time. */
const rowGroupRows = 65_536

/** The list of a log's duplicates, from their ids in any order. There may be millions: they are never made strings. @param log Named in each row. */
export function encodeDuplicates(lists: readonly BytesColumn[], log?: string): EncodedExceptions {
  const ids = joinTexts(lists)
  const order = sortKeys(ids)
  return encode(order.length, log !== undefined, (from, to) => {
    const none = repeated('', to - from)
    const own = [repeated('duplicate', to - from), chooseTexts(ids, order.subarray(from, to)), none, none]
    return log === undefined ? own : [...own, repeated(log, to - from)]
  })
}

/** The list of what one view refused, in any order. @param namesLog Whether each says which log it is of. */
export function encodeRefused(exceptions: readonly ExceptionRow[], namesLog: boolean): EncodedExceptions {
  const sorted = exceptions.toSorted(compareExceptions)
  return encode(sorted.length, namesLog, (from, to) => {
    const rows = sorted.slice(from, to)
    return [
      textColumn(rows.map((row) => row.reason)),
      textColumn(rows.map((row) => row.eventId)),
      textColumn(rows.map((row) => row.type)),
      textColumn(rows.map((row) => row.detail)),
      ...(namesLog ? [textColumn(rows.map((row) => row.log!))] : []),
    ]
  })
}

/** Writes the lists that have rows, in this order, below a generation's folder. */
export function writeExceptions(lists: readonly EncodedExceptions[], folder: string, files: Disk): ManifestFile[] {
  const filled = lists.filter(({ rows }) => rows > 0)
  if (filled.length === 0) return []
  const below = exceptionsFolder(folder)
  files.makeFolder(below)
  return filled.map(({ rows, chunks }, index) => {
    const name = `${exceptionsFolderName}/${partName(index)}`
    return { name, rows, ...files.writeNew(`${folder}/${name}`, chunks) }
  })
}

function encode(rows: number, namesLog: boolean, columnsOf: (from: number, to: number) => Column[]): EncodedExceptions {
  if (rows === 0) return { rows, chunks: [] }
  const encoder = new ParquetEncoder(namesLog ? [...columns, logColumn] : columns)
  const chunks: Uint8Array[] = []
  for (let from = 0; from < rows; from += rowGroupRows) {
    chunks.push(...encoder.writeRowGroup(columnsOf(from, Math.min(rows, from + rowGroupRows))))
  }
  chunks.push(...encoder.finish())
  return { rows, chunks }
}

function joinTexts(lists: readonly BytesColumn[]): KeyHeap {
  const count = lists.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(lists.reduce((sum, { data }) => sum + data.length, 0))
  const starts = new Int32Array(count)
  const lengths = new Int32Array(count)
  let text = 0
  let at = 0
  for (const { data, offsets, length, gap } of lists) {
    bytes.set(data, at)
    for (let row = 0; row < length; row++, text++) {
      starts[text] = at + offsets[row]!
      lengths[text] = offsets[row + 1]! - gap - offsets[row]!
    }
    at += data.length
  }
  return { count, bytes, starts, lengths }
}

function chooseTexts({ bytes, starts, lengths }: KeyHeap, chosen: Int32Array): BytesColumn {
  const offsets = new Int32Array(chosen.length + 1)
  chosen.forEach((text, row) => {
    offsets[row + 1] = offsets[row]! + lengths[text]!
  })
  const data = new Uint8Array(offsets[chosen.length]!)
  chosen.forEach((text, row) => {
    data.set(bytes.subarray(starts[text]!, starts[text]! + lengths[text]!), offsets[row])
  })
  return { kind: 'bytes', length: chosen.length, nullCount: 0, validity: null, offsets, data, gap: 0 }
}

function repeated(text: string, length: number): Column {
  const size = Buffer.byteLength(text)
  const offsets = Int32Array.from({ length: length + 1 }, (_, row) => row * size)
  const data = Buffer.alloc(length * size, text)
  return { kind: 'bytes', length, nullCount: 0, validity: null, offsets, data, gap: 0 }
}

function compareExceptions(a: ExceptionRow, b: ExceptionRow): number {
  return (
    compareText(a.reason, b.reason) ||
    compareText(a.eventId, b.eventId) ||
    compareText(a.type, b.type) ||
    compareText(a.detail, b.detail) ||
    compareText(a.log ?? '', b.log ?? '')
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
