import type { LogicalType } from '../model/column.ts'
import { jsonLeaf, localMoment } from './json-leaf.ts'
import { type LeafChunk, LeafCursor } from './leaf-cursor.ts'
import type { LeafShape, ListShape, MapShape, Shape, ShreddedShape, StructShape, VariantShape } from './nested-shape.ts'
import { PageError } from './page-error.ts'
import { variantNames, variantValue } from './variant.ts'

/** Builds the next value of a part from the slots of its leaves. */
type Build = () => unknown

/**
 * A list, map, struct or variant as nested JavaScript values, one a row. Its leaves are as `valueReader` gives them, null
 * where there is none; a list is an array, a struct an object by field, a map an object by key (as text: a key that
 * occurs twice keeps its last value). A variant is its JSON value.
 *
 * Rows are assembled one by one, and of each leaf one page is in memory. Levels that contradict each other between the
 * leaves are an error.
 */
export class NestedReader {
  readonly #build: Build
  readonly #cursors: readonly LeafCursor[]

  /** @param chunkOf Reads the bytes of a leaf. */
  constructor(shape: Shape, chunkOf: (leaf: LeafShape) => LeafChunk) {
    const { build, cursors } = new Assembly(chunkOf).part(shape)
    this.#build = build
    this.#cursors = cursors
  }

  /** The value of the next row. */
  next(): unknown {
    this.#check('another row', (cursor) => cursor.more && cursor.repetition === 0)
    return this.#build()
  }

  /** Checks that no row follows. */
  finish(): void {
    this.#check('the end of the column', (cursor) => !cursor.more)
  }

  #check(what: string, holds: (cursor: LeafCursor) => boolean): void {
    if (!this.#cursors.every(holds)) throw new PageError(`expected ${what}, found levels of values that say otherwise`)
  }
}

interface Part {
  readonly build: Build
  /** The leaves of the part, the first of which says whether it is there; the others must agree. */
  readonly cursors: readonly LeafCursor[]
}

/** Of a field that a variant's object doesn't have. */
const missing = Symbol('missing')

class Assembly {
  readonly #chunkOf: (leaf: LeafShape) => LeafChunk
  /** Of the variant whose value is being read. */
  #names: readonly string[] = []

  constructor(chunkOf: (leaf: LeafShape) => LeafChunk) {
    this.#chunkOf = chunkOf
  }

  /** @param inVariant Leaves are within a variant: values as JSON has them. */
  part(shape: Shape, inVariant = false): Part {
    switch (shape.kind) {
      case 'leaf':
        return this.#leaf(shape, inVariant)
      case 'struct':
        return this.#struct(shape, inVariant)
      case 'list':
        return this.#list(shape, inVariant)
      case 'map':
        return this.#map(shape)
      case 'variant':
        return this.#variant(shape)
      case 'shredded':
        return this.#shredded(shape)
    }
  }

  #leaf(leaf: LeafShape, inVariant: boolean): Part {
    const cursor = new LeafCursor(leaf, this.#chunkOf(leaf))
    return { build: inVariant ? () => variantLeaf(cursor.take(), leaf.type) : () => cursor.take(), cursors: [cursor] }
  }

