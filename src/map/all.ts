import { ConflictError, describePlace, type RefoldError, ViewError } from '../model/errors.ts'
import type { LogPlan, Plan } from '../plan/plan.ts'
import { listRuns } from '../shuffle/block-list.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import { duplicatesOf, type LogDuplicates, membersBySplit, noDuplicates, type RowPlace } from '../shuffle/duplicates.ts'
import type { Stages } from '../stages.ts'
import type { Executor } from '../workers/executor.ts'
import type { CollectRowsTask, DuplicatesTask, IdentifyTask, MapTask, MarkIdsTask } from '../workers/tasks.ts'
import { describeConflict } from './conflict.ts'
import { IDS_SHARE, identityBits } from './identify.ts'
import { bytesForBitmaps, type DenseIds, membersOf, newBitmap } from './identify-dense.ts'
import type { MapResult, SplitWork } from './map-split.ts'

/** Finds the events of every log that stand in it more than once. */
export async function identifyAll(
  plan: Plan,
  budget: ShuffleBudget,
  workers: Executor,
  stages: Stages,
): Promise<LogDuplicates[]> {
  const progress = stages.progress(
    plan.logs.reduce((sum, log) => sum + (log.identify.by === 'nothing' ? 0 : log.rows), 0),
    'events',
  )
  const found: LogDuplicates[] = []
  for (const [index, log] of plan.logs.entries()) {
    found.push(await identifyLog(log, index, budget, workers, stages, progress))
  }
  return found
}

type ReportProgress = (events: number, bytes: number) => void

async function identifyLog(
  log: LogPlan,
  index: number,
  budget: ShuffleBudget,
  workers: Executor,
  stages: Stages,
  progress: ReportProgress,
): Promise<LogDuplicates> {
  if (log.identify.by === 'nothing') return noDuplicates
  if (log.identify.by === 'bits' && bytesForBitmaps(log.identify) <= budget.limitBytes * IDS_SHARE)
    return identifyDense(log, index, log.identify, workers, stages, progress)
  return identifyHashed(log, index, workers, stages, progress)
}

async function identifyDense(
  log: LogPlan,
  index: number,
  dense: DenseIds,
  workers: Executor,
  stages: Stages,
  progress: ReportProgress,
): Promise<LogDuplicates> {
  const { signal } = stages
  const bitmap = newBitmap(dense.span)
  const marks = perSplit(
    log,
    index,
    'reading ids of',
    (at): MarkIdsTask => ({ kind: 'mark-ids', ...at, dense, bitmap }),
  )
  const repeated = await workers.runAll(marks, { signal, onDone: (_, split) => progress(log.splits[split]!.rows, 0) })
  if (repeated.every((ids) => ids.length === 0)) return noDuplicates
  const wanted = newBitmap(dense.span)
  for (const ids of repeated) for (const id of ids) wanted[Math.floor(id / 32)]! |= 1 << (id & 31)
  const collects = perSplit(
    log,
    index,
    'finding duplicates in',
    (at): CollectRowsTask => ({ kind: 'collect-rows', ...at, dense, bitmap: wanted }),
  )
  const { members, sets } = membersOf(await workers.runAll(collects, { signal }), wanted)
  return duplicatesOf(log, members, sets)
}

async function identifyHashed(
  log: LogPlan,
  index: number,
  workers: Executor,
  stages: Stages,
  progress: ReportProgress,
): Promise<LogDuplicates> {
  const tasks = perSplit(log, index, 'reading ids of', (at): IdentifyTask => ({ kind: 'identify', ...at }))
  const blocks = await workers.runAll(tasks, {
    signal: stages.signal,
    onDone: (_, split) => progress(log.splits[split]!.rows, 0),
  })
  const list = listRuns(blocks)
  const buckets = 2 ** identityBits(log)
  const width = Math.max(1, buckets >> 4)
  const searches: DuplicatesTask[] = []
  for (let from = 0; from < buckets; from += width) {
    searches.push({
      kind: 'duplicates',
      blocks: list,
      from,
      to: Math.min(buckets, from + width),
      label: `comparing ids of ${log.name}`,
    })
  }
  const { members, sets } = membersBySplit(await workers.runAll(searches, { signal: stages.signal }), blocks.length)
  return duplicatesOf(log, members, sets)
}

interface AtSplit {
  readonly log: number
  readonly split: number
  readonly label: string
}

