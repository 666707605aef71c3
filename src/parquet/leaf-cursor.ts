import { firstNotUtf8 } from '../columns/utf8.ts'
import type { Column } from '../model/column.ts'
import { decodeFlat, dictionaryOnce, type FlatColumn, type Physical } from './flat.ts'
import { decodeLevels } from './levels.ts'
import { bytesAt, finishLogical } from './logical.ts'
import type { LeafShape } from './nested-shape.ts'
import { PageError } from './page-error.ts'
import { type DataPage, PageReader } from './pages.ts'
import { newMemory } from './read-memory.ts'
import { type ValueReader, valueReader } from './values.ts'

/** A leaf's bytes and what the footer says of it. */
export interface LeafChunk {
  readonly bytes: Uint8Array
  readonly codec: string
  /** Values, nulls among them. */
  readonly slots: number
}

/**
 * The slots of one leaf in their order: a slot is a value, or stands for what is null or empty there, as its levels
 * say. Pages are decompressed and decoded one at a time.
 */
export class LeafCursor {
  readonly #leaf: LeafShape
  readonly #pages: PageReader
  #dictionary: ReturnType<typeof dictionaryOnce> | undefined
  #definition: Uint8Array | null = null
  #repetition: Uint8Array | null = null
  #at = 0
  #end = 0
  #next = 0
  #read: ValueReader = () => null

  constructor(leaf: LeafShape, { bytes, codec, slots }: LeafChunk) {
    this.#leaf = leaf
    this.#pages = new PageReader(bytes, {
      codec,
      slots,
      maxDefinitionLevel: leaf.defined,
      maxRepetitionLevel: leaf.repetition,
    })
  }

  /** Whether there is another slot. */
  get more(): boolean {
    return this.#at < this.#end || this.#load()
  }

  /** The definition level of the next slot. */
  get definition(): number {
    if (!this.more) throw new PageError('expected another value, found the end of the column')
    return this.#definition === null ? this.#leaf.defined : this.#definition[this.#at]!
  }

  /** The repetition level of the next slot; 0, with which a row begins, after the last. */
  get repetition(): number {
    return !this.more || this.#repetition === null ? 0 : this.#repetition[this.#at]!
  }

  /** The next slot's value, null where it has none. */
  take(): unknown {
    const isValue = this.definition === this.#leaf.defined
    this.#at++
    return isValue ? this.#read(this.#next++) : null
  }

  /** Leaves the next slot out. */
  skip(): void {
    if (this.definition === this.#leaf.defined) this.#next++
    this.#at++
  }

  #load(): boolean {
    for (;;) {
      const page = this.#pages.next()
      if (page === null) return false
      if (page.slots === 0) continue
      this.#decode(page)
      return true
    }
  }

  #decode(page: DataPage): void {
    const { schemaPath, type, defined, repetition } = this.#leaf
    const { element } = schemaPath.at(-1)!
    this.#definition = defined === 0 ? null : decodeLevels(page.definition, defined, page.slots)
    this.#repetition = repetition === 0 ? null : decodeLevels(page.repetition, repetition, page.slots)
    const rows = this.#definition === null ? page.slots : countOf(this.#definition, defined)
    const flat: FlatColumn = {
      physical: element.type as Physical,
      typeLength: element.type_length ?? 0,
      maxDefinitionLevel: 0,
      rows,
    }
    const { dictionary } = this.#pages
    this.#dictionary ??= dictionaryOnce(dictionary, flat)
    const decoded = decodeFlat({ dictionary, pages: [{ ...page, slots: rows }] }, flat, newMemory, this.#dictionary)
    if (type.kind === 'string' || type.kind === 'json') requireUtf8(decoded)
    this.#read = valueReader(finishLogical(decoded, type), type)
    this.#at = 0
    this.#end = page.slots
    this.#next = 0
  }
}

function requireUtf8(column: Column): void {
  const bytes = column.kind === 'dictionary' ? column.dictionary : column
  if (bytes.kind !== 'bytes') return
  const wrong = firstNotUtf8(bytes)
  if (wrong < 0) return
  const found = Buffer.from(bytesAt(bytes, wrong).subarray(0, 20)).toString('hex')
  throw new PageError(`expected UTF-8 text, found the bytes ${found}`)
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0
  for (const one of levels) if (one === level) count++
  return count
}
