/** Values as texts: in a cell of a table, in a field of a CSV line. */
import { compactJson } from '../read/json.ts'

/** A value in one cell of a table: null is empty. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? compactJson(value) : String(value)
}

/** The same where a null is no text: an empty text, and one that begins with a quote, are in quotes. */
export function tableCell(value: unknown): string {
  return typeof value === 'string' && /^(?:"|$)/.test(value) ? JSON.stringify(value) : cellText(value)
}

/** A field of a CSV line, quoted where RFC 4180 asks for it. Null is nothing, an empty text is `""`. */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = cellText(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
