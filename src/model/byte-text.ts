/** Bytes and UUIDs as functions of a view see them: texts of one spelling each, in the order of the bytes. */

const hexPattern = /^(?:[0-9a-f]{2})*$/
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whole bytes as lower-case hexadecimal digits. */
export function isHexText(value: unknown): value is string {
  return typeof value === 'string' && hexPattern.test(value)
}

/** `6ba7b810-9dad-11d1-80b4-00c04fd430c8`, lower case. */
export function isUuidText(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && uuidPattern.test(value)
}

/** The UUID that a text of either case spells (RFC 9562); undefined where it is none. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase()
  return isUuidText(lower) ? lower : undefined
}

/** 32 hexadecimal digits with the hyphens of a UUID. */
export function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