  #struct({ fields, defined }: StructShape, inVariant: boolean): Part {
    const parts = [...fields].map(([name, shape]) => ({ name, ...this.part(shape, inVariant) }))
    const cursors = parts.flatMap((part) => part.cursors)
    const build = () => {
      if (isAbsent(cursors, defined)) return null
      const made: Record<string, unknown> = {}
      for (const part of parts) {
        const value = part.build()
        if (value !== missing) setField(made, part.name, value)
      }
      return made
    }
    return { build, cursors }
  }

  #list({ item, defined, filled, repetition }: ListShape, inVariant: boolean): Part {
    const { build, cursors } = this.part(item, inVariant)
    const each = elements(cursors, repetition)
    return {
      build: () => {
        if (isAbsent(cursors, defined)) return null
        const items: unknown[] = []
        if (isAbsent(cursors, filled)) return items
        each(() => {
          const value = build()
          items.push(value === missing ? null : value)
        })
        return items
      },
      cursors,
    }
  }

  #map({ key, value, defined, filled, repetition }: MapShape): Part {
    const keys = this.part(key)
    const values = value === null ? { build: () => null, cursors: [] } : this.part(value)
    const cursors = [...keys.cursors, ...values.cursors]
    const each = elements(cursors, repetition)
    return {
      build: () => {
        if (isAbsent(cursors, defined)) return null
        const made: Record<string, unknown> = {}
        if (isAbsent(cursors, filled)) return made
        each(() => setField(made, keyText(keys.build()), values.build()))
        return made
      },
      cursors,
    }
  }

  #variant({ metadata, content, defined }: VariantShape): Part {
    const names = this.part(metadata)
    const value = this.part(content)
    const cursors = [...names.cursors, ...value.cursors]
    const build = () => {
      if (isAbsent(cursors, defined)) return null
      const bytes = names.build()
      this.#names = understood(() => variantNames(bytes as Uint8Array))
      const found = understood(value.build)
      // A variant that says nothing is one that is null.
      return found === missing ? null : found
    }
    return { build, cursors }
  }

  #shredded({ value, typed, defined }: ShreddedShape): Part {
    const none = { build: () => null, cursors: [] }
    const binary = value === null ? none : this.part(value)
    const column = typed === null ? none : this.part(typed, true)
    const cursors = [...binary.cursors, ...column.cursors]
    const build = () => {
      if (isAbsent(cursors, defined)) return missing
      const bytes = binary.build()
      const shredded = column.build()
      if (bytes === null) return shredded === null ? missing : shredded
      const decoded = variantValue(bytes as Uint8Array, this.#names)
      if (shredded === null) return decoded
      if (typed!.kind !== 'struct' || !isObject(decoded))
        throw new PageError('expected a variant in its binary form or in columns, found a value in both')
      // A field that is in both is what its column says.
      return Object.fromEntries([...Object.entries(decoded), ...Object.entries(shredded as object)])
    }
    return { build, cursors }
  }
}

/** A moment without a zone says so, as it does in the binary form. */
function variantLeaf(value: unknown, type: LogicalType): unknown {
  if (value === null || type.kind !== 'timestamp' || type.utc) return jsonLeaf(value, type)
  return localMoment(value as bigint, type.unit)
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** A variant that is cut off or refers to what isn't there makes the reading of it fail in several ways. */
function understood<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof PageError || !(error instanceof RangeError || error instanceof TypeError)) throw error
    throw new PageError(`expected a variant, found one that makes no sense (${error.message})`)
  }
}

/** Whether a part is null or empty at the next slot, which is then left out. */
function isAbsent(cursors: readonly LeafCursor[], defined: number): boolean {
  const absent = cursors[0]!.definition < defined
  for (const cursor of cursors) {
    if (cursor.definition < defined !== absent)
      throw new PageError('expected columns that agree on nulls, found others')
    if (absent) cursor.skip()
  }
  return absent
}

/** Calls back for each element of a list that has some. */
function elements(cursors: readonly LeafCursor[], repetition: number): (take: () => void) => void {
  const lead = cursors[0]!
  return (take) => {
    for (;;) {
      take()
      const next = lead.repetition
      const more = next === repetition
      for (const cursor of cursors) {
        const own = cursor.repetition
        if ((own === repetition) !== more || own > repetition)
          throw new PageError('expected columns that agree on the length of lists, found others')
      }
      if (!more) return
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Keys of bytes are text: old writers don't say so. */
function keyText(key: unknown): string {
  if (key === null) throw new PageError('expected keys of a map that are not null, found one that is')
  if (key instanceof Uint8Array) {
    try {
      return decoder.decode(key)
    } catch {
      throw new PageError(`expected keys of a map that are text, found bytes that are not UTF-8`)
    }
  }
  if (typeof key === 'object') throw new PageError('expected keys of a map that are single values, found nested ones')
  return String(key)
}

/** `__proto__` is a name as any other. */
function setField(made: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') made[name] = value
  else Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true })
}
