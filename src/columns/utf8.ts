import { isAscii, isUtf8 } from 'node:buffer'
import { type BytesColumn, isPresent } from '../model/column.ts'

/**
 * Text has one encoding: what is no UTF-8, and strings that UTF-8 can't encode (with half of a surrogate pair), would all
 * become U+FFFD, so that different values became one. Both are looked for by the column, where it costs next to nothing.
 */

/**
 * The first present row whose bytes are no UTF-8; −1 where there is none. All bytes are looked at together first: as a
 * length in front of a value is ASCII itself below 128, most columns need no more than that.
 */
export function firstNotUtf8(column: BytesColumn): number {
  const { data, offsets, gap, length } = column
  if (length === 0) return -1
  const whole = data.subarray(offsets[0]!, Math.max(offsets[0]!, offsets[length]! - gap))
  if (isAscii(whole) || (gap === 0 && isUtf8(whole) && beginsCharacters(column))) return -1
  for (let row = 0; row < length; row++) {
    const value = data.subarray(offsets[row]!, offsets[row + 1]! - gap)
    if (isPresent(column, row) && !isUtf8(value)) return row
  }
  return -1
}

/** Whether no value begins within a character: two values that are no UTF-8 may be so together. */
function beginsCharacters({ data, offsets, length }: BytesColumn): boolean {
  for (let row = 1; row < length; row++) if ((data[offsets[row]!]! & 0xc0) === 0x80) return false
  return true
}

/** U+FFFD in UTF-8, which an encoder puts in place of what it can't encode. */
const REPLACEMENT = Buffer.of(0xef, 0xbf, 0xbd)

/**
 * The first of some texts that UTF-8 can't encode; −1 where there is none.
 *
 * @param encoded The bytes of all of them, as an encoder made them.
 */
export function firstNotEncodable(encoded: Uint8Array, texts: Iterable<unknown>): number {
  if (!Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).includes(REPLACEMENT)) return -1
  let row = 0
  for (const text of texts) {
    if (typeof text === 'string' && !text.isWellFormed()) return row
    row++
  }
  return -1
}

/** Whether decoding bytes of a text lost any: only then they hold more than U+FFFD itself. */
export function lostInDecoding(text: string, bytes: () => Uint8Array): boolean {
  return text.includes('\ufffd') && !isUtf8(bytes())
}

/** What a text that UTF-8 can't encode is expected to be, in messages. */
export const encodableText = 'text that UTF-8 can encode, without half of a surrogate pair'
