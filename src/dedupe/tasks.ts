import { type RunList, runsOf } from '../shuffle/block-list.ts'
import { BlockMemory } from '../shuffle/block-memory.ts'
import type { ThreadContext } from '../thread/context.ts'
import type { StageTasks } from '../thread/stage-tasks.ts'
import type { LabelledTask } from '../workers/executor.ts'
import type { RowGroupSets } from './duplicates.ts'
import { findDuplicates, IDS_SHARE, type IdentityBlock, identifySplit } from './identify.ts'
import { collectRows, type DenseIds, markIds } from './identify-dense.ts'
import { type MemberRanks, rankMembers } from './kept.ts'

/** The tasks that find events that are in a log more than once. Logs and splits are named by their index. */
export type DedupeTask = MarkIdsTask | CollectRowsTask | IdentifyTask | DuplicatesTask | RankMembersTask

/** Marks a split's ids; results in those that were marked before. Only where memory is shared. */
export interface MarkIdsTask extends LabelledTask<Float64Array> {
  readonly kind: 'mark-ids'
  readonly log: number
  readonly split: number
  readonly dense: DenseIds
  readonly bitmap: Int32Array
}

/** Finds the rows of a split whose ids are marked. Only where memory is shared. */
export interface CollectRowsTask extends LabelledTask<Float64Array> {
  readonly kind: 'collect-rows'
  readonly log: number
  readonly split: number
  readonly dense: DenseIds
  readonly bitmap: Int32Array
}

/** Spreads hashes of a split's ids over buckets. */
export interface IdentifyTask extends LabelledTask<IdentityBlock> {
  readonly kind: 'identify'
  readonly log: number
  readonly split: number
}

/** Searches buckets for equal ids. */
export interface DuplicatesTask extends LabelledTask<Int32Array> {
  readonly kind: 'duplicates'
  readonly blocks: RunList
  readonly from: number
  readonly to: number
}

/** Reads what decides between deliveries of one event, of a split. */
export interface RankMembersTask extends LabelledTask<MemberRanks[]> {
  readonly kind: 'rank-members'
  readonly log: number
  readonly split: number
  readonly sets: readonly RowGroupSets[]
}

/** Keeps the memory that ids go to, which is not needed as long as that of events. */
export function dedupeTasks({ plan, budget, files, logFiles }: ThreadContext): StageTasks<DedupeTask> {
  let ids: { readonly log: number; readonly memory: BlockMemory } | null = null
  const memoryOf = (log: number): BlockMemory => {
    if (ids?.log !== log) {
      const share = { ...budget, limitBytes: budget.limitBytes * IDS_SHARE }
      ids = { log, memory: new BlockMemory(share, files, `ids-${log}`) }
    }
    return ids.memory
  }
  return {
    perform: {
      'mark-ids': ({ log, split, dense, bitmap }) => markIds(plan.logs[log]!, split, dense, bitmap, logFiles.open),
      'collect-rows': ({ log, split, dense, bitmap }) =>
        collectRows(plan.logs[log]!, split, dense, bitmap, logFiles.open),
      identify: ({ log, split }, attempt) => {
        const memory = memoryOf(log)
        return memory.during(`${split}.${attempt}`, () => identifySplit(plan.logs[log]!, split, logFiles.open, memory))
      },
      'rank-members': ({ log, split, sets }) => rankMembers(plan.logs[log]!, split, sets, logFiles.open),
      duplicates: ({ blocks, from, to }) => findDuplicates(runsOf(blocks), from, to, budget.taskBytes, files),
    },
    release: () => {
      ids = null
    },
  }
}
