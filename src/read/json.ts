import { rawInteger } from '../columns/exact-json.ts'

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
  if (typeof part === 'bigint') return rawInteger(part)
  if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
  return part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part
}
