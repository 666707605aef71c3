import type { FileMetaData, SchemaElement, SchemaTree, Statistics } from 'hyparquet'
import { parquetSchema } from 'hyparquet'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'

/**
 * Files of any schema, with any statistics: what no writer at hand writes. Rows are given as the schema has them, without
 * regard to what its groups mean: a group is an object by field, a repeated field an array, null what is absent.
 */
export interface RawFile {
  /** Without the root. */
  readonly schema: readonly SchemaElement[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** Slots of a page; a row may go on in the next page. Absent: all in one. */
  readonly pageSlots?: number
  readonly createdBy?: string
  /** By leaf, its path joined by dots. */
  readonly statistics?: Readonly<Record<string, Statistics>>
}

interface Leaf {
  readonly path: readonly string[]
  readonly element: SchemaElement
  readonly maxDefinition: number
  readonly maxRepetition: number
  readonly slots: { readonly definition: number; readonly repetition: number; readonly value: unknown }[]
}

export function rawFile({ schema, rows, pageSlots, createdBy, statistics = {} }: RawFile): Uint8Array {
  const elements = [{ name: 'root', num_children: topLevel(schema) }, ...schema] as SchemaElement[]
  const tree = parquetSchema({ schema: elements } as FileMetaData)
  const leaves = new Map<SchemaTree, Leaf>()
  for (const path of leafPaths(tree)) {
    const nodes = getTreePath(tree, [...path])
    const leaf = nodes.at(-1)!
    const [maxDefinition, maxRepetition] = [getMaxDefinitionLevel(nodes), getMaxRepetitionLevel(nodes)]
    leaves.set(leaf, { path, element: leaf.element, maxDefinition, maxRepetition, slots: [] })
  }
  for (const row of rows) for (const node of tree.children) shred(node, row[node.element.name], 0, 0, 0, leaves)
  const writer = new ByteWriter()
  writer.appendBytes(Buffer.from('PAR1'))
  const columns = [...leaves.values()].map((leaf) => {
    const start = writer.offset
    const size = pageSlots ?? leaf.slots.length
    for (let at = 0; at < leaf.slots.length; at += size)
      writePage(writer, leaf, at, Math.min(leaf.slots.length, at + size))
    const length = BigInt(writer.offset - start)
    const own = statistics[leaf.path.join('.')]
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: leaf.element.type!,
        encodings: ['PLAIN' as const],
        path_in_schema: [...leaf.path],
        codec: 'UNCOMPRESSED' as const,
        num_values: BigInt(leaf.slots.length),
        total_uncompressed_size: length,
        total_compressed_size: length,
        data_page_offset: BigInt(start),
        ...(own === undefined ? {} : { statistics: own }),
      },
    }
  })
  const count = BigInt(rows.length)
  writeMetadata(writer, {
    version: 1,
    schema: elements,
    num_rows: count,
    row_groups: [{ columns, total_byte_size: BigInt(writer.offset), num_rows: count }],
    ...(createdBy === undefined ? {} : { created_by: createdBy }),
  } as FileMetaData)
  writer.appendBytes(Buffer.from('PAR1'))
  return new Uint8Array(writer.getBuffer())
}

function topLevel(schema: readonly SchemaElement[]): number {
  let count = 0
  const skip = (at: number): number => {
    let next = at + 1
    for (let i = 0; i < (schema[at]!.num_children ?? 0); i++) next = skip(next)
    return next
  }
  for (let at = 0; at < schema.length; at = skip(at)) count++
  return count
}

function leafPaths(node: SchemaTree): string[][] {
  return node.children.length === 0 ? [node.path] : node.children.flatMap(leafPaths)
}

function shred(
  node: SchemaTree,
  value: unknown,
  definition: number,
  repetition: number,
  depth: number,
  leaves: ReadonlyMap<SchemaTree, Leaf>,
): void {
  const { repetition_type: own } = node.element
  if (own === 'REPEATED') {
    const items = (value ?? []) as readonly unknown[]
    if (items.length === 0) absent(node, definition, repetition, leaves)
    items.forEach((item, i) => {
      content(node, item, definition + 1, i === 0 ? repetition : depth + 1, depth + 1, leaves)
    })
    return
  }
  if (value !== null && value !== undefined) {
    content(node, value, definition + (own === 'OPTIONAL' ? 1 : 0), repetition, depth, leaves)
  } else if (own === 'OPTIONAL') absent(node, definition, repetition, leaves)
  else throw new Error(`${node.path.join('.')} is required`)
}

function content(
  node: SchemaTree,
  value: unknown,
  definition: number,
  repetition: number,
  depth: number,
  leaves: ReadonlyMap<SchemaTree, Leaf>,
): void {
  if (node.children.length === 0) leaves.get(node)!.slots.push({ definition, repetition, value })
  for (const child of node.children) {
    shred(child, (value as Record<string, unknown>)[child.element.name], definition, repetition, depth, leaves)
  }
}

function absent(node: SchemaTree, definition: number, repetition: number, leaves: ReadonlyMap<SchemaTree, Leaf>): void {
  leaves.get(node)?.slots.push({ definition, repetition, value: null })
  for (const child of node.children) absent(child, definition, repetition, leaves)
}

function writePage(writer: ByteWriter, leaf: Leaf, from: number, to: number): void {
  const slots = leaf.slots.slice(from, to)
  const body = new ByteWriter()
  const levels: [number, number[]][] = [
    [leaf.maxRepetition, slots.map(({ repetition }) => repetition)],
    [leaf.maxDefinition, slots.map(({ definition }) => definition)],
  ]
  for (const [max, values] of levels) if (max > 0) writeLevels(body, values)
  for (const { definition, value } of slots) {
    if (definition === leaf.maxDefinition) body.appendBytes(plainValue(value, leaf.element.type!))
  }
  serializeTCompactProtocol(writer, {
    field_1: 0,
    field_2: body.offset,
    field_3: body.offset,
    field_5: { field_1: slots.length, field_2: 0, field_3: 3, field_4: 3 },
  })
  writer.appendBytes(body.getBytes())
}

/** Levels below 256, as runs of one. */
function writeLevels(body: ByteWriter, levels: readonly number[]): void {
  body.appendUint32(levels.length * 2)
  for (const level of levels) {
    body.appendUint8(2)
    body.appendUint8(level)
  }
}

function plainValue(value: unknown, type: NonNullable<SchemaElement['type']>): Uint8Array {
  const bytes = Buffer.alloc(8)
  switch (type) {
    case 'BOOLEAN':
      throw new Error('booleans of PLAIN pages are bits')
    case 'INT32':
      bytes.writeInt32LE(value as number)
      return bytes.subarray(0, 4)
    case 'INT64':
      bytes.writeBigInt64LE(value as bigint)
      return bytes
    case 'FLOAT':
      bytes.writeFloatLE(value as number)
      return bytes.subarray(0, 4)
    case 'DOUBLE':
      bytes.writeDoubleLE(value as number)
      return bytes
    default: {
      const own = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
      if (type === 'FIXED_LEN_BYTE_ARRAY') return own
      bytes.writeUInt32LE(own.length)
      return Buffer.concat([bytes.subarray(0, 4), own])
    }
  }
}
