import type { SchemaTree } from 'hyparquet'
import { isListLike, isMapLike } from 'hyparquet/src/schema.js'
import type { LogicalType } from '../model/column.ts'
import type { ParquetFile } from './file.ts'
import { isVariant, logicalTypeOf } from './schema.ts'

/** What the values of a nested column are made of, as `readNested` gives them. */
export type Shape =
  | { readonly kind: 'leaf'; readonly type: LogicalType }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'map'; readonly key: Shape; readonly value: Shape }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Shape> }
  /** Each of its values states its own type. */
  | { readonly kind: 'variant' }

/** The shape of what lies at a path through structs, which must be in the file's schema. */
export function shapeAt(file: ParquetFile, path: readonly string[]): Shape {
  let node = file.tree
  for (const name of path) node = node.children.find((child) => child.element.name === name)!
  return repeatable(node)
}

/** Where a step leads; undefined where there is nothing, or nothing that the schema describes. */
export function stepInto(shape: Shape | undefined, step: string): Shape | undefined {
  switch (shape?.kind) {
    case 'list':
      return /^\d+$/.test(step) ? shape.item : undefined
    case 'map':
      return shape.value
    case 'struct':
      return shape.fields.get(step)
    default:
      return undefined
  }
}

/** A field that is repeated without being in a list is a list of itself. */
function repeatable(node: SchemaTree): Shape {
  const shape = shapeOf(node)
  return node.element.repetition_type === 'REPEATED' ? { kind: 'list', item: shape } : shape
}

function shapeOf(node: SchemaTree): Shape {
  if (isVariant(node)) return { kind: 'variant' }
  if (isListLike(node)) {
    const repeated = node.children[0]!
    return { kind: 'list', item: shapeOf(repeated.children.length === 1 ? repeated.children[0]! : repeated) }
  }
  if (isMapLike(node)) {
    const [key, value] = node.children[0]!.children
    return { kind: 'map', key: shapeOf(key!), value: shapeOf(value!) }
  }
  if (node.children.length === 0) return { kind: 'leaf', type: logicalTypeOf(node) }
  return { kind: 'struct', fields: new Map(node.children.map((child) => [child.element.name, repeatable(child)])) }
}
