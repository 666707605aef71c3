import type { LogPlan, Plan } from '../model/plan.ts'
import { splitName } from '../model/plan.ts'
import { listRuns } from '../shuffle/block-list.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Stages } from '../stages.ts'
import type { Disk } from '../storage/store.ts'
import type { Executor } from '../workers/executor.ts'
import { duplicatesOf, type LogDuplicates, membersBySplit, noDuplicates } from './duplicates.ts'
import { IDS_SHARE, type IdentityBlock, identityBits } from './identify.ts'
import { bytesForBitmaps, type DenseIds, membersOf, newBitmap } from './identify-dense.ts'
import { keepDeclared } from './kept.ts'
import type { CollectRowsTask, DuplicatesTask, IdentifyTask, MarkIdsTask, RankMembersTask } from './tasks.ts'

/** Finds the events of every log that are in it more than once. */
export async function identifyAll(
  plan: Plan,
  budget: ShuffleBudget,
  workers: Executor,
  stages: Stages,
  files: Disk,
): Promise<LogDuplicates[]> {
  const progress = stages.progress(
    plan.logs.reduce((sum, log) => sum + (log.identify.by === 'nothing' ? 0 : log.rows), 0),
    'events',
  )
  const found: LogDuplicates[] = []
  for (const [index, log] of plan.logs.entries()) {
    const onDone = (_: unknown, split: number) => progress(log.splits[split]!.rows, 0)
    const search: Search = { log, index, workers, signal: stages.signal, onDone }
    if (log.identify.by === 'nothing') found.push(noDuplicates)
    else if (log.identify.by === 'bits' && isRoomForBits(log.identify, budget, workers))
      found.push(await withKept(search, await identifyDense(search, log.identify)))
    else found.push(await withKept(search, await identifyHashed(search, files)))
  }
  return found
}

/** The bitmap is shared by all who mark ids in it. */
function isRoomForBits(dense: DenseIds, budget: ShuffleBudget, { sharesMemory }: Executor): boolean {
  return sharesMemory && bytesForBitmaps(dense) <= budget.limitBytes * IDS_SHARE
}

/** One log's part of the search. */
interface Search {
  readonly log: LogPlan
  readonly index: number
  readonly workers: Executor
  readonly signal: AbortSignal | undefined
  /** The ids of a split were read. */
  readonly onDone: (result: unknown, split: number) => void
}

async function identifyDense({ log, index, workers, signal, onDone }: Search, dense: DenseIds): Promise<LogDuplicates> {
  const bitmap = newBitmap(dense.span)
  const marks = perSplit(
    log,
    index,
    'reading ids of',
    (at): MarkIdsTask => ({ kind: 'mark-ids', ...at, dense, bitmap }),
  )
  const repeated = await workers.runAll(marks, { signal, onDone })
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

/** Which delivery of an event is applied, where the log says in what they may differ. */
async function withKept({ log, index, workers, signal }: Search, duplicates: LogDuplicates): Promise<LogDuplicates> {
  if (log.duplicates === null || duplicates.sets === 0) return duplicates
  const splits = [...duplicates.bySplit]
  const tasks = splits.map(([split, sets]): RankMembersTask => {
    const label = `reading when duplicates were recorded in ${splitName(log, split)}`
    return { kind: 'rank-members', log: index, split, sets, label }
  })
  const ranks = await workers.runAll(tasks, { signal })
  return keepDeclared(log, duplicates, new Map(splits.map(([split], i) => [split, ranks[i]!])))
}

async function identifyHashed(search: Search, files: Disk): Promise<LogDuplicates> {
  const { log, index, workers, signal, onDone } = search
  const tasks = perSplit(log, index, 'reading ids of', (at): IdentifyTask => ({ kind: 'identify', ...at }))
  const blocks = await workers.runAll(tasks, { signal, onDone })
  const searches = searchTasks(log, blocks, workers.sharesMemory)
  const { members, sets } = membersBySplit(await workers.runAll(searches, { signal }), blocks.length)
  // The next stage needs the memory for events.
  for (const { words } of blocks) if (words.kind === 'file') files.remove(words.path)
  return duplicatesOf(log, members, sets)
}

function searchTasks(log: LogPlan, blocks: readonly IdentityBlock[], sharesMemory: boolean): DuplicatesTask[] {
  const listOf = listRuns(blocks, sharesMemory)
  const buckets = 2 ** identityBits(log)
  const width = Math.max(1, buckets >> 4)
  const tasks: DuplicatesTask[] = []
  for (let from = 0; from < buckets; from += width) {
    const to = Math.min(buckets, from + width)
    tasks.push({ kind: 'duplicates', blocks: listOf(from, to), from, to, label: `comparing ids of ${log.name}` })
  }
  return tasks
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
