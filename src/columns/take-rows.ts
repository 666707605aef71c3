import { type Column, isPresent } from '../model/column.ts'

/** Some rows of a column, in any order and as often as they are named. */
export function takeRows(column: Column, rows: Int32Array): Column {
  const { validity, nullCount } = takeValidity(column, rows)
  const base = { length: rows.length, validity, nullCount }
  switch (column.kind) {
    case 'int32':
      return { ...base, kind: 'int32', values: taken(column.values, rows, new Int32Array(rows.length)) }
    case 'int64': {
      const values = new BigInt64Array(rows.length)
      const to = new Int32Array(values.buffer)
      const from = new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2)
      for (let i = 0; i < rows.length; i++) {
        to[2 * i] = from[2 * rows[i]!]!
        to[2 * i + 1] = from[2 * rows[i]! + 1]!
      }
      return { ...base, kind: 'int64', values }
    }
    case 'float64':
      return { ...base, kind: 'float64', values: taken(column.values, rows, new Float64Array(rows.length)) }
    case 'bool': {
      const bits = new Uint8Array((rows.length + 7) >> 3)
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!
        if ((column.bits[row >> 3]! & (1 << (row & 7))) !== 0) bits[i >> 3]! |= 1 << (i & 7)
      }
      return { ...base, kind: 'bool', bits }
    }
    case 'bytes':
      return { ...base, kind: 'bytes', ...takeBytes(column, rows), gap: 0 }
    case 'dictionary':
      return {
        ...base,
        kind: 'dictionary',
        codes: taken(column.codes, rows, new Int32Array(rows.length)),
        dictionary: column.dictionary,
      }
    case 'values':
      return { ...base, kind: 'values', values: Array.from(rows, (row) => column.values[row]) }
  }
}

/** As `takeRows`, with the strings of a dictionary written out, so that nothing else is kept of the column. */
export function takeRowsWrittenOut(column: Column, rows: Int32Array): Column {
  if (column.kind !== 'dictionary') return takeRows(column, rows)
  const entries = rows.map((row) => column.codes[row]!)
  return { ...takeRows(column.dictionary, entries), ...takeValidity(column, rows) }
}

function taken<T extends Int32Array | Float64Array>(from: T, rows: Int32Array, to: T): T {
  for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]!]!
  return to
}

function takeValidity(column: Column, rows: Int32Array): { validity: Uint8Array | null; nullCount: number } {
  if (column.validity === null) return { validity: null, nullCount: 0 }
  const validity = new Uint8Array((rows.length + 7) >> 3)
  let nullCount = 0
  for (let i = 0; i < rows.length; i++) {
    if (isPresent(column, rows[i]!)) validity[i >> 3]! |= 1 << (i & 7)
    else nullCount++
  }
  return nullCount === 0 ? { validity: null, nullCount } : { validity, nullCount }
}

function takeBytes({ offsets, data, gap }: Extract<Column, { kind: 'bytes' }>, rows: Int32Array) {
  const taken = new Int32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) taken[i + 1] = taken[i]! + offsets[rows[i]! + 1]! - gap - offsets[rows[i]!]!
  const bytes = new Uint8Array(taken[rows.length]!)
  let at = 0
  for (let i = 0; i < rows.length; i++) {
    const end = offsets[rows[i]! + 1]! - gap
    for (let from = offsets[rows[i]!]!; from < end; from++) bytes[at++] = data[from]!
  }
  return { offsets: taken, data: bytes }
}
