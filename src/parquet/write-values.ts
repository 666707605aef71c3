import type { BoolColumn, BytesColumn, Column, DictionaryColumn, ValuesColumn } from '../model/column.ts'

/**
 * The bytes of one data page: Arrow's layout in, Parquet's PLAIN layout out. Both are little-endian, and so is every
 * machine that Node.js runs on but one, so fixed-width values are copied as they lie.
 *
 *     definition levels, only where the column is nullable: [u32 length][runs of the RLE / bit-packed hybrid]
 *     values that are present: PLAIN, or with a dictionary [u8 bit width][runs of the RLE / bit-packed hybrid]
 *
 * A definition level is 1 where a row has a value, so the bit-packed levels of a page are its validity bitmap.
 */

export type FlatColumn = Exclude<Column, DictionaryColumn | ValuesColumn>

/** The present values of a run of rows: `count` values of `column`, contiguous from `first`, or at `positions`. */
export interface PageValues {
  readonly column: FlatColumn
  readonly first: number
  readonly positions: Int32Array | null
  readonly count: number
}

/** Picks the present values of rows `from` to `to`; a dictionary column's are those of its dictionary. */
export function selectValues(column: Exclude<Column, ValuesColumn>, from: number, to: number): PageValues {
  const present = column.nullCount === 0 ? null : presentRows(column.validity, from, to)
  if (column.kind !== 'dictionary') {
    return { column, first: from, positions: present, count: present === null ? to - from : present.length }
  }
  const positions = present === null ? column.codes.subarray(from, to) : gatherWords(column.codes, 1, present)
  return { column: column.dictionary, first: 0, positions, count: positions.length }
}

/** The rows that have a value, or `null` where all have. */
function presentRows(validity: Uint8Array | null, from: number, to: number): Int32Array | null {
  if (validity === null) return null
  const rows = new Int32Array(to - from)
  let count = 0
  for (let row = from; row < to; row++) {
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) rows[count++] = row
  }
  return count === to - from ? null : rows.subarray(0, count)
}

/** Definition levels of rows `from` to `to`, of which `present` have a value, with their length first. */
export function definitionLevels(column: Column, from: number, to: number, present: number): Uint8Array {
  const rows = to - from
  const runs: number[] = []
  if (present === 0 || present === rows) {
    pushVarint(runs, rows << 1)
    return withLength(Uint8Array.of(...runs, present === 0 ? 0 : 1))
  }
  pushVarint(runs, (((rows + 7) >> 3) << 1) | 1)
  const bits = copyBits(column.validity!, from, rows)
  const levels = new Uint8Array(runs.length + bits.length)
  levels.set(runs)
  levels.set(bits, runs.length)
  return withLength(levels)
}

function withLength(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(4 + bytes.length)
  new DataView(result.buffer).setUint32(0, bytes.length, true)
  result.set(bytes, 4)
  return result
}

/** `count` bits from bit `first`, moved to the start of a byte; bits after them are 0. */
function copyBits(source: Uint8Array, first: number, count: number): Uint8Array {
  const bytes = (count + 7) >> 3
  const target = new Uint8Array(bytes)
  const start = first >> 3
  const shift = first & 7
  if (shift === 0) target.set(source.subarray(start, start + bytes))
  else {
    for (let index = 0; index < bytes; index++) {
      target[index] = (source[start + index]! >> shift) | ((source[start + index + 1] ?? 0) << (8 - shift))
    }
  }
  if ((count & 7) !== 0) target[bytes - 1]! &= (1 << (count & 7)) - 1
  return target
}

/**
 * The values in PLAIN encoding, after `prefix`.
 *
 * @param fixed Bytes have one length, which is not written.
 */
export function plainPage(prefix: Uint8Array, values: PageValues, fixed: boolean): Uint8Array {
  const body = new Uint8Array(prefix.length + plainBytes(values, fixed))
  body.set(prefix)
  writePlain(values, body, prefix.length, fixed)
  return body
}

function plainBytes(values: PageValues, fixed: boolean): number {
  const { column, count } = values
  switch (column.kind) {
    case 'int32':
      return 4 * count
    case 'int64':
    case 'float64':
      return 8 * count
    case 'bool':
      return (count + 7) >> 3
    case 'bytes':
      return (fixed ? 0 : 4 * count) + valueBytes(column, values)
  }
}

/** Bytes of all values, without their lengths. */
function valueBytes(column: BytesColumn, { first, positions, count }: PageValues): number {
  const { offsets, gap } = column
  if (positions === null) return offsets[first + count]! - offsets[first]! - gap * count
  let total = 0
  for (let index = 0; index < count; index++) {
    const position = positions[index]!
    total += offsets[position + 1]! - gap - offsets[position]!
  }
  return total
}

