import { PageError } from './page-error.ts'

/**
 * Walks over a Thrift structure (compact protocol) before hyparquet parses it. hyparquet makes an array of as many
 * elements as a list says it has, which in a damaged file may be hundreds of millions, and follows integers and
 * structures without end.
 */

const BOOLEANS = [1, 2]
const BYTE = 3
const INTEGERS = [4, 5, 6]
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const STRUCT = 12

const DEPTH_MAX = 64

/**
 * @param start Where the structure begins.
 * @returns Where it ends.
 * @throws PageError where it continues beyond the end of `bytes`, or isn't one.
 */
export function checkThrift(bytes: Uint8Array, start: number): number {
  return skipStruct(bytes, start, 0)
}

function skipStruct(bytes: Uint8Array, start: number, depth: number): number {
  if (depth > DEPTH_MAX) throw new PageError(`expected structures in at most ${DEPTH_MAX} others, found more`)
  let at = start
  while (at < bytes.length) {
    const field = bytes[at++]!
    const type = field & 15
    if (type === 0) return at
    if (field >> 4 === 0) at = skipVarint(bytes, at)
    at = BOOLEANS.includes(type) ? at : skipElement(bytes, at, type, depth)
  }
  throw new PageError('expected the end of a structure, found the end of the bytes')
}

function skipElement(bytes: Uint8Array, at: number, type: number, depth: number): number {
  if (INTEGERS.includes(type)) return skipVarint(bytes, at)
  switch (type) {
    case 1:
    case 2:
    case BYTE:
      return within(bytes, at, 1)
    case DOUBLE:
      return within(bytes, at, 8)
    case BINARY: {
      const start = skipVarint(bytes, at)
      return within(bytes, start, varint(bytes, at))
    }
    case LIST:
      return skipList(bytes, at, depth)
    case STRUCT:
      return skipStruct(bytes, at, depth + 1)
  }
  throw new PageError(`expected a type of Thrift, found ${type}`)
}

function skipList(bytes: Uint8Array, start: number, depth: number): number {
  let at = within(bytes, start, 1)
  const type = bytes[start]! & 15
  let length = bytes[start]! >> 4
  if (length === 15) {
    length = varint(bytes, at)
    at = skipVarint(bytes, at)
  }
  // An element has at least a byte.
  within(bytes, at, length)
  for (let i = 0; i < length; i++) at = skipElement(bytes, at, type, depth)
  return at
}

function within(bytes: Uint8Array, at: number, length: number): number {
  if (length > bytes.length - at)
    throw new PageError(`expected at most ${bytes.length - at} more bytes, found ${length}`)
  return at + length
}

/** Integers of 64 bits have ten bytes at most. */
function skipVarint(bytes: Uint8Array, start: number): number {
  for (let at = start; at < Math.min(bytes.length, start + 10); at++) if (bytes[at]! < 128) return at + 1
  throw new PageError('expected an integer, found no end of it')
}

/** A length. */
function varint(bytes: Uint8Array, start: number): number {
  const end = skipVarint(bytes, start)
  let value = 0
  for (let at = end - 1; at >= start; at--) value = value * 128 + (bytes[at]! & 0x7f)
  return value
}
