import { withRoom } from '../columns/grow.ts'
import type { ManifestColumn } from '../model/manifest.ts'
import type { Store } from '../storage/store.ts'
import { compareKeys, equalKeys, firstDifference, type RowPlace } from './batch.ts'
import { cellReader } from './cell-json.ts'
import { alignedStreams, type ComparedGeneration, type RowStream } from './stream.ts'

/**
 * Two generations of a view, row by row: a merge join of their part files, which are sorted by key. Runs of equal keys are
 * found and compared column by column; nothing is made of a row that is the same in both. The rows of one key are held
 * against each other in their order.
 */

/** A row that one of two generations has, or that differs in some columns. To be read before the next is asked for. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly before: RowPlace | null
  readonly after: RowPlace | null
  /** Which columns differ, as indexes of `ComparedColumns.both`; empty where a generation doesn't have the row. */
  readonly columns: readonly number[]
  /** Which of its key's rows it is, from 0. */
  readonly ordinal: number
  /** Whether both generations have rows of the key. */
  readonly keyInBoth: boolean
  /** Whether it is the first difference of its key. */
  readonly firstOfKey: boolean
}

/** A column that both generations have, by name, and its place in the part files of each. */
export interface ColumnInBoth {
  readonly name: string
  readonly before: number
  readonly after: number
  readonly beforeColumn: ManifestColumn
  readonly afterColumn: ManifestColumn
  readonly sameType: boolean
}

export interface ComparedColumns {
  readonly keyColumns: number
  readonly both: readonly ColumnInBoth[]
  /** Columns that one of the generations doesn't have. */
  readonly added: readonly ManifestColumn[]
  readonly removed: readonly ManifestColumn[]
}

/** Why the rows of two generations can't be matched; undefined where they can. */
export function keyProblem(before: ComparedGeneration, after: ComparedGeneration): string | undefined {
  const [old, now] = [before, after].map(({ key }) => key.map(describeColumn).join(', '))
  return old === now ? undefined : `the key was (${old}) and is (${now})`
}

/** Matches the columns besides the key by their names. */
export function matchColumns(before: ComparedGeneration, after: ComparedGeneration): ComparedColumns {
  const keyColumns = after.key.length
  const both = after.columns.flatMap((afterColumn, index): ColumnInBoth[] => {
    const found = before.columns.findIndex(({ name }) => name === afterColumn.name)
    if (found < 0) return []
    const beforeColumn = before.columns[found]!
    return [
      {
        name: afterColumn.name,
        before: keyColumns + found,
        after: keyColumns + index,
        beforeColumn,
        afterColumn,
        sameType: typeText(beforeColumn) === typeText(afterColumn),
      },
    ]
  })
  const names = new Set(both.map(({ name }) => name))
  const missing = ({ columns }: ComparedGeneration) => columns.filter(({ name }) => !names.has(name))
  return { keyColumns, both, added: missing(after), removed: missing(before) }
}

/**
 * All differences, group of keys by group of keys, and by key within. `others` are read alongside: their streams of a
 * group are handed over with each difference, for `seek`.
 */
export function* compareGenerations(
  before: ComparedGeneration,
  after: ComparedGeneration,
  columns: ComparedColumns,
  files: Store,
  others: readonly ComparedGeneration[] = [],
): Generator<Difference & { readonly others: readonly RowStream[] }> {
  for (const [left, right, ...streams] of alignedStreams([before, after], files, others)) {
    for (const difference of compareStreams(left!, right!, columns)) yield { ...difference, others: streams }
  }
}

/** The differences of two streams of the same keys, in the order of the keys. */
function* compareStreams(left: RowStream, right: RowStream, columns: ComparedColumns): Generator<Difference> {
  const { keyColumns } = columns
  const marks = new ChangeMarks(columns)
  const keys = new KeyMemory(keyColumns)
  while (left.batch !== null || right.batch !== null) {
    const before = left.batch === null ? null : { batch: left.batch, row: left.row }
    const after = right.batch === null ? null : { batch: right.batch, row: right.row }
    const order = orderOf(before, after, keyColumns)
    if (order === 0) {
      const most = Math.min(left.ahead, right.ahead)
      const run = equalRun(before!, after!, most, keyColumns)
      if (marks.mark(before!, after!, run)) {
        for (const [row, changed] of marks.take(run)) yield keys.changed(at(before!, row), at(after!, row), changed)
      }
      keys.pair(at(before!, run - 1))
      left.advance(run)
      right.advance(run)
    } else if (order < 0) {
      yield keys.only('removed', before!)
      left.advance(1)
    } else {
      yield keys.only('added', after!)
      right.advance(1)
    }
  }
}

function orderOf(before: RowPlace | null, after: RowPlace | null, keyColumns: number): number {
  if (before === null) return 1
  if (after === null) return -1
  return compareKeys(before.batch, before.row, after.batch, after.row, keyColumns)
}

