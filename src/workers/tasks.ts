import { threadId } from 'node:worker_threads'
import { findDuplicates, IDS_SHARE, type IdentityBlock, identifySplit } from '../dedupe/identify.ts'
import { collectRows, type DenseIds, markIds } from '../dedupe/identify-dense.ts'
import { importBundle } from '../job/import.ts'
import { LogMapper, type MapResult, type RowGroupDuplicates, type RowTarget, type SplitWork } from '../map/map-split.ts'
import { InputError, type Place } from '../model/errors.ts'
import type { FilePlan, Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import { footerSha256, openParquet, type ParquetFile } from '../parquet/file.ts'
import { BatchMemory } from '../parquet/read-memory.ts'
import {
  FoldFailure,
  GroupReducer,
  KeyTwiceFailure,
  type ReduceResult,
  type ReduceTime,
} from '../reduce/reduce-part.ts'
import { makeUpcaster } from '../scan/upcast.ts'
import { type BlockList, blocksOf, type RunList, runsOf } from '../shuffle/block-list.ts'
import { BlockMemory, type ShuffleBudget } from '../shuffle/block-memory.ts'
import { openStorage } from '../storage/open.ts'
import type { Disk, ReadableFile, StorageDescription } from '../storage/store.ts'
import { type PreparedGroup, prepareGroup } from '../view/view-set.ts'
import type { Perform, Task } from './executor.ts'
import { errorOf, type Failure, failureOf } from './failure.ts'

/** The kinds of work that a rebuild hands out. All are plain data; logs, groups and splits are named by their index. */
export type RebuildTask =
  | MarkIdsTask
  | CollectRowsTask
  | IdentifyTask
  | DuplicatesTask
  | MapTask
  | LocateTask
  | LocateKeyTask
  | ReduceTask

interface LabelledTask<Result> extends Task<Result> {
  /** What the task does, in words, for messages. */
  readonly label: string
}

export interface IdentifyTask extends LabelledTask<IdentityBlock> {
  readonly kind: 'identify'
  readonly log: number
  readonly split: number
}

export interface MarkIdsTask extends LabelledTask<Float64Array> {
  readonly kind: 'mark-ids'
  readonly log: number
  readonly split: number
  readonly dense: DenseIds
  readonly bitmap: Int32Array
}

export interface CollectRowsTask extends LabelledTask<Float64Array> {
  readonly kind: 'collect-rows'
  readonly log: number
  readonly split: number
  readonly dense: DenseIds
  readonly bitmap: Int32Array
}

export interface DuplicatesTask extends LabelledTask<Int32Array> {
  readonly kind: 'duplicates'
  readonly blocks: RunList
  readonly from: number
  readonly to: number
}

export interface MapTask extends LabelledTask<MapResult[]> {
  readonly kind: 'map'
  readonly log: number
  readonly splits: readonly SplitWork[]
}

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

export interface ReduceTask extends LabelledTask<ReduceResult | ReduceFailure | KeyInPartitions>, ReduceTime {
  readonly kind: 'reduce'
  readonly log: number
  readonly group: number
  readonly blocks: BlockList
  readonly from: number
  readonly to: number
  /** Name of the part file. */
  readonly name: string
  /** By view, vintages among them: the folder its part file goes to. */
  readonly folders: Readonly<Record<string, string>>
}

/** What a thread needs before its first task. */
export interface RebuildSetup {
  readonly plan: Plan
  readonly budget: ShuffleBudget
  /** Where logs are read and views written: the storage itself in this thread, what another thread opens by itself. */
  readonly storage: Disk | StorageDescription
  /** The module that exports the job; absent where `definitions` are given, in this thread. */
  readonly bundlePath?: string
  readonly definitions?: readonly ViewDefinition[]
}

export async function prepare(setup: RebuildSetup): Promise<Perform> {
  const views = setup.definitions ?? (await importBundle(setup.bundlePath!)).views
  const files = 'kind' in setup.storage ? openStorage(setup.storage) : setup.storage
  const runner = new TaskRunner(setup.plan, new Map(views.map((view) => [view.name, view])), files, setup.budget)
  const perform = (task: RebuildTask) => ({ value: runner.run(task) })
  return Object.assign(perform, { close: () => runner.close() }) as Perform
}

/** A reduce that ended at a handler that threw; the event is still to be found. */
export interface ReduceFailure {
  readonly failure: Pick<FoldFailure, 'view' | 'handler' | 'key' | 'split' | 'ordinal' | 'bucket' | 'nth' | 'message'>
  /** What the handler threw. */
  readonly cause: Failure
}

/** A reduce that ended at a key whose states came from two partitions; its events are still to be found. */
export interface KeyInPartitions {
  readonly keyTwice: Pick<KeyTwiceFailure, 'key' | 'shown' | 'splits'>
}

/** What the handler threw, with its own stack. */
export function causeOf({ cause }: ReduceFailure): Error {
  return errorOf(cause)
}

/** One thread's tools for a rebuild: compiled once, used for every task. Holds no state that a result depends on. */
export class TaskRunner {
  readonly #plan: Plan
  readonly #files: Disk
  readonly #definitions: ReadonlyMap<string, ViewDefinition>
  readonly #memory: BlockMemory
  readonly #budget: ShuffleBudget
  readonly #groups: readonly (readonly PreparedGroup[])[]
  readonly #mappers = new Map<number, LogMapper>()
  readonly #batchMemory = new BatchMemory()
  readonly #reducers = new Map<string, GroupReducer>()
  #ids: { readonly log: number; readonly memory: BlockMemory } | null = null
  #opened: { path: string; file: ReadableFile; parquet: ParquetFile } | null = null

  constructor(plan: Plan, definitions: ReadonlyMap<string, ViewDefinition>, files: Disk, budget: ShuffleBudget) {
    this.#memory = new BlockMemory(budget, files, `thread-${threadId}`)
    this.#budget = budget
    this.#plan = plan
    this.#files = files
    this.#definitions = definitions
    this.#groups = plan.logs.map((log) => log.groups.map((group) => prepareGroup(log, group, definitions)))
  }

  run(task: RebuildTask): unknown {
    switch (task.kind) {
      case 'identify':
        return identifySplit(this.#plan.logs[task.log]!, task.split, this.#open, this.#idMemory(task.log))
      case 'mark-ids':
        return markIds(this.#plan.logs[task.log]!, task.split, task.dense, task.bitmap, this.#open)
      case 'collect-rows':
        return collectRows(this.#plan.logs[task.log]!, task.split, task.dense, task.bitmap, this.#open)
      case 'duplicates':
        return findDuplicates(runsOf(task.blocks), task.from, task.to, this.#budget.taskBytes, this.#files)
      case 'map':
        this.#forgetIds()
        return this.#mapper(task.log).map(task.splits, this.#open)
      case 'locate':
        return this.#mapper(task.log).locate(task.split, task.duplicates, this.#open, task.target)
      case 'locate-key':
        return this.#mapper(task.log).locateKey(task.splits, task.group, task.key, this.#open)
      case 'reduce':
        return this.#reduce(task)
    }
  }

  close(): void {
    this.#closeFile()
    this.#memory.close()
    this.#ids?.memory.close()
  }

  #closeFile(): void {
    this.#opened?.file.close()
    this.#opened = null
  }

  /** Where a log's ids go, in a file of their own: it isn't needed as long as the events'. */
  #idMemory(log: number): BlockMemory {
    if (this.#ids?.log !== log) {
      this.#forgetIds()
      const budget = { ...this.#budget, limitBytes: this.#budget.limitBytes * IDS_SHARE }
      this.#ids = { log, memory: new BlockMemory(budget, this.#files, `ids-${log}-thread-${threadId}`) }
    }
    return this.#ids.memory
  }

  /** Called when the log's duplicates are found. What was kept in memory still counts: see #reducer. */
  #forgetIds(): void {
    this.#ids?.memory.removeFile()
    this.#ids = null
  }

  #reduce(task: ReduceTask): ReduceResult | ReduceFailure | KeyInPartitions {
    // All splits are mapped by now: mappers, and the memory they decode to, are needed no longer.
    this.#memory.close()
    this.#mappers.clear()
    this.#batchMemory.release()
    const blocks = blocksOf(task.blocks)
    const pathOf = (view: string) => `${task.folders[view]!}/${task.name}`
    try {
      const reducer = this.#reducer(task.log, task.group)
      return reducer.reduce(blocks, task.from, task.to, task.name, this.#files, pathOf, task)
    } catch (error) {
      if (error instanceof KeyTwiceFailure)
        return { keyTwice: { key: error.key, shown: error.shown, splits: error.splits } }
      if (!(error instanceof FoldFailure)) throw error
      const { view, handler, key, split, ordinal, bucket, nth, message } = error
      return { failure: { view, handler, key, split, ordinal, bucket, nth, message }, cause: failureOf(error.cause) }
    }
  }

  #mapper(index: number): LogMapper {
    let mapper = this.#mappers.get(index)
    if (mapper === undefined) {
      const log = this.#plan.logs[index]!
      const { upcast } = this.#definitions.get(log.groups[0]!.views[0]!)!.log
      mapper = new LogMapper(log, this.#groups[index]!, makeUpcaster(log, upcast), this.#memory, this.#batchMemory)
      this.#mappers.set(index, mapper)
    }
    return mapper
  }

  #reducer(log: number, group: number): GroupReducer {
    const name = `${log}:${group}`
    let reducer = this.#reducers.get(name)
    if (reducer === undefined) {
      // All on disk: nobody knows when shared memory that is no longer used is really given back.
      const budget = { ...this.#budget, limitBytes: 0 }
      const memory = new BlockMemory(budget, this.#files, `sorted-${log}-${group}-thread-${threadId}`)
      reducer = new GroupReducer(this.#plan.logs[log]!, this.#groups[log]![group]!, memory, this.#budget.taskBytes)
      this.#reducers.set(name, reducer)
    }
    return reducer
  }

  /** The file of the latest task stays open: its splits mostly follow each other. */
  readonly #open = (plan: FilePlan): ParquetFile => {
    if (this.#opened?.path === plan.path) return this.#opened.parquet
    this.#closeFile()
    const file = this.#files.openForReading(plan.path)
    try {
      refuseChanged(file, plan)
      this.#opened = { path: plan.path, file, parquet: openParquet(file) }
      return this.#opened.parquet
    } catch (error) {
      file.close()
      throw error
    }
  }
}

/** The plan's row groups are read wherever they were when it was made: in another file there would be other events. */
function refuseChanged(file: ReadableFile, plan: FilePlan): void {
  const found =
    file.byteLength !== plan.bytes
      ? `${file.byteLength} bytes`
      : footerSha256(file) !== plan.footerSha256
        ? 'another footer'
        : undefined
  if (found === undefined) return
  throw new InputError(
    `Cannot read ${plan.path}: the file changed while it was read: expected ${plan.bytes} bytes with the footer that was there at first, found ${found}. Rebuild again when nothing writes to the log's files.`,
    { file: plan.path },
  )
}
