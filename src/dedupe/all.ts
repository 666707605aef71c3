import type { LogPlan, Plan } from '../model/plan.ts'
import { splitName } from '../model/plan.ts'
import { listRuns } from '../shuffle/block-list.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Stages } from '../stages.ts'
import type { Executor } from '../workers/executor.ts'
import type { CollectRowsTask, DuplicatesTask, IdentifyTask, MarkIdsTask } from '../workers/tasks.ts'
import { duplicatesOf, type LogDuplicates, membersBySplit, noDuplicates } from './duplicates.ts'
import { IDS_SHARE, identityBits } from './identify.ts'
import { bytesForBitmaps, type DenseIds, membersOf, newBitmap } from './identify-dense.ts'

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
