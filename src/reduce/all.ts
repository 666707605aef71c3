import type { LogDuplicates } from '../dedupe/duplicates.ts'
import type { GroupResult, MapResult } from '../map/map-split.ts'
import type { FoldTimeline } from '../map/timelines.ts'
import { type FoldPlan, foldsOf, type Plan } from '../model/plan.ts'
import { vintagesName } from '../model/view.ts'
import { type Block, estimateKeys, mergeSketch, newSketch } from '../shuffle/block.ts'
import { listBlocks } from '../shuffle/block-list.ts'
import type { Stages } from '../stages.ts'
import { partName } from '../storage/generations.ts'
import type { Disk } from '../storage/store.ts'
import type { OrderFound } from '../view/order-tally.ts'
import type { Executor } from '../workers/executor.ts'
import { locateFailure, locateSpanningKey } from './locate.ts'
import { installParts, makeAttemptsFolders } from './part-files.ts'
import type { PartFile, ReduceResult } from './reduce-part.ts'
import type { ReducedPart, ReduceTask } from './tasks.ts'

/** Keys that a part file holds at least, where a view has more. */
const PART_KEYS = 16_384
/** Keys of a part file at most, as far as there are buckets: their states are in memory together. */
const PART_KEYS_MAX = 524_288

export interface ReducedView {
  readonly parts: readonly PartFile[]
  readonly exceptions: readonly ReduceResult['exceptions'][string][number][]
  /** What each part found of the order of events. */
  readonly order: readonly OrderFound[]
}

/** What is reduced. */
export interface MappedLogs {
  readonly plan: Plan
  /** By log. */
  readonly duplicates: readonly LogDuplicates[]
  /** By log: the results of its splits. */
  readonly mapped: readonly (readonly MapResult[])[]
  /** What is reduced, as `foldsOf` the plan lists it. */
  readonly timelines: readonly FoldTimeline[]
  /** By view, vintages among them: the folder of its generation, for part files. */
  readonly folders: Readonly<Record<string, string>>
}

/**
 * Reduces every group, of every log and of several.
 *
 * @returns By view: its parts in the order of their names, which are in its folder.
 */
export async function reduceAll(
  logs: MappedLogs,
  workers: Executor,
  stages: Stages,
  files: Disk,
): Promise<Map<string, ReducedView>> {
  const { plan, duplicates, folders } = logs
  const folds = foldsOf(plan)
  const planned = folds.map((fold, index) => planFold(logs, fold, index, workers.sharesMemory))
  const tasks = planned.flatMap((group) => group.tasks)
  const progress = stages.progress(tasks.length, 'parts')
  makeAttemptsFolders(folders, files)
  const results = await workers.runAll(tasks, { signal: stages.signal, onDone: () => progress(1, 0) })
  const reduced: ReducedPart[] = []
  for (const [i, result] of results.entries()) {
    const task = tasks[i]!
    const { members } = folds[task.fold]!
    if ('failure' in result) {
      const member = members[result.failure.member]!
      throw await locateFailure(member, result, duplicates[member.log]!, workers)
    }
    // Events of several logs are never folded in place.
    if ('spanningKey' in result)
      throw await locateSpanningKey(plan, members[0]!, result, duplicates[members[0]!.log]!, workers)
    reduced.push(result)
  }
  checkRows(planned, tasks, reduced)
  installParts(reduced, folders, files)
  return byView(reduced)
}

function byView(reduced: readonly ReducedPart[]): Map<string, ReducedView> {
  const views = new Map<
    string,
    { parts: PartFile[]; exceptions: ReducedView['exceptions'][number][]; order: OrderFound[] }
  >()
  for (const result of reduced) {
    for (const part of result.parts) {
      const view = views.get(part.view) ?? { parts: [], exceptions: [], order: [] }
      views.set(part.view, view)
      view.parts.push(part)
      for (const row of result.exceptions[part.view] ?? []) view.exceptions.push(row)
      const found = result.order[part.view]
      if (found !== undefined) view.order.push(found)
    }
  }
  return views
}

interface PlannedGroup {
  readonly tasks: readonly ReduceTask[]
  /** Rows that its blocks have. */
  readonly sent: number
}

/** What was packed for a group must have been reduced. */
function checkRows(
  planned: readonly PlannedGroup[],
  tasks: readonly ReduceTask[],
  reduced: readonly ReducedPart[],
): void {
  const rowsOf = new Map(reduced.map(({ rows }, index) => [tasks[index]!, rows]))
  for (const { tasks: own, sent } of planned) {
    const received = own.reduce((sum, task) => sum + rowsOf.get(task)!, 0)
    if (sent === received) continue
    const views = Object.keys(own[0]!.folders).join()
    throw new Error(`${sent} rows were sent to views ${views}, ${received} arrived`)
  }
}

function planFold(logs: MappedLogs, fold: FoldPlan, index: number, sharesMemory: boolean): PlannedGroup {
  const { log, group, members } = fold
  const results = members.flatMap((member) => logs.mapped[member.log]!.map((result) => result.groups[member.group]!))
  const blocks = results.flatMap((result) => result.blocks)
  const width = 2 ** (log.bucketBits - partBits(fold, results))
  const listOf = listBlocks(blocks, sharesMemory)
  const views = log.vintages === null ? group.views : group.views.flatMap((view) => [view, vintagesName(view)])
  const folders = Object.fromEntries(views.map((view) => [view, logs.folders[view]!]))
  const { watermark, cuts } = logs.timelines[index]!
  const tasks = Array.from({ length: 2 ** log.bucketBits / width }, (_, part): ReduceTask => {
    const name = partName(part)
    const [from, to] = [part * width, (part + 1) * width]
    return {
      kind: 'reduce',
      fold: index,
      blocks: listOf(from, to),
      from,
      to,
      name,
      folders,
      watermark,
      cuts,
      label: `reducing ${name} of ${group.views.join(', ')}`,
    }
  })
  return { tasks, sent: blocks.reduce((sum: number, block: Block) => sum + block.rows, 0) }
}

/**
 * How many parts a group's views get: 2^this, by the number of their keys and of the logs' rows, both of which are the
 * same however the log is split into files.
 */
function partBits({ log, group }: FoldPlan, results: readonly GroupResult[]): number {
  const sketch = newSketch()
  for (const result of results) mergeSketch(sketch, result.sketch)
  const keys = estimateKeys(sketch)
  const bitsFor = (most: number) => Math.ceil(Math.log2(Math.max(1, keys / most)))
  const least = Math.min(log.reduceBits, Math.log2(group.partsAtLeast))
  const wanted = Math.min(log.reduceBits, Math.max(bitsFor(PART_KEYS), least))
  return Math.min(log.bucketBits, Math.max(wanted, bitsFor(PART_KEYS_MAX)))
}
