import { type FoldedLog, foldsOf, type Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Disk } from '../storage/store.ts'
import { type PreparedGroup, prepareGroup } from '../view/view-set.ts'
import { LogFiles } from './log-files.ts'

/** What tasks of all stages use in one thread. Nothing in it changes what a task results in. */
export interface ThreadContext {
  readonly plan: Plan
  /** By log: its groups, made runnable once. */
  readonly groups: readonly (readonly PreparedGroup[])[]
  /** What is reduced, in the order of `foldsOf`. */
  readonly folds: readonly PreparedFold[]
  readonly budget: ShuffleBudget
  readonly files: Disk
  readonly logFiles: LogFiles
}

export interface PreparedFold {
  readonly log: FoldedLog
  readonly group: PreparedGroup
}

export function makeThreadContext(
  plan: Plan,
  views: readonly ViewDefinition[],
  budget: ShuffleBudget,
  files: Disk,
): ThreadContext {
  const definitions = new Map(views.map((view) => [view.name, view]))
  const groups = plan.logs.map((log) => log.groups.map((group) => prepareGroup(log, group, definitions)))
  const folds = foldsOf(plan).map(({ log, group }) => ({ log, group: prepareGroup(log, group, definitions) }))
  return { plan, groups, folds, budget, files, logFiles: new LogFiles(files) }
}
