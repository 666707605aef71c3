import type { Place } from '../model/errors.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import { makeUpcaster } from '../scan/upcast.ts'
import { BlockMemory } from '../shuffle/block-memory.ts'
import type { ThreadContext } from '../thread/context.ts'
import type { StageTasks } from '../thread/stage-tasks.ts'
import type { LabelledTask } from '../workers/executor.ts'
import type { MakeMapSide } from './map-side.ts'
import { LogMapper, type MapResult, type RowGroupDuplicates, type RowTarget, type SplitWork } from './map-split.ts'

/** The tasks that map events, and that map them once more to find one. Logs, groups and splits are named by their index. */
export type MapStageTask = MapTask | LocateTask | LocateKeyTask

export interface MapTask extends LabelledTask<MapResult[]> {
  readonly kind: 'map'
  readonly log: number
  /** One, or those of a partition; at least one. */
  readonly splits: readonly SplitWork[]
}

/** Finds an event of which only its way through the shuffle is known. */
export interface LocateTask extends LabelledTask<Place> {
  readonly kind: 'locate'
  readonly log: number
  readonly split: number
  readonly duplicates: readonly RowGroupDuplicates[]
  readonly target: RowTarget
}

/** Finds the first event of a key among those that a group folds in place. */
export interface LocateKeyTask extends LabelledTask<Place> {
  readonly kind: 'locate-key'
  readonly log: number
  readonly group: number
  readonly splits: readonly SplitWork[]
  /** The key's bytes. */
  readonly key: Uint8Array
}

/**
 * Keeps a mapper a log, compiled once, and the memory that batches are decoded to.
 *
 * @param sideOf What the group's strategy does with events where they are read.
 */
export function mapTasks(
  { plan, groups, budget, files, logFiles }: ThreadContext,
  sideOf: MakeMapSide,
): StageTasks<MapStageTask> {
  const mappers = new Map<number, LogMapper>()
  const batchMemory = new BatchMemory()
  const memory = new BlockMemory(budget, files, 'map')
  const mapperOf = (index: number): LogMapper => {
    let mapper = mappers.get(index)
    if (mapper === undefined) {
      const log = plan.logs[index]!
      const { upcast } = groups[index]![0]!.views[0]!.definition.log
      const mapped = groups[index]!.map((group) => ({ group, side: sideOf(log, group, memory) }))
      mapper = new LogMapper({ log, groups: mapped, upcaster: makeUpcaster(log, upcast), memory, batchMemory })
      mappers.set(index, mapper)
    }
    return mapper
  }
  return {
    perform: {
      map: ({ log, splits }, attempt) =>
        memory.during(`${log}-${splits[0]!.split}.${attempt}`, () => mapperOf(log).map(splits, logFiles.open)),
      locate: ({ log, split, duplicates, target }) => mapperOf(log).locate(split, duplicates, logFiles.open, target),
      'locate-key': ({ log, group, splits, key }) => mapperOf(log).locateKey(splits, group, key, logFiles.open),
    },
    release: () => {
      mappers.clear()
      batchMemory.release()
      memory.release()
    },
  }
}
