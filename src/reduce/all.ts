import type { LogDuplicates } from '../dedupe/duplicates.ts'
import { workOf } from '../map/all.ts'
import type { MapResult } from '../map/map-split.ts'
import type { Timeline } from '../map/timelines.ts'
import { describePlace, InputError, type Place, ViewError } from '../model/errors.ts'
import type { GroupPlan, LogPlan, Plan } from '../model/plan.ts'
import { vintagesName } from '../model/view.ts'
import { type Block, estimateKeys, mergeSketch, newSketch } from '../shuffle/block.ts'
import { listBlocks } from '../shuffle/block-list.ts'
import type { Stages } from '../stages.ts'
import { partName } from '../storage/generations.ts'
import type { Executor } from '../workers/executor.ts'
import type { KeyInPartitions, LocateKeyTask, LocateTask, ReduceFailure, ReduceTask } from '../workers/tasks.ts'
import type { PartFile, ReduceResult } from './reduce-part.ts'

/** Keys that a part file is to hold at the least, where a view has more. */
const PART_KEYS = 16_384
/** Keys of a part file at the most, as far as there are buckets: their states are in memory together. */
const PART_KEYS_MAX = 524_288

export interface ReducedView {
  readonly parts: readonly PartFile[]
  readonly exceptions: readonly ReduceResult['exceptions'][string][number][]
}

/** Reduces every group of every log; the parts of each view in the order of their names. */
export async function reduceAll(
  plan: Plan,
  duplicates: readonly LogDuplicates[],
  mapped: readonly (readonly MapResult[])[],
  timelines: readonly Timeline[],
  folders: Readonly<Record<string, string>>,
  workers: Executor,
  stages: Stages,
): Promise<Map<string, ReducedView>> {
  const groups = plan.logs.flatMap((log, logIndex) =>
    log.groups.map((group, groupIndex) => ({ log, logIndex, group, groupIndex })),
  )
  const planned = groups.map(({ log, logIndex, group, groupIndex }) => {
    const results = mapped[logIndex]!.map((result) => result.groups[groupIndex]!)
    const blocks = results.flatMap((result) => result.blocks)
    const sketch = newSketch()
    for (const result of results) mergeSketch(sketch, result.sketch)
    return {
      log,
      group,
      blocks,
      tasks: planParts(log, logIndex, group, groupIndex, blocks, sketch, folders, timelines[logIndex]!),
    }
  })
  const tasks = planned.flatMap((entry) => entry.tasks)
  const progress = stages.progress(tasks.length, 'parts')
  const results = await workers.runAll(tasks, { signal: stages.signal, onDone: () => progress(1, 0) })
  const views = new Map<string, { parts: PartFile[]; exceptions: ReducedView['exceptions'][number][] }>()
  const reducedRows = new Map<string, number>()
  for (const [i, result] of results.entries()) {
    const task = tasks[i]!
    if ('failure' in result) throw await locateFailure(task, result, duplicates[task.log]!, workers)
    if ('keyTwice' in result)
      throw await locateKeyTwice(plan.logs[task.log]!, task, result, duplicates[task.log]!, workers)
    const group = `${task.log}:${task.group}`
    reducedRows.set(group, (reducedRows.get(group) ?? 0) + result.rows)
    for (const part of result.parts) {
      const view = views.get(part.view) ?? { parts: [], exceptions: [] }
      views.set(part.view, view)
      view.parts.push(part)
      for (const row of result.exceptions[part.view] ?? []) view.exceptions.push(row)
    }
  }
  planned.forEach(({ blocks, tasks: own }) => {
    const sent = blocks.reduce((sum, block) => sum + block.rows, 0)
    const received = reducedRows.get(`${own[0]!.log}:${own[0]!.group}`) ?? 0
    if (sent !== received)
      throw new Error(
        `${sent} rows were sent to views ${own.map((task) => Object.keys(task.folders)).join()}, ${received} arrived`,
      )
  })
  return views
}

/**
 * How many parts a group's views get: by the number of their keys and of the log's rows, both of which are the same
 * however the log is split into files.
 */
function planParts(
  log: LogPlan,
  logIndex: number,
  group: GroupPlan,
  groupIndex: number,
  blocks: readonly Block[],
  sketch: Uint8Array,
  folders: Readonly<Record<string, string>>,
  { watermark, cuts }: Timeline,
): ReduceTask[] {
  const keys = estimateKeys(sketch)
  const bitsFor = (most: number) => Math.ceil(Math.log2(Math.max(1, keys / most)))
  const least = Math.min(log.reduceBits, Math.log2(group.partsAtLeast))
  const wanted = Math.min(log.reduceBits, Math.max(bitsFor(PART_KEYS), least))
  const bits = Math.min(log.bucketBits, Math.max(wanted, bitsFor(PART_KEYS_MAX)))
  const width = 2 ** (log.bucketBits - bits)
  const list = listBlocks(blocks)
  const views = log.vintages === null ? group.views : group.views.flatMap((view) => [view, vintagesName(view)])
  const own = Object.fromEntries(views.map((view) => [view, folders[view]!]))
  return Array.from({ length: 2 ** bits }, (_, part): ReduceTask => {
    const name = partName(part)
    return {
      kind: 'reduce',
      log: logIndex,
      group: groupIndex,
      blocks: list,
      from: part * width,
      to: (part + 1) * width,
      name,
      folders: own,
      watermark,
      cuts,
      label: `reducing ${name} of ${group.views.join(', ')}`,
    }
  })
}

/** The error of a handler that threw, with the event it threw at. */
async function locateFailure(
  task: ReduceTask,
  reduced: ReduceFailure,
  duplicates: LogDuplicates,
  workers: Executor,
): Promise<ViewError> {
  const { view, handler, key, split, ordinal, bucket, nth, message } = reduced.failure
  const target = { group: task.group, ordinal, bucket, nth }
  const locate: LocateTask = {
    kind: 'locate',
    log: task.log,
    split,
    duplicates: duplicates.bySplit.get(split) ?? [],
    target,
    label: 'finding the event',
  }
  const place = { ...(await workers.run(locate)), view, handler }
  // Loaded here, as it brings along all that workers need.
  const { causeOf } = await import('../workers/tasks.ts')
  const text = `View ${view}, handler ${handler}, key ${key}, at ${describePlace(place)}: ${message}`
  return new ViewError(text, place, { cause: causeOf(reduced) })
}

/** The error of a key that stands in two partitions, with an event of it in each. */
async function locateKeyTwice(
  log: LogPlan,
  task: ReduceTask,
  { keyTwice: { key, shown, splits } }: KeyInPartitions,
  duplicates: LogDuplicates,
  workers: Executor,
): Promise<InputError> {
  const locates = splits.map((split): LocateKeyTask => {
    const partition = log.mapTasks.find((candidate) => candidate.includes(split))!
    return {
      kind: 'locate-key',
      log: task.log,
      group: task.group,
      splits: workOf(partition, duplicates),
      key,
      label: 'finding the key',
    }
  })
  const [first, second] = (await workers.runAll(locates)) as [Place, Place]
  return new InputError(
    `Cannot fold log ${log.name} in place: expected all events of a key in one partition, as the log says partitionedByKey, found key ${shown} at ${describePlace(first)} and at ${describePlace(second)}. Leave partitionedByKey out, or write all events of a key into the files of one name=value folder, or into one file where there are no such folders.`,
    second,
  )
}
