import type { FoldedLog } from '../model/plan.ts'
import { type BlockList, blocksOf } from '../shuffle/block-list.ts'
import { BlockMemory } from '../shuffle/block-memory.ts'
import { attemptPath } from '../storage/generations.ts'
import type { ThreadContext } from '../thread/context.ts'
import type { StageTasks } from '../thread/stage-tasks.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import type { LabelledTask } from '../workers/executor.ts'
import { type Failure, failureOf } from '../workers/failure.ts'
import { GroupReducer, type ReduceResult, type ReduceTime } from './reduce-part.ts'
import { FoldFailure, KeySpansPartitionsError, type ReduceSide } from './reduce-side.ts'

/** Writes a part of each view of a group. */
export interface ReduceTask extends LabelledTask<ReducedPart | ReduceFailure | SpanningKey>, ReduceTime {
  readonly kind: 'reduce'
  /** Index in `foldsOf` the plan. */
  readonly fold: number
  readonly blocks: BlockList
  /** Buckets. */
  readonly from: number
  readonly to: number
  /** Name of the part file. */
  readonly name: string
  /** By view, vintages among them: the folder of its generation. */
  readonly folders: Readonly<Record<string, string>>
}

export interface ReducedPart extends ReduceResult {
  /** Which attempt it was: its part files are where `attemptPath` says. */
  readonly attempt: number
}

/** A reduce that ended at a handler that threw; the event must still be found. */
export interface ReduceFailure {
  readonly failure: Pick<
    FoldFailure,
    'view' | 'handler' | 'key' | 'member' | 'split' | 'ordinal' | 'bucket' | 'nth' | 'message'
  >
  /** What the handler threw, with its own stack. */
  readonly cause: Failure
}

/** A reduce that ended at a key whose states came from two partitions; its events must still be found. */
export interface SpanningKey {
  readonly spanningKey: Pick<KeySpansPartitionsError, 'key' | 'shown' | 'splits'>
}

/**
 * Keeps a reducer a group, compiled once.
 *
 * @param sideOf What the group's strategy does with rows that arrive.
 */
export function reduceTasks(
  { folds, budget, files }: ThreadContext,
  sideOf: (log: FoldedLog, group: PreparedGroup) => ReduceSide,
): StageTasks<ReduceTask> {
  const reducers = new Map<number, GroupReducer>()
  // All on disk: nobody knows when unused shared memory is really freed.
  const memory = new BlockMemory({ ...budget, limitBytes: 0 }, files, 'sorted')
  const reducerOf = (fold: number): GroupReducer => {
    let reducer = reducers.get(fold)
    if (reducer === undefined) {
      const { log, group } = folds[fold]!
      reducer = new GroupReducer(log, group, sideOf(log, group), memory, budget.taskBytes)
      reducers.set(fold, reducer)
    }
    return reducer
  }
  const reduce = (task: ReduceTask, attempt: number): ReducedPart => {
    const { fold, from, name, folders } = task
    const pathOf = (view: string) => attemptPath(folders[view]!, name, attempt)
    const result = memory.during(`${fold}-${from}.${attempt}`, () =>
      reducerOf(fold).reduce({ ...task, blocks: blocksOf(task.blocks), pathOf }, files),
    )
    return { ...result, attempt }
  }
  return {
    perform: {
      reduce: (task, attempt) => {
        try {
          return reduce(task, attempt)
        } catch (error) {
          return asData(error)
        }
      },
    },
    release: () => {
      reducers.clear()
      memory.release()
    },
  }
}

/** What ended at an event or a key that can only be found with the log, as data; everything else is thrown again. */
function asData(error: unknown): ReduceFailure | SpanningKey {
  if (error instanceof KeySpansPartitionsError)
    return { spanningKey: { key: error.key, shown: error.shown, splits: error.splits } }
  if (!(error instanceof FoldFailure)) throw error
  const { view, handler, key, member, split, ordinal, bucket, nth, message } = error
  return {
    failure: { view, handler, key, member, split, ordinal, bucket, nth, message },
    cause: failureOf(error.cause),
  }
}
