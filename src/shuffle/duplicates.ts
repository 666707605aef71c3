/** What the search for equal identities came to, and what comparing contents made of it. */

/** A row of the log: of which split, row group and row. */
export interface RowPlace {
  readonly split: number
  readonly rowGroup: number
  readonly row: number
}

/** Rows with one identity; the first, in the order of the log's files, is the one that is applied. */
export type DuplicateSet = readonly RowPlace[]

/**
 * The sets of rows that look alike.
 *
 * @param found As `findDuplicates` gives: four words a row.
 */
export function collectSets(found: readonly Int32Array[]): DuplicateSet[] {
  const sets: RowPlace[][] = []
  for (const words of found) {
    const first = sets.length
    for (let i = 0; i < words.length; i += 4) {
      const set = first + words[i]!
      while (sets.length <= set) sets.push([])
      sets[set]!.push({ split: words[i + 1]!, rowGroup: words[i + 2]!, row: words[i + 3]! })
    }
  }
  for (const set of sets) set.sort(compareRows)
  return sets
}

function compareRows(a: RowPlace, b: RowPlace): number {
  return a.split - b.split || a.rowGroup - b.rowGroup || a.row - b.row
}

/** For one row group: which rows not to apply, and which to compare. Both ascending. */
export interface RowGroupSets {
  readonly rowGroup: number
  readonly dropped: Int32Array
  readonly members: Int32Array
  /** By member: the set it belongs to. */
  readonly sets: Int32Array
}

/** The sets by split and row group, as the map stage needs them. */
export function duplicatesBySplit(sets: readonly DuplicateSet[]): ReadonlyMap<number, readonly RowGroupSets[]> {
  const bySplit = new Map<number, Map<number, { row: number; set: number; dropped: boolean }[]>>()
  sets.forEach((set, index) => {
    set.forEach(({ split, rowGroup, row }, position) => {
      const groups = bySplit.get(split) ?? new Map()
      bySplit.set(split, groups)
      const members = groups.get(rowGroup) ?? []
      groups.set(rowGroup, members)
      members.push({ row, set: index, dropped: position > 0 })
    })
  })
  return new Map(
    [...bySplit].map(([split, groups]) => [
      split,
      [...groups].map(([rowGroup, members]) => rowGroupSets(rowGroup, members)),
    ]),
  )
}

function rowGroupSets(rowGroup: number, members: { row: number; set: number; dropped: boolean }[]): RowGroupSets {
  members.sort((a, b) => a.row - b.row)
  return {
    rowGroup,
    dropped: Int32Array.from(
      members.filter((member) => member.dropped),
      (member) => member.row,
    ),
    members: Int32Array.from(members, (member) => member.row),
    sets: Int32Array.from(members, (member) => member.set),
  }
}
