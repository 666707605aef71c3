import type { SchemaTree } from 'hyparquet'
import type { LogicalType } from '../model/column.ts'
import type { ParquetFile } from './file.ts'
import { PageError } from './page-error.ts'
import { isList, isMap, isRepeated, isVariant, logicalTypeOf } from './schema.ts'

/**
 * What the values of a nested column are made of, as `NestedReader` gives them, with the levels at which each part is
 * there. `defined` is the definition level from which a part is not null; in a list or map `filled` is the one from
 * which it has an element, and `repetition` the level at which one more element follows.
 *
 * The rules for lists and maps of old writers are those of the Parquet format's LogicalTypes.md.
 */
export type Shape = LeafShape | ListShape | MapShape | StructShape | VariantShape | ShreddedShape

export interface LeafShape {
  readonly kind: 'leaf'
  readonly type: LogicalType
  /** From the file's root to the leaf. */
  readonly schemaPath: readonly SchemaTree[]
  readonly defined: number
  readonly repetition: number
}

interface Repeated {
  readonly defined: number
  readonly filled: number
  readonly repetition: number
}

export interface ListShape extends Repeated {
  readonly kind: 'list'
  readonly item: Shape
}

export interface MapShape extends Repeated {
  readonly kind: 'map'
  readonly key: Shape
  /** Null where the map has keys only: all its values are null then, or none of its values is wanted. */
  readonly value: Shape | null
}

export interface StructShape {
  readonly kind: 'struct'
  readonly fields: ReadonlyMap<string, Shape>
  readonly defined: number
}

/** Each of its values states its own type. */
export interface VariantShape {
  readonly kind: 'variant'
  readonly metadata: Shape
  readonly content: ShreddedShape
  readonly defined: number
}

/** A value within a variant: in the variant's own binary form, in a column of its own, or an object in both. */
export interface ShreddedShape {
  readonly kind: 'shredded'
  readonly value: Shape | null
  readonly typed: Shape | null
  readonly defined: number
}

interface Levels {
  readonly definition: number
  readonly repetition: number
  readonly above: readonly SchemaTree[]
}

/** The shape of what lies at a path through structs, which must be in the file's schema. */
export function shapeAt(file: ParquetFile, path: readonly string[]): Shape {
  let levels: Levels = { definition: 0, repetition: 0, above: [] }
  let node = file.tree
  for (const name of path) {
    levels = inside(levels, node, node === file.tree ? undefined : node.element.repetition_type)
    node = node.children.find((child) => child.element.name === name)!
  }
  return fieldShape(node, levels)
}

/** Where a step leads, `*` to each element; undefined where there is nothing, or nothing that the schema describes. */
export function stepInto(shape: Shape | undefined, step: string): Shape | undefined {
  switch (shape?.kind) {
    case 'list':
      return step === EACH || /^\d+$/.test(step) ? shape.item : undefined
    case 'map':
      return shape.value ?? undefined
    case 'struct':
      return shape.fields.get(step)
    default:
      return undefined
  }
}

/** The step that leads to each element of a list, or each value of a map. */
export const EACH = '*'

/**
 * Only what some paths lead to, so that nothing else is read. A path that the schema ends before leads to the whole of
 * what it reached: the rest is looked up in each value.
 */
export function project(shape: Shape, paths: readonly (readonly string[])[]): Shape {
  if (paths.some(({ length }) => length === 0)) return shape
  const rests = paths.map((path) => path.slice(1))
  switch (shape.kind) {
    case 'list':
      return { ...shape, item: project(shape.item, rests) }
    case 'map':
      return shape.value === null ? shape : { ...shape, value: project(shape.value, rests) }
    case 'struct': {
      const fields = new Map<string, Shape>()
      for (const [name, field] of shape.fields) {
        const further = rests.filter((_, i) => paths[i]![0] === name)
        if (further.length > 0) fields.set(name, project(field, further))
      }
      return fields.size === 0 ? shape : { ...shape, fields }
    }
    default:
      return shape
  }
}

