import type { Column } from '../model/column.ts'
import { type RowLayout, rowSource } from '../view/row-layout.ts'

/** Rows to be packed: which row of the columns, and its key. */
export interface PackInput {
  readonly count: number
  readonly rows: Int32Array
  readonly hashes: Int32Array
  readonly keyData: Uint8Array
  readonly keyStarts: Int32Array
  readonly keyLengths: Int32Array
  /** By row of the columns. */
  readonly typeCodes: Uint16Array
  /** By slot of the layout. */
  readonly columns: readonly Column[]
}

export interface Packed {
  readonly words: Int32Array
  readonly starts: Int32Array
}

/** @param allocate Gives the memory to pack into; its previous contents don't matter. */
export type Packer = (input: PackInput, bucketBits: number, allocate: (words: number) => Int32Array) => Packed

/**
 * Makes the function that packs rows of a layout into buckets: measure each row, lay the buckets out
 * consecutively, then write each row at its bucket's cursor. The writing loop is generated, as it differs by layout.
 */
export function compilePacker(layout: RowLayout): Packer {
  const scatter = new Function(scatterSource(layout))() as Scatter
  return (input, bucketBits, allocate) => {
    const buckets = 2 ** bucketBits
    const starts = new Int32Array(buckets + 1)
    const stringWords = measureStrings(layout, input)
    measureRows(layout, input, stringWords, bucketBits, starts)
    for (let bucket = 0; bucket < buckets; bucket++) starts[bucket + 1]! += starts[bucket]!
    const words = allocate(starts[buckets]!)
    scatter(input, stringWords, starts.slice(), words, bufferOver(words), bucketBits, input.columns.map(packable))
    return { words, starts }
  }
}

type Scatter = (
  input: PackInput,
  stringWords: Int32Array | null,
  cursors: Int32Array,
  words: Int32Array,
  bytes: Uint8Array,
  bucketBits: number,
  columns: readonly PackableColumn[],
) => void

function bufferOver(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

/** Words of each row's strings that have no code; null where the layout has no such strings. */
function measureStrings(layout: RowLayout, { count, rows, columns }: PackInput): Int32Array | null {
  let sizes: Int32Array | null = null
  layout.slots.forEach((slot, index) => {
    const column = columns[index]!
    if (slot.storage !== 'str' || column.kind !== 'bytes') return
    const { offsets, gap } = column
    sizes ??= new Int32Array(count)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      sizes[i]! += offsets[row + 1]! - offsets[row]! - gap
    }
  })
  const bytes = sizes as Int32Array | null
  if (bytes !== null) for (let i = 0; i < count; i++) bytes[i] = (bytes[i]! + 3) >> 2
  return bytes
}

/** Adds up the words of all rows by bucket, each in the place after its own. */
function measureRows(
  layout: RowLayout,
  { count, keyLengths, hashes }: PackInput,
  stringWords: Int32Array | null,
  bucketBits: number,
  starts: Int32Array,
): void {
  const fixed = layout.fixedWords
  const shift = 32 - bucketBits
  const mask = bucketBits === 0 ? 0 : -1
  for (let i = 0; i < count; i++) {
    const strings = stringWords === null ? 0 : stringWords[i]!
    starts[((hashes[i]! >>> shift) & mask) + 1]! += fixed + ((keyLengths[i]! + 3) >> 2) + strings
  }
}

/** A column as the generated loop takes it. */
interface PackableColumn {
  /** 32-bit words, bits, dictionary codes or offsets. */
  readonly values: Int32Array | Uint8Array
  readonly validity: Uint8Array | null
  /** Bytes of uncoded strings; null where `values` are codes. */
  readonly data: Uint8Array | null
  readonly gap: number
}

function packable(column: Column): PackableColumn {
  const base = { validity: column.validity, data: null, gap: 0 }
  switch (column.kind) {
    case 'int32':
      return { ...base, values: column.values }
    case 'int64':
    case 'float64':
      return { ...base, values: new Int32Array(column.values.buffer, column.values.byteOffset, column.length * 2) }
    case 'bool':
      return { ...base, values: column.bits }
    case 'dictionary':
      return { ...base, values: column.codes }
    case 'bytes':
      return { ...base, values: column.offsets, data: column.data, gap: column.gap }
    case 'values':
      throw new Error('nested values are brought into a slot before they are packed')
  }
}

function scatterSource(layout: RowLayout): string {
  const { slots, nullWords, fixedWords } = layout
  const bind = slots.map((_, i) => `const { values: c${i}, validity: v${i}, data: b${i}, gap: g${i} } = columns[${i}];`)
  const nulls = Array.from({ length: nullWords }, (_, word) => {
    const bits = slots.flatMap((slot, i) =>
      slot.nullBit >> 5 === word
        ? [`(v${i} !== null && (v${i}[r >> 3] & (1 << (r & 7))) === 0 ? ${1 << (slot.nullBit & 31)} : 0)`]
        : [],
    )
    return `${rowSource.nullWord('words', 'q', word)} = ${bits.join(' | ')};`
  })
  const fixed = slots.map(({ storage, word }, i) => {
    if (storage === 'i64' || storage === 'f64')
      return `words[q + ${word}] = c${i}[2 * r]; words[q + ${word + 1}] = c${i}[2 * r + 1];`
    if (storage === 'bool') return `words[q + ${word}] = (c${i}[r >> 3] >> (r & 7)) & 1;`
    if (storage === 'i32') return `words[q + ${word}] = c${i}[r];`
    return `if (b${i} === null) words[q + ${word}] = c${i}[r]; else words[q + ${word}] = c${i}[r] - c${i}[r + 1] + g${i} - 1;`
  })
  const strings = slots.flatMap(({ storage }, i) =>
    storage !== 'str'
      ? []
      : [
          `if (b${i} !== null) { const end = c${i}[r + 1] - g${i}; for (let j = c${i}[r]; j < end; j++) bytes[at++] = b${i}[j]; }`,
        ],
  )
  return `'use strict';
return (input, stringWords, cursors, words, bytes, bucketBits, columns) => {
  const { count, rows, hashes, keyData, keyStarts, keyLengths, typeCodes } = input;
  const shift = 32 - bucketBits, mask = bucketBits === 0 ? 0 : -1;
  const keys = new DataView(keyData.buffer, keyData.byteOffset, keyData.byteLength);
  ${bind.join('\n  ')}
  for (let i = 0; i < count; i++) {
    const r = rows[i], hash = hashes[i], length = keyLengths[i], start = keyStarts[i];
    const bucket = (hash >>> shift) & mask;
    const q = cursors[bucket];
    const size = ${fixedWords} + ((length + 3) >> 2) + (stringWords === null ? 0 : stringWords[i]);
    cursors[bucket] = q + size;
    ${rowSource.writeHeader('words', 'q', { hash: 'hash', size: 'size', typeCode: 'typeCodes[r]', keyLength: 'length' })}
    ${[...nulls, ...fixed].join('\n    ')}
    let to = q + ${fixedWords}, from = start;
    for (const end = start + (length & ~3); from < end; from += 4) words[to++] = keys.getInt32(from, true);
    if (from < start + length) {
      let rest = 0;
      for (let shift = 0; from < start + length; from++, shift += 8) rest |= keyData[from] << shift;
      words[to] = rest;
    }
    ${strings.length === 0 ? '' : `let at = (q + ${fixedWords} + ((length + 3) >> 2)) * 4; ${strings.join(' ')}`}
  }
}`
}
