/** The same numbers with room for at least twice as many. */
export function grown(array: Int32Array, atLeast = 16): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(array.length * 2, atLeast))
  larger.set(array)
  return larger
}
