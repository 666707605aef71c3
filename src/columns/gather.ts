import { type BytesColumn, isPresent } from '../model/column.ts'
import type { SlotColumn } from './slot-column.ts'
import { wordsOf } from './slot-column.ts'

/** Rows of several batches, as a batch of their own would have them. */
export interface GatheredRows {
  readonly count: number
  /** Which batch each row is in, */
  readonly batches: Int32Array
  /** and which of its rows it is. */
  readonly rows: Int32Array
}

/** One slot's values of some rows. @param columns The slot's column in each batch: all of one storage. */
export function gatherColumn(columns: readonly SlotColumn[], { count, batches, rows }: GatheredRows): SlotColumn {
  const at = (i: number) => columns[batches[i]!]!
  const { nullCount, validity } = gatherValidity(columns, { count, batches, rows })
  const base = { length: count, nullCount, validity }
  switch (columns[0]!.kind) {
    case 'int32': {
      const values = new Int32Array(count)
      for (let i = 0; i < count; i++) values[i] = numbersOf(at(i))[rows[i]!]!
      return { kind: 'int32', ...base, values }
    }
    case 'float64': {
      const values = new Float64Array(count)
      for (let i = 0; i < count; i++) values[i] = numbersOf(at(i))[rows[i]!]!
      return { kind: 'float64', ...base, values }
    }
    case 'int64':
      return { kind: 'int64', ...base, values: gatherWide(columns, { count, batches, rows }) }
    case 'bool': {
      const bits = new Uint8Array((count + 7) >> 3)
      for (let i = 0; i < count; i++) if (isSet(at(i), rows[i]!)) bits[i >> 3]! |= 1 << (i & 7)
      return { kind: 'bool', ...base, bits }
    }
    default:
      return { ...gatherText(columns, { count, batches, rows }), ...base }
  }
}

function numbersOf(column: SlotColumn): Int32Array | Float64Array {
  if (column.kind !== 'int32' && column.kind !== 'float64') throw mixed(column)
  return column.values
}

function isSet(column: SlotColumn, row: number): boolean {
  if (column.kind !== 'bool') throw mixed(column)
  return (column.bits[row >> 3]! & (1 << (row & 7))) !== 0
}

function mixed({ kind }: SlotColumn): Error {
  return new Error(`a slot lies in columns of one storage, but one batch has it as ${kind}`)
}

function gatherValidity(columns: readonly SlotColumn[], { count, batches, rows }: GatheredRows) {
  if (columns.every((column) => column.validity === null)) return { nullCount: 0, validity: null }
  const validity = new Uint8Array((count + 7) >> 3)
  let present = 0
  for (let i = 0; i < count; i++) {
    if (!isPresent(columns[batches[i]!]!, rows[i]!)) continue
    validity[i >> 3]! |= 1 << (i & 7)
    present++
  }
  return { nullCount: count - present, validity }
}

function gatherWide(columns: readonly SlotColumn[], { count, batches, rows }: GatheredRows): BigInt64Array {
  const sources = columns.map((column) => {
    if (column.kind !== 'int64') throw mixed(column)
    return wordsOf(column.values)
  })
  const values = new BigInt64Array(count)
  const words = wordsOf(values)
  for (let i = 0; i < count; i++) {
    const source = sources[batches[i]!]!
    words[2 * i] = source[2 * rows[i]!]!
    words[2 * i + 1] = source[2 * rows[i]! + 1]!
  }
  return values
}

function gatherText(columns: readonly SlotColumn[], { count, batches, rows }: GatheredRows): BytesColumn {
  const pieces: Uint8Array[] = []
  const offsets = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) {
    const piece = textAt(columns[batches[i]!]!, rows[i]!)
    pieces.push(piece)
    offsets[i + 1] = offsets[i]! + piece.length
  }
  const data = Buffer.concat(pieces)
  return { kind: 'bytes', length: count, nullCount: 0, validity: null, offsets, data, gap: 0 }
}

function textAt(column: SlotColumn, row: number): Uint8Array {
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') throw mixed(column)
  const entry = column.kind === 'dictionary' ? column.codes[row]! : row
  return bytes.data.subarray(
    bytes.offsets[entry]!,
    Math.max(bytes.offsets[entry]!, bytes.offsets[entry + 1]! - bytes.gap),
  )
}
