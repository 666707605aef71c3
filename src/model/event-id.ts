/** An id of several columns as one text: joined by `/`, with `\\` before each `/` and `\\` within a column. */
export function joinId(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : parts.map((part) => part.replace(/[\\/]/g, '\\$&')).join('/')
}
