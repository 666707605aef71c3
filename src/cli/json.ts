declare global {
  interface JSON {
    /** A part of a JSON text that is put there as it is: digits of an integer that no number holds. */
    rawJSON(text: string): object
  }
}

/** JSON for machines, indented. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, exact, 2)}\n`
}

/** JSON on one line. */
export function compactJson(value: unknown): string {
  return JSON.stringify(value, exact)
}

/** Keeps what JSON would lose: digits beyond 2^53, bytes, numbers that are none. */
function exact(_: string, part: unknown): unknown {
  if (typeof part === 'bigint') return JSON.rawJSON(String(part))
  if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
  return part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part
}
