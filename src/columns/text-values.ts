import { isHexText, parseUuid, uuidOfHex } from '../model/byte-text.ts'
import type { Type } from '../model/type.ts'
import { bufferOf } from './strings.ts'

/** Where a value comes from: a user's function, or a log. */
export type Origin = 'outside' | 'handler'

/**
 * A JavaScript value as the text that it is for a type of texts; undefined where it has none. Of a log, integers have one as
 * decimal digits, bytes of a nested column where they are UTF-8, and UUIDs may be spelled in upper case.
 */
export function textOf({ kind }: Type, value: unknown, origin: Origin): string | undefined {
  switch (kind) {
    case 'bytes':
      if (origin === 'handler') return isHexText(value) ? value : undefined
      return value instanceof Uint8Array ? bufferOf(value).toString('hex') : undefined
    case 'uuid':
      return uuidOf(value, origin)
    default:
      if (typeof value === 'string') return value
      return origin === 'handler' ? undefined : textOutside(value)
  }
}

function textOutside(value: unknown): string | undefined {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value)
  return value instanceof Uint8Array ? decodeText(value) : undefined
}

function uuidOf(value: unknown, origin: Origin): string | undefined {
  if (typeof value === 'string') {
    const text = parseUuid(value)
    return origin === 'handler' && text !== value ? undefined : text
  }
  if (origin === 'handler' || !(value instanceof Uint8Array)) return undefined
  return value.length === 16 ? uuidOfHex(bufferOf(value).toString('hex')) : undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** What values of a type of texts are expected to be, in messages. */
export function expectedText({ kind }: Type, origin: Origin): string {
  switch (kind) {
    case 'bytes':
      return origin === 'handler' ? 'bytes as lower-case hexadecimal digits' : 'bytes; a text is declared as string()'
    case 'uuid':
      return origin === 'handler' ? 'a UUID in lower case' : 'a UUID'
    default:
      return 'a string'
  }
}
