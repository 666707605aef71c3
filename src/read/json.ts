import { rawInteger } from '../columns/exact-json.ts'

/** JSON for machines, indented. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, exact, 2)}\n`
}

/** Characters that are written at a time. */
const chunkLength = 65_536

/**
 * An object that holds a long list, written as `toJson` would, an item at a time.
 *
 * @param list.before What comes before the list; `after` is asked for what comes after it, with what the items end in.
 */
export async function writeJsonList<Item, End>(
  write: (chunk: string) => Promise<void>,
  list: {
    readonly before: Readonly<Record<string, unknown>>
    readonly name: string
    readonly items: Generator<Item, End>
    readonly after: (end: End) => Readonly<Record<string, unknown>>
  },
): Promise<End> {
  const member = ([name, value]: readonly [string, unknown]) =>
    `  ${JSON.stringify(name)}: ${indented(JSON.stringify(value, exact, 2), '  ')}`
  const before = Object.entries(list.before).map((entry) => `${member(entry)},\n`)
  let pending = `{\n${before.join('')}  ${JSON.stringify(list.name)}: [`
  let separator = '\n    '
  let next = list.items.next()
  for (; !next.done; next = list.items.next()) {
    pending += `${separator}${indented(JSON.stringify(next.value, exact, 2), '    ')}`
    separator = ',\n    '
    if (pending.length < chunkLength) continue
    await write(pending)
    pending = ''
  }
  const isEmpty = separator.startsWith('\n')
  const after = Object.entries(list.after(next.value)).map((entry) => `,\n${member(entry)}`)
  await write(`${pending}${isEmpty ? '' : '\n  '}]${after.join('')}\n}\n`)
  return next.value
}

function indented(json: string, by: string): string {
  return json.replaceAll('\n', `\n${by}`)
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
