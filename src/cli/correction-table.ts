import type { Manifest } from '../model/manifest.ts'
import { type NamedColumn, textColumn } from '../read/named-column.ts'
import { valueReader } from '../read/values.ts'
import { tableCell } from './cells.ts'

/** What a table shows besides the key: the rest is for programs. */
const shownInTable = [
  ...['generation', 'key', 'column', 'change', 'old', 'new', 'cause'],
  ...['was_final', 'first_published_at', 'events'],
]

/** Notices as a table shows them. */
export class CorrectionTable {
  /** What could not be determined for the notices shown, and why, each reason once. */
  readonly details = new Set<string>()
  readonly #shown: ReadonlySet<string>
  /** The columns of the key, where all generations have the same. */
  readonly #key: readonly string[] | undefined

  constructor(generations: readonly Manifest[], withGeneration: boolean) {
    const keys = new Set(generations.map(({ key }) => JSON.stringify(key.map(({ name }) => name))))
    this.#key = keys.size === 1 ? generations[0]!.key.map(({ name }) => name) : undefined
    this.#shown = new Set(shownInTable.filter((name) => withGeneration || name !== 'generation'))
  }

  /** Only the first `limit` rows are looked through for details. */
  *select(batches: Iterable<readonly NamedColumn[]>, limit: number): Generator<readonly NamedColumn[]> {
    let left = limit
    for (const columns of batches) {
      this.#gatherDetails(columns, left)
      left -= columns[0]!.column.length
      yield columns
        .filter(({ name }) => this.#shown.has(name))
        .flatMap((column) => (column.name === 'key' && this.#key !== undefined ? splitKey(column, this.#key) : column))
    }
  }

  #gatherDetails(columns: readonly NamedColumn[], rows: number): void {
    const { column, type } = columns.find(({ name }) => name === 'detail')!
    const read = valueReader(column, type)
    for (let row = 0; row < Math.min(rows, column.length); row++) {
      const detail = read(row)
      if (detail !== null) this.details.add(detail as string)
    }
  }
}

/** The JSON objects of keys as a column for each of their members. */
function splitKey({ column, type }: NamedColumn, names: readonly string[]): NamedColumn[] {
  const read = valueReader(column, type)
  const keys = Array.from({ length: column.length }, (_, row) => read(row) as Readonly<Record<string, unknown>>)
  return names.map((name) =>
    textColumn(
      name,
      keys.map((key) => tableCell(key[name])),
    ),
  )
}
