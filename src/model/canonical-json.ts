/**
 * JSON with one spelling for each value: object keys in code-unit order, no spaces, absent for undefined properties. What
 * JSON can't say (functions, bigints, NaN, infinities) is refused, so that two different values never look equal.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$')
}

function write(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item, index) => write(item, `${path}[${index}]`)).join(',')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${write(item, `${path}.${name}`)}`).join(',')}}`
  }
  throw new TypeError(`Cannot write ${path} as JSON: expected a JSON value, found ${typeof value} ${String(value)}.`)
}
