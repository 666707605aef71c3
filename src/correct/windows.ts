import { join } from 'node:path'
import { Batch, compareKeys, type RowPlace } from '../compare/batch.ts'
import { cellJson } from '../compare/cell-json.ts'
import { alignedStreams, type ComparedGeneration } from '../compare/stream.ts'
import { openInTurn } from '../parquet/open-in-turn.ts'
import type { Store } from '../storage/store.ts'

/** Whether any of some generations has rows of the window of a row, which is the first column of its key. */
export type PublishedWindows = (place: RowPlace) => boolean

/**
 * Looks windows up in generations, from the first on. Of most generations the ends are read and no more: what is new in a
 * nightly rebuild is a window after all that were there.
 *
 * @param generations All of the same key.
 */
export function publishedWindows(generations: readonly ComparedGeneration[], files: Store): PublishedWindows {
  const lookups = generations.map((generation) => windowsOf(generation, files))
  const found = new Map<string, boolean>()
  return (place) => {
    const window = cellJson(place, 0, generations[0]!.key[0]!)
    const known = found.get(window)
    if (known !== undefined) return known
    const isPublished = lookups.some((has) => has(place, window))
    found.set(window, isPublished)
    return isPublished
  }
}

function windowsOf(generation: ComparedGeneration, files: Store): (place: RowPlace, window: string) => boolean {
  let ends: Ends | null | undefined
  let windows: ReadonlySet<string> | undefined
  return (place, window) => {
    if (ends === undefined) ends = endsOf(generation, files)
    if (ends === null || compareWindows(place, ends.first) < 0 || compareWindows(place, ends.last) > 0) return false
    windows ??= listWindows(generation, files)
    return windows.has(window)
  }
}

function compareWindows(a: RowPlace, b: RowPlace): number {
  return compareKeys(a.batch, a.row, b.batch, b.row, 1)
}

/** The first and the last window of a generation, in rows that have it. */
interface Ends {
  readonly first: RowPlace
  readonly last: RowPlace
}

/** Parts are sorted, so they begin and end with their first and last windows; null where there are no rows. */
function endsOf({ folder, files: parts }: ComparedGeneration, files: Store): Ends | null {
  return openInTurn(files, (open) => {
    let ends: Ends | null = null
    for (const { name } of parts) {
      const part = open({ path: join(folder, name) })
      const rowGroups = part.rowGroups.filter(({ rows }) => rows > 0)
      if (rowGroups.length === 0) continue
      const [head, tail] = [rowGroups[0]!, rowGroups.at(-1)!]
      const first = { batch: new Batch(part, head.index, 0, 1), row: 0 }
      const last = { batch: new Batch(part, tail.index, tail.rows - 1, 1), row: 0 }
      // Read now: the file is closed when the next is opened.
      for (const { batch } of [first, last]) batch.cells(0)
      ends = {
        first: ends !== null && compareWindows(ends.first, first) <= 0 ? ends.first : first,
        last: ends !== null && compareWindows(ends.last, last) >= 0 ? ends.last : last,
      }
    }
    return ends
  })
}

/** All windows of a generation, as JSON: as many texts as there are windows. */
function listWindows(generation: ComparedGeneration, files: Store): ReadonlySet<string> {
  const windows = new Set<string>()
  for (const [stream] of alignedStreams([generation], files)) {
    let last: RowPlace | null = null
    for (let { batch } = stream!; batch !== null; { batch } = stream!) {
      for (let row = stream!.row; row < stream!.row + stream!.ahead; row++) {
        if (last !== null && compareKeys(last.batch, last.row, batch, row, 1) === 0) continue
        last = { batch, row }
        windows.add(cellJson(last, 0, generation.key[0]!))
      }
      stream!.advance(stream!.ahead)
    }
  }
  return windows
}