function writePlain(values: PageValues, target: Uint8Array, at: number, fixed: boolean): void {
  const { column, first, positions, count } = values
  switch (column.kind) {
    case 'int32':
    case 'int64':
    case 'float64': {
      const width = column.kind === 'int32' ? 1 : 2
      const { buffer, byteOffset } = column.values
      if (positions === null) {
        target.set(new Uint8Array(buffer, byteOffset + 4 * width * first, 4 * width * count), at)
      } else {
        const words = new Int32Array(buffer, byteOffset, width * column.length)
        const gathered = gatherWords(words, width, positions)
        target.set(new Uint8Array(gathered.buffer), at)
      }
      break
    }
    case 'bool':
      target.set(positions === null ? copyBits(column.bits, first, count) : gatherBits(column, positions), at)
      break
    case 'bytes':
      if (fixed) writeFixed(column, values, target, at)
      else writeBytes(column, values, target, at)
  }
}

function writeFixed(column: BytesColumn, values: PageValues, target: Uint8Array, start: number): void {
  const { data, offsets, gap } = column
  const { first, positions, count } = values
  let at = start
  for (let index = 0; index < count; index++) {
    const position = positions === null ? first + index : positions[index]!
    const to = offsets[position + 1]! - gap
    for (let from = offsets[position]!; from < to; from++) target[at++] = data[from]!
  }
}

/** Values as 32-bit words, so that no bigint is made and no NaN is changed on the way. */
function gatherWords(words: Int32Array, width: 1 | 2, positions: Int32Array): Int32Array {
  const gathered = new Int32Array(width * positions.length)
  if (width === 1) {
    for (let index = 0; index < positions.length; index++) gathered[index] = words[positions[index]!]!
    return gathered
  }
  for (let index = 0; index < positions.length; index++) {
    const position = 2 * positions[index]!
    gathered[2 * index] = words[position]!
    gathered[2 * index + 1] = words[position + 1]!
  }
  return gathered
}

function gatherBits(column: BoolColumn, positions: Int32Array): Uint8Array {
  const bits = new Uint8Array((positions.length + 7) >> 3)
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index]!
    bits[index >> 3]! |= ((column.bits[position >> 3]! >> (position & 7)) & 1) << (index & 7)
  }
  return bits
}

/** Up to this length a loop over the bytes is faster than the call that copies a range. */
const loopBytesMax = 32

function writeBytes(column: BytesColumn, values: PageValues, target: Uint8Array, start: number): void {
  const { data, offsets, gap } = column
  const { first, positions, count } = values
  let at = start
  for (let index = 0; index < count; index++) {
    const position = positions === null ? first + index : positions[index]!
    let from = offsets[position]!
    const to = offsets[position + 1]! - gap
    const length = to - from
    target[at] = length
    target[at + 1] = length >> 8
    target[at + 2] = length >> 16
    target[at + 3] = length >> 24
    at += 4
    if (length <= loopBytesMax) {
      while (from < to) target[at++] = data[from++]!
    } else {
      target.set(data.subarray(from, to), at)
      at += length
    }
  }
}

/** Bits that hold every code of a dictionary of `length` values. */
export function codeBits(length: number): number {
  return Math.max(1, 32 - Math.clz32(length - 1))
}

/**
 * Codes of at most 24 bits as a page of the RLE / bit-packed hybrid, after `prefix`: a run of eight or more equal codes
 * becomes one code with a count, all others are packed in groups of eight.
 */
export function dictionaryPage(prefix: Uint8Array, codes: Int32Array, bits: number): Uint8Array {
  const bytes: Uint8Array = new Uint8Array(prefix.length + 1 + 5 * codes.length + 16)
  bytes.set(prefix)
  bytes[prefix.length] = bits
  let at = prefix.length + 1
  let packedFrom = 0
  let index = 0
  while (index < codes.length) {
    let end = index + 1
    while (end < codes.length && codes[end] === codes[index]) end++
    if (end - index < 8) {
      index += 8
      continue
    }
    at = packCodes(bytes, at, codes, packedFrom, index, bits)
    at = writeVarint(bytes, at, (end - index) << 1)
    for (let shift = 0; shift < bits; shift += 8) bytes[at++] = codes[index]! >> shift
    index = end
    packedFrom = end
  }
  at = packCodes(bytes, at, codes, packedFrom, codes.length, bits)
  return bytes.slice(0, at)
}

/** One bit-packed run of codes `from` to `to`, filled up with zeros to a whole group of eight. */
function packCodes(
  target: Uint8Array,
  start: number,
  codes: Int32Array,
  from: number,
  to: number,
  bits: number,
): number {
  if (to <= from) return start
  const groups = (to - from + 7) >> 3
  let at = writeVarint(target, start, (groups << 1) | 1)
  let pending = 0
  let pendingBits = 0
  for (let index = from; index < from + 8 * groups; index++) {
    pending |= (index < to ? codes[index]! : 0) << pendingBits
    pendingBits += bits
    while (pendingBits >= 8) {
      target[at++] = pending
      pending >>>= 8
      pendingBits -= 8
    }
  }
  return at
}

function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest > 127) {
    target[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

function pushVarint(target: number[], value: number): void {
  const bytes = new Uint8Array(5)
  target.push(...bytes.subarray(0, writeVarint(bytes, 0, value)))
}
