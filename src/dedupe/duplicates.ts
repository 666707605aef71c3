import type { LogPlan } from '../model/plan.ts'

/**
 * Which rows of a log look equal. Two in a hundred of a large log may, so rows are numbers in typed arrays and never
 * objects: a row is counted through its split, a set of rows with one identity is a number from 0 on.
 */

/** A row of the log: of which split, row group and row. */
export interface RowPlace {
  readonly split: number
  readonly rowGroup: number
  readonly row: number
}

/** The rows of one split that share their identity with others. */
export interface SplitMembers {
  /** Ascending. */
  readonly rows: Int32Array
  /** By member: the set it belongs to. */
  readonly sets: Int32Array
}

/** For one row group: which rows not to apply, and which to compare. Both ascending. */
export interface RowGroupSets {
  readonly rowGroup: number
  readonly dropped: Int32Array
  readonly members: Int32Array
  /** By member: the set it belongs to. */
  readonly sets: Int32Array
}

/** What is known of a log's duplicates before its events are mapped. */
export interface LogDuplicates {
  /** Number of sets. */
  readonly sets: number
  readonly bySplit: ReadonlyMap<number, readonly RowGroupSets[]>
}

export const noDuplicates: LogDuplicates = { sets: 0, bySplit: new Map() }

/** Numbers of a row that was found to look equal to another: its set, its split, its row in the split. */
export const FOUND_NUMBERS = 3

/**
 * The members of each split.
 *
 * @param found Rows in any order, set numbers of each array counted from 0.
 */
export function membersBySplit(
  found: readonly Int32Array[],
  splits: number,
): { members: SplitMembers[]; sets: number } {
  const starts = new Int32Array(splits + 1)
  for (const numbers of found) for (let i = 0; i < numbers.length; i += FOUND_NUMBERS) starts[numbers[i + 1]! + 1]!++
  for (let split = 0; split < splits; split++) starts[split + 1]! += starts[split]!
  // Row in the high half, set in the low: sorted as whole numbers they are sorted by row.
  const pairs = new BigUint64Array(starts[splits]!)
  const words = new Int32Array(pairs.buffer)
  const cursors = starts.slice()
  let sets = 0
  for (const numbers of found) {
    let own = 0
    for (let i = 0; i < numbers.length; i += FOUND_NUMBERS) {
      const at = cursors[numbers[i + 1]!]!++
      words[2 * at] = sets + numbers[i]!
      words[2 * at + 1] = numbers[i + 2]!
      own = Math.max(own, numbers[i]! + 1)
    }
    sets += own
  }
  const members = Array.from({ length: splits }, (_, split): SplitMembers => {
    const [from, to] = [starts[split]!, starts[split + 1]!]
    pairs.subarray(from, to).sort()
    const half = (which: number) => Int32Array.from({ length: to - from }, (_, i) => words[2 * (from + i) + which]!)
    return { rows: half(1), sets: half(0) }
  })
  return { members, sets }
}

/** The members as the map stage needs them. The first of a set, in the order of the log's files, is applied. */
export function duplicatesOf(log: LogPlan, members: readonly SplitMembers[], sets: number): LogDuplicates {
  const seen = new Uint8Array(sets)
  const bySplit = new Map<number, RowGroupSets[]>()
  members.forEach((own, split) => {
    if (own.rows.length > 0) bySplit.set(split, byRowGroup(log, split, own, seen))
  })
  return { sets, bySplit }
}

function byRowGroup(log: LogPlan, split: number, { rows, sets }: SplitMembers, seen: Uint8Array): RowGroupSets[] {
  const groups: RowGroupSets[] = []
  let from = 0
  let first = 0
  for (const { index, rows: count } of log.splits[split]!.rowGroups) {
    let to = from
    while (to < rows.length && rows[to]! < first + count) to++
    if (to > from) groups.push(rowGroupSets(index, rows.subarray(from, to), first, sets.slice(from, to), seen))
    from = to
    first += count
  }
  return groups
}

function rowGroupSets(
  rowGroup: number,
  rows: Int32Array,
  firstRow: number,
  sets: Int32Array,
  seen: Uint8Array,
): RowGroupSets {
  const members = rows.map((row) => row - firstRow)
  const dropped = members.filter((_, i) => {
    const before = seen[sets[i]!]
    seen[sets[i]!] = 1
    return before === 1
  })
  return { rowGroup, dropped, members, sets }
}
