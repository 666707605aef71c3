import { PageError } from './page-error.ts'

/**
 * Parquet's RLE / bit-packed hybrid: runs of one repeated value, and runs of eight values each in `width` bits. Source:
 * Apache Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

/** One run, where it lies. A repeated value is in `value`; packed values begin at byte `start`. */
interface Run {
  packed: boolean
  start: number
  value: number
  /** Of the values still wanted. */
  count: number
}

/** Calls `take` for each run that makes up `count` integers of `width` bits. The run object is reused. */
function eachRun(bytes: Uint8Array, width: number, count: number, take: (run: Run, done: number) => void): void {
  const run: Run = { packed: false, start: 0, value: 0, count: 0 }
  const valueBytes = (width + 7) >> 3
  let at = 0
  let done = 0
  while (done < count) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw tooFew(count, done)
      const byte = bytes[at++]!
      header |= (byte & 0x7f) << shift
      if (byte < 128) break
    }
    const left = count - done
    run.packed = (header & 1) === 1
    run.start = at
    if (run.packed) {
      run.count = Math.min((header >>> 1) * 8, left)
      if (at + Math.ceil((run.count * width) / 8) > bytes.length) throw tooFew(count, done)
      at += (header >>> 1) * width
    } else {
      run.count = Math.min(header >>> 1, left)
      if (at + valueBytes > bytes.length) throw tooFew(count, done)
      run.value = 0
      for (let i = 0; i < valueBytes; i++) run.value |= bytes[at++]! << (8 * i)
    }
    // A run of no values is allowed: some writers end with one.
    take(run, done)
    done += run.count
  }
}

function tooFew(count: number, done: number): PageError {
  return new PageError(`expected ${count} encoded integers, found ${done}`)
}

/** Integers unpacked at once: few enough to count their bits in 32 bits. */
const UNPACKED_AT_ONCE = 2 ** 24

/** Decodes `count` integers of `width` bits into `output` from `first` on. */
export function decodeHybrid(
  bytes: Uint8Array,
  width: number,
  output: Int32Array | Uint8Array,
  first: number,
  count: number,
): void {
  if (width > 32) throw new PageError(`expected integers of at most 32 bits, found ${width}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  eachRun(bytes, width, count, (run, done) => {
    if (run.packed) {
      for (let at = 0; at < run.count; at += UNPACKED_AT_ONCE) {
        const slice = Math.min(UNPACKED_AT_ONCE, run.count - at)
        unpack(bytes, view, run.start + (at / 8) * width, width, output, first + done + at, slice)
      }
    } else output.fill(run.value, first + done, first + done + run.count)
  })
}

/**
 * Decodes `count` integers of one bit straight into a bitmap, from bit `first` on, where it holds zeros.
 *
 * @returns How many of the bits are set.
 */
export function decodeBits(bytes: Uint8Array, bitmap: Uint8Array, first: number, count: number): number {
  let set = 0
  eachRun(bytes, 1, count, (run, done) => {
    if (run.packed) set += copyBits(bytes, run.start, bitmap, first + done, run.count)
    else if (run.value !== 0) {
      setBits(bitmap, first + done, run.count)
      set += run.count
    }
  })
  return set
}

/** Sets `count` bits from bit `first` on. */
export function setBits(bitmap: Uint8Array, first: number, count: number): void {
  const end = first + count
  let bit = first
  for (; bit < end && (bit & 7) !== 0; bit++) bitmap[bit >> 3]! |= 1 << (bit & 7)
  if (bit < end) bitmap.fill(0xff, bit >> 3, end >> 3)
  for (bit = Math.max(bit, end & ~7); bit < end; bit++) bitmap[bit >> 3]! |= 1 << (bit & 7)
}

/**
 * Copies bits that begin at a byte to bit `first` on of a bitmap, where it holds zeros.
 *
 * @returns How many of the bits are set.
 */
export function copyBits(bytes: Uint8Array, start: number, bitmap: Uint8Array, first: number, count: number): number {
  const shift = first & 7
  let to = first >> 3
  let set = 0
  for (let done = 0; done < count; done += 8) {
    let byte = bytes[start + (done >> 3)]!
    if (count - done < 8) byte &= (1 << (count - done)) - 1
    set += bitsIn(byte)
    bitmap[to++]! |= byte << shift
    if (shift !== 0 && to < bitmap.length) bitmap[to]! |= byte >> (8 - shift)
  }
  return set
}

function bitsIn(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55)
  const quads = (pairs & 0x33) + ((pairs >> 2) & 0x33)
  return (quads + (quads >> 4)) & 0x0f
}

function unpack(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  width: number,
  output: Int32Array | Uint8Array,
  first: number,
  count: number,
): void {
  if (width === 8) {
    for (let i = 0; i < count; i++) output[first + i] = bytes[start + i]!
    return
  }
  // Up to 25 bits lie within four bytes, wherever they begin; the last of a page are taken byte by byte.
  const whole = width > 25 ? 0 : Math.max(0, Math.min(count, Math.floor(((bytes.length - start - 4) * 8) / width)))
  const mask = 2 ** width - 1
  let bit = 0
  for (let i = 0; i < whole; i++, bit += width) {
    output[first + i] = (view.getInt32(start + (bit >>> 3), true) >>> (bit & 7)) & mask
  }
  for (let i = whole; i < count; i++, bit += width) {
    output[first + i] = bitsAt(bytes, start + (bit >>> 3), bit & 7, width)
  }
}

/** Up to 32 bits, least significant first, from bit `bit` (0 to 7) of byte `at` on; zeros beyond the end. */
export function bitsAt(bytes: Uint8Array, at: number, bit: number, width: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  let value = low >>> bit
  if (bit + width > 32) value |= bytes[at + 4]! << (32 - bit)
  return width === 32 ? value | 0 : value & ((1 << width) - 1)
}
