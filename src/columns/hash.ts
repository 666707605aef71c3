/**
 * The hash that decides which bucket a key belongs to: MurmurHash3 x86 32-bit, seed 0, over the key's bytes, by Austin
 * Appleby (public domain). It is part of the format: with all of a key's columns `get` finds its part file by it.
 */

/** Of one byte range. For many of the same bytes, `hashRange` over one view of them costs less. */
export function hashBytes(bytes: Uint8Array, start: number, length: number): number {
  return hashRange(viewOf(bytes), start, length)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function hashRange(view: DataView, start: number, length: number): number {
  let hash = 0
  let at = start
  for (const end = start + (length & ~3); at < end; at += 4) {
    let k = Math.imul(view.getInt32(at, true), 0xcc9e2d51)
    k = (k << 15) | (k >>> 17)
    hash ^= Math.imul(k, 0x1b873593)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  const rest = length & 3
  if (rest > 0) {
    let k = view.getUint8(at)
    if (rest > 1) k |= view.getUint8(at + 1) << 8
    if (rest > 2) k |= view.getUint8(at + 2) << 16
    k = Math.imul(k, 0xcc9e2d51)
    k = (k << 15) | (k >>> 17)
    hash ^= Math.imul(k, 0x1b873593)
  }
  return finish(hash ^ length)
}

/** The final mix of MurmurHash3: spreads every bit of an integer over all 32. A bijection. */
export function finish(value: number): number {
  let hash = value
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Hashes of many byte ranges at once. */
export function hashAll(
  data: Uint8Array,
  starts: Int32Array,
  lengths: Int32Array,
  count: number,
  hashes: Int32Array,
): void {
  const view = viewOf(data)
  for (let i = 0; i < count; i++) hashes[i] = hashRange(view, starts[i]!, lengths[i]!)
}

/** The bucket of a hash among 2^`bits`: its top bits, so that neighbouring buckets can be joined into parts. */
export function bucketOf(hash: number, bits: number): number {
  return bits === 0 ? 0 : hash >>> (32 - bits)
}
