import type { PackedLayout } from '../view/packed-layout.ts'
import { typeCodeOf } from '../view/row-layout.ts'
import { lateCode, type PreparedGroup } from '../view/view-set.ts'
import type { Bucket } from './bucket.ts'

/** How many late events a packed row stands for: one that is late for one, a state for those that went into it. */
export type LateOf = (bucket: Bucket, row: number) => number

/** Null where the group's views have no windows. */
export function makeLateOf(group: PreparedGroup, { lateWord }: PackedLayout): LateOf | null {
  if (group.views[0]!.window === null) return null
  if (lateWord >= 0) return ({ words, rowAt }, row) => words[rowAt[row]! + lateWord]!
  const code = lateCode(group)
  return ({ words, rowAt }, row) => (typeCodeOf(words, rowAt[row]!) >= code ? 1 : 0)
}

/** Late events of each key of a bucket; those that failed were not applied, and are reported elsewhere. */
export function countLate(bucket: Bucket, lateOf: LateOf, failed: ReadonlySet<number>): Int32Array {
  const counts = new Int32Array(bucket.table.size)
  for (let row = 0; row < bucket.rows; row++) {
    if (failed.size === 0 || !failed.has(row)) counts[bucket.slotOf[row]!]! += lateOf(bucket, row)
  }
  return counts
}
