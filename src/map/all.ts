import { compareContents } from '../dedupe/compare-contents.ts'
import type { LogDuplicates } from '../dedupe/duplicates.ts'
import { type Plan, splitName } from '../model/plan.ts'
import type { Stages } from '../stages.ts'
import type { Store } from '../storage/store.ts'
import type { Executor } from '../workers/executor.ts'
import type { MapResult, SplitWork } from './map-split.ts'
import type { MapTask } from './tasks.ts'

/** Maps every split of every log; results in the order of splits. Refuses ids with different contents. */
export async function mapAll(
  plan: Plan,
  duplicates: readonly LogDuplicates[],
  workers: Executor,
  stages: Stages,
  files: Store,
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
    compareContents(log, duplicates[index]!, mapped, files)
    mappedLogs.push(mapped)
  }
  return mappedLogs
}

/** Splits with the duplicates that are known in them. */
export function workOf(splits: readonly number[], { bySplit }: LogDuplicates): SplitWork[] {
  return splits.map((split) => ({ split, duplicates: bySplit.get(split) ?? [] }))
}