function at({ batch, row }: RowPlace, offset: number): RowPlace {
  return { batch, row: row + offset }
}

/**
 * How many rows from two of the same key on have the same keys, at most `most`. What is looked at grows with what was
 * found, so that many short runs don't each cost a long look.
 */
function equalRun(before: RowPlace, after: RowPlace, most: number, keyColumns: number): number {
  let run = 1
  for (let look = 16; run < most; look *= 2) {
    const count = Math.min(look, most - run)
    const equal = equalKeys(before.batch, before.row + run, after.batch, after.row + run, count, keyColumns)
    run += equal
    if (equal < count) break
  }
  return run
}

/** Which rows of a run differ, and in which columns. */
class ChangeMarks {
  readonly #columns: readonly ColumnInBoth[]
  /** By column: 1 for each row of the run that differs; made when the first does. */
  readonly #byColumn: Uint8Array[]
  #any: Uint8Array = new Uint8Array(0)
  /** Columns in which any row of the run differs. */
  #changed: number[] = []

  constructor({ both }: ComparedColumns) {
    this.#columns = both
    this.#byColumn = both.map(() => new Uint8Array(0))
  }

  /** Looks at a run; returns whether any of its rows differs. */
  mark(before: RowPlace, after: RowPlace, run: number): boolean {
    for (let index = 0; index < this.#columns.length; index++) this.#markColumn(index, before, after, run)
    return this.#changed.length > 0
  }

  /** The rows of the run that differ, with their columns. Once only: the marks are taken back. */
  *take(run: number): Generator<[row: number, columns: number[]]> {
    const changed = this.#changed
    this.#changed = []
    for (let row = this.#any.indexOf(1); row >= 0 && row < run; row = this.#any.indexOf(1, row + 1)) {
      const columns = changed.filter((index) => this.#byColumn[index]![row] === 1)
      this.#any[row] = 0
      for (const index of columns) this.#byColumn[index]![row] = 0
      yield [row, columns]
    }
  }

  #markColumn(index: number, before: RowPlace, after: RowPlace, run: number): void {
    const column = this.#columns[index]!
    let row = firstChange(column, before, after, 0, run)
    if (row < 0) return
    this.#changed.push(index)
    this.#any = withRoom(this.#any, run)
    const marks = withRoom(this.#byColumn[index]!, run)
    this.#byColumn[index] = marks
    for (; row >= 0; row = firstChange(column, before, after, row + 1, run)) {
      marks[row] = 1
      this.#any[row] = 1
    }
  }
}

/** The first of the rows `from` to `to` from two places on whose cells of a column differ; −1 where none does. */
function firstChange(column: ColumnInBoth, before: RowPlace, after: RowPlace, from: number, to: number): number {
  const a = before.batch.cells(column.before)
  const b = after.batch.cells(column.after)
  if (column.sameType) return firstDifference(a, before.row, b, after.row, from, to)
  // Values of different types are the same where they read the same: 5 of 32 bits and 5 of 64 bits.
  const [readA, readB] = [cellReader(a.column, column.beforeColumn), cellReader(b.column, column.afterColumn)]
  for (let row = from; row < to; row++) {
    if (String(readA(before.row + row)) !== String(readB(after.row + row))) return row
  }
  return -1
}

function describeColumn(column: ManifestColumn): string {
  return `${column.name}: ${column.nullable ? 'nullable ' : ''}${typeText(column)}`
}

function typeText({ type, unit, precision, scale }: ManifestColumn): string {
  const size = unit ?? (precision === undefined ? '' : `${precision}, ${scale}`)
  return size === '' ? type : `${type}(${size})`
}

/** Marks which differences are of the same key, and whether both generations have it. */
class KeyMemory {
  readonly #keyColumns: number
  #paired: RowPlace | undefined
  #told: RowPlace | undefined

  constructor(keyColumns: number) {
    this.#keyColumns = keyColumns
  }

  /** Rows up to this one were in both. */
  pair(place: RowPlace): void {
    this.#paired = place
  }

  changed(before: RowPlace, after: RowPlace, columns: readonly number[]): Difference {
    return { kind: 'changed', before, after, columns, keyInBoth: true, ...this.#tell(after) }
  }

  only(kind: 'added' | 'removed', place: RowPlace): Difference {
    const keyInBoth = this.#isSame(this.#paired, place)
    const [before, after] = kind === 'added' ? [null, place] : [place, null]
    return { kind, before, after, columns: [], keyInBoth, ...this.#tell(place) }
  }

  #tell(place: RowPlace): { ordinal: number; firstOfKey: boolean } {
    const firstOfKey = !this.#isSame(this.#told, place)
    this.#told = place
    return { ordinal: place.batch.ordinalOf(place.row, this.#keyColumns), firstOfKey }
  }

  #isSame(known: RowPlace | undefined, place: RowPlace): boolean {
    return known !== undefined && compareKeys(known.batch, known.row, place.batch, place.row, this.#keyColumns) === 0
  }
}
