import type { RowPlace } from '../compare/batch.ts'
import { cellJson, keyJson } from '../compare/cell-json.ts'
import { type ComparedColumns, compareGenerations, type Difference, matchColumns } from '../compare/compare.ts'
import { type ComparedGeneration, type RowStream, seek } from '../compare/stream.ts'
import type { ManifestColumn } from '../model/manifest.ts'
import { statusNames } from '../model/view.ts'
import type { Store } from '../storage/store.ts'
import type { PublishedWindows } from './windows.ts'

/** A row with published figures that a new generation changed, takes away, or adds to a window that was published. */
export interface ChangedRow {
  readonly key: string
  readonly ordinal: number
  readonly change: 'changed' | 'vanished' | 'appeared'
  readonly figures: readonly ChangedFigure[]
  /** Its place in the earlier generation, if it is there. */
  readonly before: RowPlace | null
  /** Its key, to find it in others. */
  readonly place: RowPlace
  /** The generations that are read alongside, in their order. */
  readonly others: readonly RowStream[]
}

export interface ChangedFigure {
  readonly column: string
  readonly old: string | null
  readonly new: string | null
}

/**
 * The rows that hold changed figures, a few at a time: figures are the columns besides the key that both generations
 * have, without those that say how final a row is. They follow each other in the order of `compareGenerations`.
 *
 * @param isPublished Whether a window was ever published: a row that is added to any other is no correction.
 */
export function* changedRows(
  before: ComparedGeneration,
  after: ComparedGeneration,
  others: readonly ComparedGeneration[],
  isPublished: PublishedWindows,
  files: Store,
): Generator<ChangedRow> {
  const columns = figureColumns(matchColumns(before, after))
  if (columns.both.length === 0) return
  for (const difference of compareGenerations(before, after, columns, files, others)) {
    const place = (difference.after ?? difference.before)!
    if (difference.kind === 'added' && !isPublished(place)) continue
    const changed =
      difference.kind === 'changed' ? difference.columns.map((index) => columns.both[index]!) : columns.both
    const figures = changed.map(({ name, before: old, after: now, beforeColumn, afterColumn }) => ({
      column: name,
      old: difference.before && cellJson(difference.before, old, beforeColumn),
      new: difference.after && cellJson(difference.after, now, afterColumn),
    }))
    yield {
      key: keyJson(place, after.key),
      ordinal: difference.ordinal,
      change: changeOf(difference),
      figures,
      before: difference.before,
      place,
      others: difference.others,
    }
  }
}

function figureColumns(columns: ComparedColumns): ComparedColumns {
  return { ...columns, both: columns.both.filter(({ name }) => !statusNames.includes(name)) }
}

function changeOf({ kind }: Difference): ChangedRow['change'] {
  return kind === 'added' ? 'appeared' : kind === 'removed' ? 'vanished' : 'changed'
}

/** A figure as another generation has it, which the streams of `ChangedRow.others` give; null where it hasn't. */
export function figureIn(
  place: RowPlace | null,
  columns: readonly ManifestColumn[],
  keyColumns: number,
  column: string,
): string | null {
  const index = columns.findIndex(({ name }) => name === column)
  return place === null || index < 0 ? null : cellJson(place, keyColumns + index, columns[index]!)
}

/** The place of the row in a generation that is read alongside; null where it isn't there. */
export function rowIn({ place, ordinal }: ChangedRow, stream: RowStream, keyColumns: number): RowPlace | null {
  return seek(stream, place, ordinal, keyColumns)
}
