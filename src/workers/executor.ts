/**
 * Where a rebuild's tasks run. An executor knows nothing of what a task does: that is in a tasks module, which exports
 * `prepare`; each worker calls it once with the setup and then hands it task after task.
 */

/** One piece of work: data that can be copied to another thread; shared buffers stay shared. Never changed by who runs it. */
export interface Task<Result = unknown> {
  readonly kind: string
  /** For the compiler only; never present. */
  readonly _result?: Result
}

/** A task that says in words what it does, for messages. */
export interface LabelledTask<Result = unknown> extends Task<Result> {
  readonly label: string
}

export type ResultOf<T> = T extends Task<infer Result> ? Result : never

/** What performing a task gives: its result, and the buffers in it that are handed over instead of copied. */
export interface Performed<Result = unknown> {
  readonly value: Result
  readonly transfer?: readonly ArrayBuffer[]
}

/** Performs tasks one after the other. An error fails its task for good. */
export interface Perform {
  /** @param attempt Counted from 1. Of an earlier one nothing is known but that its result, if any, is lost. */
  (task: never, attempt: number): Performed | Promise<Performed>
  /** Closes what tasks left open. Called where the thread lives on; the end of a thread closes its files. */
  close?(): void
}

/** What a tasks module exports under the name `prepare`. */
export type Prepare<Setup = never> = (setup: Setup) => Perform | Promise<Perform>

export interface RunAllOptions<Result> {
  /** Called in the order in which tasks are done. What it throws fails the whole run. */
  readonly onDone?: ((result: Result, index: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Executor {
  /** How many tasks run at the same time. */
  readonly size: number
  /**
   * Whether tasks and results may hold shared memory, which stays shared. Elsewhere they must be plain data that can be
   * written as bytes (see `encodeTask`), and rows that go from task to task lie in files.
   */
  readonly sharesMemory: boolean
  run<T extends Task>(task: T, signal?: AbortSignal): Promise<ResultOf<T>>
  /**
   * Runs tasks and gives their results in the order of the tasks. The first failure keeps tasks that have not begun
   * from beginning, waits for the running ones, so that nothing is written any more, and then rejects.
   */
  runAll<T extends Task>(tasks: readonly T[], options?: RunAllOptions<ResultOf<T>>): Promise<ResultOf<T>[]>
  /** Ends all threads, whatever they are doing. Tasks that were running fail. Closing twice is closing once. */
  close(): Promise<void>
}

/** Runs tasks over as many lanes as there are workers; each lane takes the next task when it is done with one. */
export async function runInLanes<T extends Task, Result>(
  tasks: readonly T[],
  lanes: number,
  run: (task: T, signal?: AbortSignal) => Promise<Result>,
  { onDone, signal }: RunAllOptions<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(tasks.length)
  const failures: { readonly index: number; readonly error: unknown }[] = []
  let next = 0
  const lane = async () => {
    while (next < tasks.length && failures.length === 0) {
      const index = next++
      try {
        signal?.throwIfAborted()
        const result = await run(tasks[index]!, signal)
        results[index] = result
        onDone?.(result, index)
      } catch (error) {
        failures.push({ index, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, tasks.length) }, lane))
  // Of several that failed, the first in the order of tasks: so the same fault gives the same error more often.
  failures.sort((a, b) => a.index - b.index)
  if (failures.length > 0) throw failures[0]!.error
  return results
}

/** `map (log 0, split 7)`: a task in words, for messages. */
export function describeTask(task: Task): string {
  const details = Object.entries(task).filter(
    ([name, value]) => name !== 'kind' && /^(number|string)$/.test(typeof value),
  )
  if (details.length === 0) return task.kind
  return `${task.kind} (${details.map(([name, value]) => `${name} ${value}`).join(', ')})`
}
