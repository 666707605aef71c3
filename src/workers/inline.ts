import { setImmediate } from 'node:timers/promises'
import { describeTask, type Executor, type Perform, type Prepare, runInLanes, type Task } from './executor.ts'

/** Runs tasks in the calling thread, one by one: for debugging, and for jobs that come from no file. */
export function createInline<Setup>(prepare: Prepare<Setup>, setup: Setup): Executor {
  let prepared: Promise<Perform> | undefined
  let last: Promise<unknown> = Promise.resolve()
  let closing: Promise<void> | undefined

  async function perform<Result>(task: Task, signal?: AbortSignal): Promise<Result> {
    // Signals and timers of the calling program run between two tasks.
    await setImmediate()
    signal?.throwIfAborted()
    if (closing !== undefined) throw new Error(`Cannot run ${describeTask(task)}: the executor is closed.`)
    prepared ??= Promise.resolve(prepare(setup))
    const performTask = await prepared
    return (await performTask(task as never, 1)).value as Result
  }

  function run<Result>(task: Task, signal?: AbortSignal): Promise<Result> {
    const result = last.then(() => perform<Result>(task, signal))
    last = result.catch(() => {})
    return result
  }

  async function close(): Promise<void> {
    await last
    const performTask = await prepared?.catch(() => undefined)
    performTask?.close?.()
  }

  return {
    size: 1,
    sharesMemory: true,
    run,
    runAll: (tasks, options = {}) => runInLanes(tasks, 1, run, options),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}
