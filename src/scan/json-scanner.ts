/**
 * Finds top-level members of JSON objects in their bytes, without parsing the rest into values. It knows plain JSON
 * only: what it can't settle (escapes, long integers, objects that are wanted whole, text that is no JSON) is left to
 * JSON.parse, which also reports errors. What it takes it has read to the end by JSON's grammar (RFC 8259), so that no
 * damaged text passes.
 */
export interface JsonScanner {
  /**
   * @param values By wanted name: where its value goes, at `row`. For a name that is absent nothing is written; of one
   *   that occurs twice, the last counts.
   * @returns Whether all is settled; where not, what was written has no meaning.
   */
  scan(data: Uint8Array, start: number, end: number, values: readonly unknown[][], row: number): boolean
}

/** A scanner for members of these names; null where a name isn't plain ASCII. */
export function makeJsonScanner(names: readonly string[]): JsonScanner | null {
  if (names.some((name) => /[^\x20-\x7f]|["\\]/.test(name))) return null
  const wanted = names.map((name) => Buffer.from(name, 'latin1'))
  return { scan: (data, start, end, values, row) => scanObject(data, start, end, wanted, values, row) }
}

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const COLON = 0x3a
const BRACKET_OPEN = 0x5b
const BACKSLASH = 0x5c
const BRACKET_CLOSE = 0x5d
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

/** Positions only grow: running beyond `end` is detected by the last comparison. */
function scanObject(
  data: Uint8Array,
  start: number,
  end: number,
  wanted: readonly Uint8Array[],
  values: readonly unknown[][],
  row: number,
): boolean {
  let at = skipSpace(data, start)
  if (data[at] !== BRACE_OPEN) return false
  at = skipSpace(data, at + 1)
  if (data[at] === BRACE_CLOSE) return skipSpace(data, at + 1, end) === end
  for (;;) {
    if (data[at] !== QUOTE) return false
    const nameEnd = endOfString(data, at + 1, end)
    if (nameEnd < 0) return false
    const which = indexOfName(data, at + 1, nameEnd, wanted)
    at = skipSpace(data, nameEnd + 1)
    if (data[at] !== COLON) return false
    const from = skipSpace(data, at + 1)
    at = endOfValue(data, from, end, 0)
    if (at < 0 || (which >= 0 && !take(data, from, at, values[which]!, row))) return false
    at = skipSpace(data, at, end)
    if (data[at] === BRACE_CLOSE) return skipSpace(data, at + 1, end) === end
    if (data[at] !== COMMA) return false
    at = skipSpace(data, at + 1)
  }
}

function skipSpace(data: Uint8Array, at: number, end = data.length): number {
  while (at < end) {
    const byte = data[at]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

function indexOfName(data: Uint8Array, start: number, end: number, wanted: readonly Uint8Array[]): number {
  for (let index = 0; index < wanted.length; index++) {
    const name = wanted[index]!
    if (name.length !== end - start) continue
    let same = 0
    while (same < name.length && name[same] === data[start + same]) same++
    if (same === name.length) return index
  }
  return -1
}

/** By byte: 1 where it is literal within a string. */
const standsForItself = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
)

/** @returns Where the closing quote is; −1 for escapes and what no string may hold. */
function endOfString(data: Uint8Array, at: number, end: number): number {
  while (at < end && standsForItself[data[at]!] === 1) at++
  return at < end && data[at] === QUOTE ? at : -1
}

/** Deeper text is for JSON.parse, which knows how deep it may go. */
const DEPTH_MAX = 64

/** @returns Where the value ends that begins here; −1 where that can't be determined. */
function endOfValue(data: Uint8Array, at: number, end: number, depth: number): number {
  const byte = data[at]!
  if (byte === QUOTE) {
    const close = endOfString(data, at + 1, end)
    return close < 0 ? -1 : close + 1
  }
  if (byte === MINUS || isDigit(byte)) return endOfNumber(data, at)
  if (byte === BRACE_OPEN || byte === BRACKET_OPEN) return depth === DEPTH_MAX ? -1 : endOfNested(data, at, end, depth)
  return endOfLiteral(data, at)
}

function endOfNested(data: Uint8Array, start: number, end: number, depth: number): number {
  const isObject = data[start] === BRACE_OPEN
  const close = isObject ? BRACE_CLOSE : BRACKET_CLOSE
  let at = skipSpace(data, start + 1)
  if (data[at] === close) return at + 1
  for (;;) {
    if (isObject) {
      if (data[at] !== QUOTE) return -1
      at = endOfString(data, at + 1, end)
      if (at < 0) return -1
      at = skipSpace(data, at + 1)
      if (data[at] !== COLON) return -1
      at = skipSpace(data, at + 1)
    }
    at = endOfValue(data, at, end, depth + 1)
    if (at < 0) return -1
    at = skipSpace(data, at)
    if (data[at] === close) return at + 1
    if (data[at] !== COMMA) return -1
    at = skipSpace(data, at + 1)
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9
}

function endOfNumber(data: Uint8Array, start: number): number {
  const first = data[start] === MINUS ? start + 1 : start
  if (!isDigit(data[first])) return -1
  let at = endOfDigits(data, first)
  if (data[first] === ZERO && at > first + 1) return -1
  if (data[at] === 0x2e) {
    if (!isDigit(data[at + 1])) return -1
    at = endOfDigits(data, at + 1)
  }
  if (data[at] === 0x65 || data[at] === 0x45) {
    at++
    if (data[at] === MINUS || data[at] === 0x2b) at++
    if (!isDigit(data[at])) return -1
    at = endOfDigits(data, at)
  }
  return at
}

function endOfDigits(data: Uint8Array, at: number): number {
  while (isDigit(data[at])) at++
  return at
}

const literals = [
  { bytes: Buffer.from('true'), value: true },
  { bytes: Buffer.from('false'), value: false },
  { bytes: Buffer.from('null'), value: null },
]

function literalAt(data: Uint8Array, at: number) {
  return literals.find(({ bytes }) => bytes.every((byte, i) => data[at + i] === byte))
}

function endOfLiteral(data: Uint8Array, at: number): number {
  const literal = literalAt(data, at)
  return literal === undefined ? -1 : at + literal.bytes.length
}

/** Integers of at most 15 digits are exact as numbers. */
const DIGITS_MAX = 15

/** Puts a value where it is wanted. @returns False where JSON.parse is to make it. */
function take(data: Uint8Array, start: number, end: number, values: unknown[], row: number): boolean {
  const byte = data[start]!
  if (byte === QUOTE) {
    const text = asciiText(data, start + 1, end - 1)
    if (text === null) return false
    values[row] = text
    return true
  }
  if (byte === BRACE_OPEN || byte === BRACKET_OPEN) return false
  if (byte !== MINUS && !isDigit(byte)) {
    values[row] = literalAt(data, start)!.value
    return true
  }
  const first = byte === MINUS ? start + 1 : start
  if (end - first > DIGITS_MAX) return false
  let number = 0
  for (let at = first; at < end; at++) {
    const digit = data[at]! - ZERO
    if (digit < 0 || digit > 9) {
      // A fraction or an exponent.
      values[row] = Number(asciiText(data, start, end))
      return true
    }
    number = number * 10 + digit
  }
  values[row] = byte === MINUS ? -number : number
  return true
}

function asciiText(data: Uint8Array, start: number, end: number): string | null {
  if (end - start > 24) {
    for (let at = start; at < end; at++) if (data[at]! > 127) return null
    return Buffer.from(data.buffer, data.byteOffset + start, end - start).toString('latin1')
  }
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = data[at]!
    if (byte > 127) return null
    text += String.fromCharCode(byte)
  }
  return text
}
