import type { RowPlace } from '../compare/batch.ts'
import { cellJson } from '../compare/cell-json.ts'
import {
  type ComparedColumns,
  compareGenerations,
  type Difference,
  keyProblem,
  matchColumns,
} from '../compare/compare.ts'
import type { ComparedGeneration } from '../compare/stream.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { ManifestColumn } from '../model/manifest.ts'
import { disk } from '../storage/disk.ts'
import { declaredReader, declaredTypeOf } from './values.ts'
import type { FoundView } from './view-files.ts'

/** The column in which a rebuild changes every row of a view with windows. */
const progressColumn = 'knownThrough'

/** A generation, and what to call it in messages. */
export interface NamedGeneration extends FoundView {
  readonly title: string
}

/** A row that differs, its values by column: of a changed one those that changed, else all besides the key. */
export interface ChangedRow<Cell> {
  readonly kind: Difference['kind']
  readonly key: readonly Cell[]
  /** Which of its key's rows it is, from 0. */
  readonly ordinal: number
  readonly old: ReadonlyMap<string, Cell>
  readonly new: ReadonlyMap<string, Cell>
}

/** A difference of two generations. To be read before the next is asked for. */
export interface FoundDifference {
  /** Whether it is the first of its key. */
  readonly firstOfKey: boolean
  /** The row as JSON texts, exact. */
  texts(): ChangedRow<string>
  /** The row as values for programs. */
  values(): ChangedRow<unknown>
}

/** Two generations of a view, what of them is compared, and what was counted so far. */
export class ViewComparison {
  readonly before: NamedGeneration
  readonly after: NamedGeneration
  /** Keys of the rows that differ. A key with rows in one generation only is added or removed. */
  readonly keys = { added: 0, removed: 0, changed: 0 }
  readonly #rows = { added: 0, removed: 0, changed: 0 }
  readonly columns: ComparedColumns
  /** By column that both have: rows in which it differs. */
  readonly changedRows: number[]

  /**
   * @param allColumns Compare `knownThrough` too, which a rebuild moves on in every row of a view with windows.
   * @throws ConfigurationError where the two have other key columns.
   */
  constructor(before: NamedGeneration, after: NamedGeneration, allColumns: boolean) {
    const problem = keyProblem(comparedOf(before), comparedOf(after))
    if (problem !== undefined) {
      throw new ConfigurationError(
        `Cannot compare the rows of ${before.title} with ${after.title} key by key: ${problem}.`,
      )
    }
    const matched = matchColumns(comparedOf(before), comparedOf(after))
    const isCompared = (name: string) => allColumns || after.manifest.window === null || name !== progressColumn
    this.before = before
    this.after = after
    this.columns = { ...matched, both: matched.both.filter(({ name }) => isCompared(name)) }
    this.changedRows = this.columns.both.map(() => 0)
  }

  get view(): string {
    return this.after.manifest.view
  }

  /** Rows that differ, and those that both generations have. */
  get rows(): { added: number; removed: number; changed: number; unchanged: number } {
    const { added, changed } = this.#rows
    return { ...this.#rows, unchanged: this.after.manifest.rows - added - changed }
  }

  /** Columns with the number of rows in which they changed, and a note for those that only one of the generations has. */
  get columnLines(): readonly (readonly [name: string, rows: number | null, note: string])[] {
    return [
      ...this.columns.both.map(({ name }, index) => [name, this.changedRows[index]!, ''] as const),
      ...this.columns.added.map(({ name }) => [name, null, 'added'] as const),
      ...this.columns.removed.map(({ name }) => [name, null, 'removed'] as const),
    ]
  }

  /** Goes through both generations, once, and counts what differs on the way. */
  *differences(): Generator<FoundDifference> {
    for (const difference of this.#compare()) {
      this.#count(difference)
      yield {
        firstOfKey: difference.firstOfKey,
        texts: () => this.#row(difference, cellJson),
        values: () => this.#row(difference, cellValue),
      }
    }
  }

  /** Goes through both generations, once, only to count what differs. */
  countAll(): void {
    for (const difference of this.#compare()) this.#count(difference)
  }

  #compare(): Iterable<Difference> {
    return compareGenerations(comparedOf(this.before), comparedOf(this.after), this.columns, disk)
  }

  #count({ kind, columns, keyInBoth, firstOfKey }: Difference): void {
    this.#rows[kind]++
    if (firstOfKey) this.keys[keyInBoth || kind === 'changed' ? 'changed' : kind]++
    for (const index of columns) this.changedRows[index]!++
  }

  #row<Cell>(difference: Difference, read: CellReader<Cell>): ChangedRow<Cell> {
    const { kind, before, after, ordinal } = difference
    const { keyColumns, both } = this.columns
    const place = (after ?? before)!
    const valuesOf = (generation: FoundView, side: 'before' | 'after'): Map<string, Cell> => {
      const at = difference[side]
      if (at === null) return new Map()
      const cells =
        kind === 'changed'
          ? difference.columns.map(
              (index) => [both[index]!.name, both[index]![side], both[index]![`${side}Column`]] as const,
            )
          : generation.manifest.columns.map((column, index) => [column.name, keyColumns + index, column] as const)
      return new Map(cells.map(([name, index, column]) => [name, read(at, index, column)]))
    }
    return {
      kind,
      key: this.after.manifest.key.map((column, index) => read(place, index, column)),
      ordinal,
      old: valuesOf(this.before, 'before'),
      new: valuesOf(this.after, 'after'),
    }
  }
}

function comparedOf({ folder, manifest }: FoundView): ComparedGeneration {
  return { ...manifest, folder }
}

/** Reads one cell: of the column with this index in the part file. */
type CellReader<Cell> = (place: RowPlace, index: number, column: ManifestColumn) => Cell

function cellValue({ batch, row }: RowPlace, index: number, column: ManifestColumn): unknown {
  return declaredReader(batch.cells(index).column, declaredTypeOf(column))(row)
}
