import type { SlotColumn } from '../columns/slot-column.ts'
import type { FilePlan, LogPlan } from '../model/plan.ts'
import type { ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import { readBatch } from '../scan/batch.ts'
import { identityWords } from '../scan/identity.ts'
import { rowsOutside } from '../scan/moments.ts'
import type { LogDuplicates, RowGroupSets } from './duplicates.ts'

/**
 * Where a log declares that deliveries of one event may differ, which of them is applied is decided by when they were
 * recorded, of those within the moments asked for; else it is the first in the order of the files, as all are equal.
 */
export interface MemberRanks {
  /** By member: when it was recorded. */
  readonly recordedAt: BigInt64Array
  /** By member: two words that are equal for equal values of what is ignored. They decide between equal moments. */
  readonly words: Int32Array
  /** By member: 1 where it lies outside the moments asked for; null where none does. */
  readonly outside: Uint8Array | null
}

/** Reads what decides between the members of one split. @returns For each row group with members. */
export function rankMembers(
  log: LogPlan,
  split: number,
  sets: readonly RowGroupSets[],
  open: (file: FilePlan) => ParquetFile,
): MemberRanks[] {
  const { recordedAt, occurredAt } = log.roles
  const { ignored } = log.duplicates!
  const needed = new Set([recordedAt, ...ignored, ...(log.asOf === null ? [] : [occurredAt])])
  const memory = new BatchMemory()
  return sets.map(({ rowGroup, members }) => {
    memory.reset()
    const batch = readBatch(log, log.files[log.splits[split]!.file]!, open, rowGroup, needed, memory)
    const moments = batch.columns[recordedAt]!
    if (moments.kind !== 'int64') throw new Error(`a moment is an int64, found ${moments.kind}`)
    const outside = rowsOutside(log, batch)
    return {
      recordedAt: BigInt64Array.from(members, (row) => moments.values[row]!),
      words: identityWords(
        ignored.map((slot) => batch.columns[slot] as SlotColumn),
        members,
      ),
      outside: outside === null ? null : Uint8Array.from(members, (row) => outside[row]!),
    }
  })
}

/** A member: of which split, which of its row groups with members, and which of its members. */
interface Member {
  readonly ranks: MemberRanks
  readonly at: number
}

/**
 * The same duplicates, with other rows applied. Deliveries outside the moments asked for are not applied in any case, and
 * count as filtered.
 *
 * @param ranks By split: for each row group with members.
 */
export function keepDeclared(
  { duplicates: declared }: LogPlan,
  duplicates: LogDuplicates,
  ranks: ReadonlyMap<number, readonly MemberRanks[]>,
): LogDuplicates {
  const kept = new Array<Member | undefined>(duplicates.sets)
  const sign = declared!.keep === 'first' ? 1 : -1
  for (const [split, rowGroups] of duplicates.bySplit) {
    rowGroups.forEach(({ sets }, index) => {
      const own = ranks.get(split)![index]!
      for (const [at, set] of sets.entries()) {
        if (own.outside?.[at] === 1) continue
        const before = kept[set]
        const member = { ranks: own, at }
        if (before === undefined || compareMembers(member, before, sign) < 0) kept[set] = member
      }
    })
  }
  const bySplit = [...duplicates.bySplit].map(([split, rowGroups]): [number, RowGroupSets[]] => [
    split,
    rowGroups.map((rowGroup, index) => {
      const own = ranks.get(split)![index]!
      const isDropped = (at: number) => {
        const winner = kept[rowGroup.sets[at]!]
        return own.outside?.[at] !== 1 && !(winner?.ranks === own && winner.at === at)
      }
      return { ...rowGroup, dropped: rowGroup.members.filter((_, at) => isDropped(at)) }
    }),
  ])
  return { sets: duplicates.sets, bySplit: new Map(bySplit) }
}

/** Of two that are equal in everything, either is the event. */
function compareMembers(a: Member, b: Member, sign: number): number {
  const [left, right] = [a.ranks.recordedAt[a.at]!, b.ranks.recordedAt[b.at]!]
  if (left !== right) return left < right ? -sign : sign
  for (const word of [0, 1]) {
    const difference = a.ranks.words[2 * a.at + word]! - b.ranks.words[2 * b.at + word]!
    if (difference !== 0) return difference
  }
  return 0
}
