/**
 * INT96, as Impala and Spark write moments: nanoseconds of the day, then the Julian day. As nanoseconds since 1970 they
 * reach from 1677 to 2262 in 64 bits; a column with a moment beyond holds bigints.
 */

const JULIAN_DAY_OF_1970 = 2_440_588
const NANOSECONDS_A_DAY = 86_400_000_000_000n
/** Its upper and lower 32 bits. */
const DAY_HIGH = Number(NANOSECONDS_A_DAY >> 32n)
const DAY_LOW = Number(BigInt.asUintN(32, NANOSECONDS_A_DAY))
/** Any time of these days fits 64 bits. */
const DAYS_MAX = 106_750
const TWO_TO_32 = 2 ** 32

/** Decodes `count` PLAIN values; bigints where one of them doesn't fit. */
export function decodeInt96(bytes: Uint8Array, count: number): BigInt64Array | bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const output = new BigInt64Array(count)
  const words = new Int32Array(output.buffer)
  for (let i = 0; i < count; i++) {
    const days = view.getInt32(12 * i + 8, true) - JULIAN_DAY_OF_1970
    const high = view.getInt32(12 * i + 4, true)
    // A time of day has 47 bits.
    if (days < -DAYS_MAX || days > DAYS_MAX || high < 0 || high > 0xffff) return decodeSlowly(view, count)
    const low = days * DAY_LOW + view.getUint32(12 * i, true)
    const carry = Math.floor(low / TWO_TO_32)
    words[2 * i] = low - carry * TWO_TO_32
    words[2 * i + 1] = days * DAY_HIGH + high + carry
  }
  return output
}

function decodeSlowly(view: DataView, count: number): BigInt64Array | bigint[] {
  const moments = Array.from({ length: count }, (_, i) => {
    const days = BigInt(view.getInt32(12 * i + 8, true) - JULIAN_DAY_OF_1970)
    return days * NANOSECONDS_A_DAY + view.getBigInt64(12 * i, true)
  })
  return moments.every((moment) => BigInt.asIntN(64, moment) === moment) ? BigInt64Array.from(moments) : moments
}