function inside({ definition, repetition, above }: Levels, node: SchemaTree, own: string | undefined): Levels {
  return {
    definition: definition + (own === 'OPTIONAL' || own === 'REPEATED' ? 1 : 0),
    repetition: repetition + (own === 'REPEATED' ? 1 : 0),
    above: [...above, node],
  }
}

/** A field that is repeated without being in a list is a required list of required elements. */
function fieldShape(node: SchemaTree, levels: Levels): Shape {
  const own = node.element.repetition_type
  const within = inside(levels, node, own)
  const shape = contentShape(node, within)
  if (own !== 'REPEATED') return shape
  return { kind: 'list', ...repeated(levels.definition, within), item: shape }
}

function repeated(defined: number, { definition, repetition }: Levels): Repeated {
  return { defined, filled: definition, repetition }
}

/** @param levels Those within the node, where it is present. */
function contentShape(node: SchemaTree, levels: Levels): Shape {
  const { definition: defined, repetition } = levels
  if (node.children.length === 0)
    return { kind: 'leaf', type: logicalTypeOf(node), schemaPath: levels.above, defined, repetition }
  if (isVariant(node)) return variantShape(node, levels)
  const [inner] = node.children
  if (isList(node)) {
    const within = inside(levels, inner!, 'REPEATED')
    const item = isElement(node, inner!) ? contentShape(inner!, within) : fieldShape(inner!.children[0]!, within)
    return { kind: 'list', ...repeated(defined, within), item }
  }
  if (isMap(node)) {
    const within = inside(levels, inner!, 'REPEATED')
    const [key, value] = inner!.children.map((child) => fieldShape(child, within))
    return { kind: 'map', ...repeated(defined, within), key: key!, value: value ?? null }
  }
  const fields = new Map(node.children.map((child) => [child.element.name, fieldShape(child, levels)]))
  return { kind: 'struct', fields, defined }
}

/** Whether what is repeated in a list is the element itself, as old writers have it, and not a group around it. */
function isElement(list: SchemaTree, { element, children }: SchemaTree): boolean {
  if (children.length !== 1 || isRepeated(children[0]!)) return true
  return element.name === 'array' || element.name === `${list.element.name}_tuple`
}

function variantShape(node: SchemaTree, levels: Levels): Shape {
  const metadata = node.children.find(({ element }) => element.name === 'metadata')
  if (metadata === undefined) throw new PageError(`expected a variant with metadata, found ${namesOf(node)}`)
  const content = shreddedShape(node, levels)
  return { kind: 'variant', metadata: fieldShape(metadata, levels), content, defined: levels.definition }
}

/** A group with `value` and `typed_value`, of which one may be absent. */
function shreddedShape(node: SchemaTree, levels: Levels): ShreddedShape {
  const child = (name: string) => node.children.find(({ element }) => element.name === name)
  const value = child('value')
  const typed = child('typed_value')
  if (value === undefined && typed === undefined)
    throw new PageError(`expected a variant's value or typed_value, found ${namesOf(node)}`)
  return {
    kind: 'shredded',
    value: value === undefined ? null : fieldShape(value, levels),
    typed: typed === undefined ? null : typedShape(typed, levels),
    defined: levels.definition,
  }
}

function typedShape(node: SchemaTree, levels: Levels): Shape {
  const within = inside(levels, node, node.element.repetition_type)
  if (isList(node)) {
    const list = node.children[0]!
    const inList = inside(within, list, 'REPEATED')
    const element = isElement(node, list) ? list : list.children[0]!
    const item = shreddedShape(
      element,
      element === list ? inList : inside(inList, element, element.element.repetition_type),
    )
    return { kind: 'list', ...repeated(within.definition, inList), item }
  }
  if (node.children.length === 0) return contentShape(node, within)
  const fields = node.children.map((child): [string, Shape] => [
    child.element.name,
    shreddedShape(child, inside(within, child, child.element.repetition_type)),
  ])
  return { kind: 'struct', fields: new Map(fields), defined: within.definition }
}

function namesOf(node: SchemaTree): string {
  return node.children.map(({ element }) => element.name).join(', ')
}
