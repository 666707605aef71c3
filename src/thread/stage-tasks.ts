import type { Perform, ResultOf, Task } from '../workers/executor.ts'

type PerformTask<T extends Task> = (task: T, attempt: number) => ResultOf<T>

/** How one thread performs the tasks of one stage. */
export interface StageTasks<T extends Task> {
  /** One function for each kind of task. What an attempt writes to files has names of its own. */
  readonly perform: { readonly [Kind in T['kind']]: PerformTask<Extract<T, { kind: Kind }>> }
  /** Gives up what is kept between tasks of the stage; if another comes, it is made again. */
  release(): void
}

/**
 * Puts the tasks of stages together. Stages follow each other, so a thread keeps the tools of one at a time: those of the
 * others are given up when the first task of the next comes.
 *
 * @param close Closes what the stages share.
 */
export function performStages(stages: readonly StageTasks<never>[], close: () => void): Perform {
  const byKind = new Map(
    stages.flatMap((stage) =>
      Object.entries<PerformTask<never>>(stage.perform).map(([kind, perform]) => [kind, { stage, perform }] as const),
    ),
  )
  let current: StageTasks<never> | undefined
  const perform = (task: Task, attempt: number) => {
    const found = byKind.get(task.kind)
    if (found === undefined) throw new Error(`no stage performs tasks of the kind ${task.kind}`)
    if (found.stage !== current) current?.release()
    current = found.stage
    return { value: found.perform(task as never, attempt) as unknown }
  }
  return Object.assign(perform, {
    close: () => {
      current?.release()
      close()
    },
  }) as Perform
}
