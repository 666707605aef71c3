/** Keys of a part: their bytes in one heap, each padded to whole words. */
export interface KeyHeap {
  readonly count: number
  readonly bytes: Uint8Array
  /** First byte of each key. */
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

const INDEX_BITS = 24

/**
 * The keys in ascending order of their bytes. Five bytes behind the prefix that all keys share are sorted first, each
 * with its key's number in the low 24 bits of one 64-bit integer, by the engine's own sort of typed arrays; only keys
 * that agree in those are then compared whole.
 */
export function sortKeys(keys: KeyHeap): Int32Array {
  const { count } = keys
  const order = Int32Array.from({ length: count }, (_, index) => index)
  if (count < 2) return order
  if (count > 2 ** INDEX_BITS) return order.sort((a, b) => compareKeys(keys, a, b))
  const prefix = sharedPrefix(keys)
  const packed = new BigUint64Array(count)
  const words = new Uint32Array(packed.buffer)
  for (let i = 0; i < count; i++) {
    const start = keys.starts[i]! + prefix
    const end = keys.starts[i]! + keys.lengths[i]!
    words[2 * i] = (byteAt(keys.bytes, start + 4, end) << INDEX_BITS) | i
    words[2 * i + 1] =
      (byteAt(keys.bytes, start, end) << 24) |
      (byteAt(keys.bytes, start + 1, end) << 16) |
      (byteAt(keys.bytes, start + 2, end) << 8) |
      byteAt(keys.bytes, start + 3, end)
  }
  packed.sort()
  for (let i = 0; i < count; i++) order[i] = words[2 * i]! & 0xffffff
  sortTies(keys, order, words)
  return order
}

function byteAt(bytes: Uint8Array, at: number, end: number): number {
  return at < end ? bytes[at]! : 0
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

function sortTies(keys: KeyHeap, order: Int32Array, words: Uint32Array): void {
  const count = order.length
  let from = 0
  for (let i = 1; i <= count; i++) {
    const tied =
      i < count && words[2 * i + 1] === words[2 * from + 1] && words[2 * i]! >>> 24 === words[2 * from]! >>> 24
    if (tied) continue
    if (i - from > 1) order.subarray(from, i).sort((a, b) => compareKeys(keys, a, b))
    from = i
  }
}

export function compareKeys(keys: KeyHeap, a: number, b: number): number {
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
