import { copyBits, decodeBits, decodeHybrid, setBits } from './hybrid.ts'
import { PageError } from './page-error.ts'
import type { DataPage } from './pages.ts'

/** Which rows are present, gathered page by page. The bitmap is made when the first page that may hold nulls is met. */
export class Presence {
  nullCount = 0
  #bitmap: Uint8Array | null = null
  #row = 0
  readonly #rows: number
  readonly #max: number

  constructor(rows: number, maxDefinitionLevel: number) {
    this.#rows = rows
    this.#max = maxDefinitionLevel
  }

  /** Arrow's validity bitmap, null where all rows so far are present. */
  get validity(): Uint8Array | null {
    return this.nullCount === 0 ? null : this.#bitmap
  }

  /** @returns How many of the page's rows are present. */
  add(page: DataPage): number {
    const first = this.#row
    this.#row += page.slots
    if (this.#max === 0 || page.slots === 0 || isOneRun(page, this.#max)) {
      if (this.#bitmap !== null) setBits(this.#bitmap, first, page.slots)
      return page.slots
    }
    if (this.#bitmap === null) {
      this.#bitmap = new Uint8Array((this.#rows + 7) >> 3)
      setBits(this.#bitmap, 0, first)
    }
    // Levels of one bit are the bitmap itself.
    const present =
      this.#max === 1
        ? decodeBits(page.definition, this.#bitmap, first, page.slots)
        : setWhereHighest(decodeLevels(page.definition, this.#max, page.slots), this.#max, this.#bitmap, first)
    this.nullCount += page.slots - present
    return present
  }
}

/** Whether the levels are one run of the highest level over the whole page: no nulls, the usual case. */
function isOneRun({ definition, slots }: DataPage, max: number): boolean {
  let header = 0
  let at = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = definition[at++]
    if (byte === undefined) return false
    header |= (byte & 0x7f) << shift
    if (byte < 128) break
  }
  return (header & 1) === 0 && header >>> 1 >= slots && definition[at] === max
}

function setWhereHighest(levels: Uint8Array, max: number, bitmap: Uint8Array, first: number): number {
  let present = 0
  for (let i = 0; i < levels.length; i++) {
    if (levels[i] !== max) continue
    bitmap[(first + i) >> 3]! |= 1 << ((first + i) & 7)
    present++
  }
  return present
}

/** Definition or repetition levels, one a value. */
export function decodeLevels(bytes: Uint8Array, max: number, count: number): Uint8Array {
  if (max > 255) throw new PageError(`expected values nested at most 255 levels deep, found ${max}`)
  const levels = new Uint8Array(count)
  decodeHybrid(bytes, 32 - Math.clz32(max), levels, 0, count)
  for (let i = 0; i < count; i++)
    if (levels[i]! > max) throw new PageError(`expected levels of at most ${max}, found ${levels[i]}`)
  return levels
}

/**
 * Moves values that are contiguous from row `first` on to the rows that are present, and puts zeros under nulls.
 * From the end, so that none is overwritten. Values are moved as 32-bit words, because 64-bit ones would become BigInts.
 */
export function spread(
  values: Int32Array | BigInt64Array | Float64Array,
  first: number,
  rows: number,
  present: number,
  validity: Uint8Array | null,
): void {
  if (present === rows || validity === null) return
  const words = new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4)
  if (values.BYTES_PER_ELEMENT === 4) spreadSingle(words, first, rows, present, validity)
  else spreadPairs(words, first, rows, present, validity)
}

function spreadSingle(words: Int32Array, first: number, rows: number, present: number, validity: Uint8Array): void {
  let from = first + present - 1
  // Once a row's value is where it belongs, so are all before it.
  for (let row = first + rows - 1; row > from; row--) {
    words[row] = (validity[row >> 3]! & (1 << (row & 7))) !== 0 ? words[from--]! : 0
  }
}

function spreadPairs(words: Int32Array, first: number, rows: number, present: number, validity: Uint8Array): void {
  let from = first + present - 1
  for (let row = first + rows - 1; row > from; row--) {
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) {
      words[2 * row] = words[2 * from]!
      words[2 * row + 1] = words[2 * from + 1]!
      from--
    } else {
      words[2 * row] = 0
      words[2 * row + 1] = 0
    }
  }
}

/** The same for bits: `dense` holds those of the present rows. */
export function spreadBits(
  dense: Uint8Array,
  bits: Uint8Array,
  first: number,
  rows: number,
  present: number,
  validity: Uint8Array | null,
): void {
  if (present === rows || validity === null) {
    copyBits(dense, 0, bits, first, rows)
    return
  }
  let from = 0
  for (let row = first; row < first + rows; row++) {
    if ((validity[row >> 3]! & (1 << (row & 7))) === 0) continue
    if ((dense[from >> 3]! & (1 << (from & 7))) !== 0) bits[row >> 3]! |= 1 << (row & 7)
    from++
  }
}
