import type { SchemaTree } from 'hyparquet'
import { compressors as otherCodecs } from 'hyparquet-compressors'
import { assembleNested } from 'hyparquet/src/assemble.js'
import { readColumn } from 'hyparquet/src/column.js'
import type { Column } from '../model/column.ts'
import { decompress, PageError } from './decompress.ts'
import { bigEndian } from './logical.ts'

/** One leaf of a nested column: its bytes and what the footer says of it. */
export interface LeafChunk {
  readonly path: readonly string[]
  readonly schemaPath: readonly SchemaTree[]
  readonly bytes: Uint8Array
  readonly metadata: { readonly codec: string; readonly type: string }
}

const decoder = new TextDecoder()

/** Exact values in place of hyparquet's dates and floats. */
const parsers = {
  timestampFromMilliseconds: (value: unknown) => value,
  timestampFromMicroseconds: (value: unknown) => value,
  timestampFromNanoseconds: (value: unknown) => value,
  dateFromDays: (value: unknown) => value,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && JSON.parse(decoder.decode(bytes)),
  geometryFromBytes: (bytes: unknown) => bytes,
  geographyFromBytes: (bytes: unknown) => bytes,
}

const codecs = new Proxy(otherCodecs as Record<string, unknown>, {
  get: (_, codec: string) => (input: Uint8Array, length: number) => decompress(codec, input, length),
})

/**
 * A list, map, struct or variant as nested JavaScript values, one a row, assembled by hyparquet. Integers of 64 bits and
 * moments are bigints (in the column's unit), days numbers, decimals bigints (unscaled), null where there is none.
 *
 * @param top The top-level column's node.
 * @param steps Names below it that lead to the wanted value through structs.
 */
export function readNested(top: SchemaTree, leaves: readonly LeafChunk[], rows: number, steps: readonly string[]): Column {
  const data = new Map<string, unknown[]>()
  for (const leaf of leaves) data.set(leaf.path.join('.'), readLeaf(leaf, rows))
  const flat = top.children.length === 0
  try {
    if (!flat) assembleNested(data as never, top, parsers as never)
  } catch (error) {
    throw new PageError(`expected nested values, found something else (${(error as Error).message})`)
  }
  const assembled = data.get(top.path.join('.'))
  if (assembled === undefined || assembled.length !== rows) throw new PageError(`expected ${rows} nested values, found ${assembled?.length ?? 0}`)
  const values = Array.from(assembled, (value) => follow(value, steps) ?? null)
  const nullCount = values.reduce<number>((sum, value) => sum + (value === null ? 1 : 0), 0)
  const validity = nullCount === 0 ? null : new Uint8Array((rows + 7) >> 3)
  if (validity !== null) values.forEach((value, row) => void (value !== null && (validity[row >> 3]! |= 1 << (row & 7))))
  return { kind: 'values', length: rows, nullCount, validity, values }
}

function follow(value: unknown, steps: readonly string[]): unknown {
  let found = value
  for (const step of steps) found = found !== null && typeof found === 'object' ? (found as Record<string, unknown>)[step] : null
  return found
}

function readLeaf({ bytes, schemaPath, metadata, path }: LeafChunk, rows: number): unknown[] {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  const exact = exactDecimals(schemaPath.at(-1)!.element as unknown as Record<string, unknown>)
  const column = { ...metadata, pathInSchema: [...path], schemaPath: [...schemaPath], element: exact.element, compressors: codecs, parsers: { ...parsers, ...exact.parsers } }
  try {
    const { data } = readColumn(reader, { groupStart: 0, selectStart: 0, selectEnd: rows, groupRows: rows } as never, column as never)
    return data.length === 1 ? Array.from(data[0]!) : (data as ArrayLike<unknown>[]).flatMap((part) => Array.from(part))
  } catch (error) {
    if (error instanceof PageError) throw error
    throw new PageError(`expected pages of nested values, found something else (${(error as Error).message})`)
  }
}

/** hyparquet makes floats of decimals; under another annotation, and with its parser ours, they stay exact. */
function exactDecimals(element: Record<string, unknown>): { element: Record<string, unknown>; parsers: object } {
  if (element['converted_type'] !== 'DECIMAL') return { element, parsers: {} }
  const plain = { ...element, logical_type: undefined }
  if (element['type'] === 'INT32') return { element: { ...plain, converted_type: 'DATE' }, parsers: { dateFromDays: (value: number) => BigInt(value) } }
  if (element['type'] === 'INT64') return { element: { ...plain, converted_type: 'TIMESTAMP_MICROS' }, parsers: {} }
  return { element: { ...plain, converted_type: 'UTF8' }, parsers: { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && bigEndian(bytes) } }
}