/** One task for each split of a log. */
function perSplit<T>(log: LogPlan, index: number, doing: string, make: (at: AtSplit) => T): T[] {
  return log.splits.map((_, split) => make({ log: index, split, label: `${doing} ${splitName(log, split)}` }))
}

function splitName(log: LogPlan, split: number): string {
  const { file, rowGroups } = log.splits[split]!
  return `${log.files[file]!.path}, row groups ${rowGroups[0]!.index} to ${rowGroups.at(-1)!.index}`
}

/** Maps every split of every log; results in the order of splits. Refuses ids that stand for different contents. */
export async function mapAll(
  plan: Plan,
  duplicates: readonly LogDuplicates[],
  workers: Executor,
  stages: Stages,
): Promise<MapResult[][]> {
  const progress = stages.progress(
    plan.logs.reduce((sum, log) => sum + log.rows, 0),
    'events',
  )
  const mappedLogs: MapResult[][] = []
  for (const [index, log] of plan.logs.entries()) {
    const tasks = log.mapTasks.map((splits): MapTask => {
      const label = `mapping ${splits.map((split) => splitName(log, split)).join('; ')}`
      return { kind: 'map', log: index, splits: workOf(splits, duplicates[index]!), label }
    })
    const onDone = (_: unknown, task: number) => {
      for (const split of log.mapTasks[task]!) progress(log.splits[split]!.rows, log.splits[split]!.bytes)
    }
    const results = await workers.runAll(tasks, { signal: stages.signal, onDone })
    const mapped = new Array<MapResult>(log.splits.length)
    log.mapTasks.forEach((splits, task) => {
      splits.forEach((split, i) => {
        mapped[split] = results[task]![i]!
      })
    })
    compareContents(log, duplicates[index]!, mapped)
    mappedLogs.push(mapped)
  }
  return mappedLogs
}

/** Splits with the duplicates that are known in them. */
export function workOf(splits: readonly number[], { bySplit }: LogDuplicates): SplitWork[] {
  return splits.map((split) => ({ split, duplicates: bySplit.get(split) ?? [] }))
}

/** Rows of one identity must have one content. @throws ConflictError where two have not. */
export function compareContents(log: LogPlan, { sets, bySplit }: LogDuplicates, mapped: readonly MapResult[]): void {
  /** By set: the content of its first row, and where that is: one more than the split, row group, row. */
  const contents = new Int32Array(2 * sets)
  const places = new Int32Array(3 * sets)
  let compared = 0
  mapped.forEach((result, split) => {
    for (const { rowGroup, words } of result.contents) {
      const { members, sets: own } = bySplit.get(split)!.find((candidate) => candidate.rowGroup === rowGroup)!
      for (let i = 0; i < members.length; i++) {
        const set = own[i]!
        if (places[3 * set] === 0) {
          contents.set([words[2 * i]!, words[2 * i + 1]!], 2 * set)
          places.set([split + 1, rowGroup, members[i]!], 3 * set)
          compared++
        } else if (contents[2 * set] !== words[2 * i] || contents[2 * set + 1] !== words[2 * i + 1]) {
          const [splitAfter, firstRowGroup, row] = places.subarray(3 * set, 3 * set + 3) as unknown as RowNumbers
          const first = { split: splitAfter - 1, rowGroup: firstRowGroup, row }
          throw conflict(log, first, { split, rowGroup, row: members[i]! })
        }
      }
    }
  })
  if (compared !== sets) throw new Error(`of ${sets} sets of duplicates only ${compared} were compared`)
}

type RowNumbers = readonly [number, number, number]

function conflict(log: LogPlan, a: RowPlace, b: RowPlace): RefoldError {
  const { eventId, differing, places } = describeConflict(log, a, b)
  if (differing === null) {
    return new ViewError(
      `Events ${eventId} of log ${log.name} have ids that can't be told apart by their hashes, at ${places.map(describePlace).join(' and ')}. Please report this.`,
    )
  }
  return new ConflictError(
    `Event ${eventId} stands in log ${log.name} with different contents: ${describePlace(places[0]!)} has ${differing.column} ${differing.values[0]}, ${describePlace(places[1]!)} has ${differing.values[1]}. An event never changes; record a correction as a new event with its own id.`,
    { ...places[1]!, eventId, column: differing.column },
  )
}
