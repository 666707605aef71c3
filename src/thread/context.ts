import type { Plan } from '../model/plan.ts'
import type { ViewDefinition } from '../model/view.ts'
import type { ShuffleBudget } from '../shuffle/block-memory.ts'
import type { Disk } from '../storage/store.ts'
import { type PreparedGroup, prepareGroup } from '../view/view-set.ts'
import { LogFiles } from './log-files.ts'

/** What tasks of all stages use in one thread. Nothing in it changes what a task results in. */
export interface ThreadContext {
  readonly plan: Plan
  /** By name of the view. */
  readonly definitions: ReadonlyMap<string, ViewDefinition>
  /** By log: its groups, made runnable once. */
  readonly groups: readonly (readonly PreparedGroup[])[]
  readonly budget: ShuffleBudget
  readonly files: Disk
  readonly logFiles: LogFiles
}

export function makeThreadContext(
  plan: Plan,
  views: readonly ViewDefinition[],
  budget: ShuffleBudget,
  files: Disk,
): ThreadContext {
  const definitions = new Map(views.map((view) => [view.name, view]))
  const groups = plan.logs.map((log) => log.groups.map((group) => prepareGroup(log, group, definitions)))
  return { plan, definitions, groups, budget, files, logFiles: new LogFiles(files) }
}
