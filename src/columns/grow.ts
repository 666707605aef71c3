type Numbers = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array | BigInt64Array

/** The same kind of array in memory of its own, not that of the given one. */
type Owned<T extends Numbers> = T extends Uint8Array
  ? Uint8Array<ArrayBuffer>
  : T extends Uint16Array
    ? Uint16Array<ArrayBuffer>
    : T extends Int32Array
      ? Int32Array<ArrayBuffer>
      : T extends Uint32Array
        ? Uint32Array<ArrayBuffer>
        : T extends Float64Array
          ? Float64Array<ArrayBuffer>
          : BigInt64Array<ArrayBuffer>

/**
 * The same numbers in a new array with room for `length`.
 *
 * @param used How many of them are kept, at most `length`.
 */
export function resized<T extends Numbers>(array: T, length: number, used = array.length): Owned<T> {
  const larger = new (array.constructor as new (length: number) => T)(length)
  copyInto(array, larger, used)
  return larger as unknown as Owned<T>
}

/** The same numbers with room for at least twice as many, so that adding one by one copies each a few times at most. */
export function grown<T extends Numbers>(array: T, atLeast = 16, used = array.length): Owned<T> {
  return resized(array, Math.max(array.length * 2, atLeast), used)
}

/** The array itself where it has room for `count`; else its first `used` numbers, grown. */
export function withRoom<T extends Numbers>(array: T, count: number, used = array.length): T | Owned<T> {
  return count > array.length ? grown(array, count, used) : array
}

/**
 * Copies the first `count` values of an array to the beginning of another of the same kind.
 *
 * @param from An empty list goes with any kind.
 * @returns `to`.
 */
export function copyInto<T extends Numbers | unknown[]>(from: Numbers | unknown[], to: T, count = from.length): T {
  if (Array.isArray(from)) for (let i = 0; i < count; i++) (to as unknown[])[i] = from[i]
  else (to as Int32Array).set((count === from.length ? from : from.subarray(0, count)) as Int32Array)
  return to
}
