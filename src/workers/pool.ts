import { getCompileCacheDir } from 'node:module'
import { Piscina } from 'piscina'
import { ConfigurationError, RefoldError } from '../model/errors.ts'
import { describeTask, type Executor, runInLanes, type Task } from './executor.ts'
import { errorOf } from './failure.ts'
import type { Answer, TaskAttempt, ThreadSetup } from './messages.ts'
import { ownModules, type ThreadModules } from './thread-modules.ts'

export interface PoolOptions {
  /** Number of threads, at least 1. */
  readonly workers: number
  /** What the threads load. `tasks` may be any module that exports `prepare`. */
  readonly modules: ThreadModules
  readonly setup: unknown
}

/** A task is tried this many times in all, if its thread dies under it. */
const ATTEMPTS_MAX = 3

/**
 * Worker threads that live as long as the pool. Threads load the tasks module at once, while the caller continues.
 *
 * A task whose thread dies (out of memory, `process.exit`) is tried again on another thread; a task that throws is not,
 * because it would throw again. Aborting a signal ends all threads and with them the pool.
 */
export function createPool(options: PoolOptions): Executor {
  const { workers } = options
  if (!Number.isInteger(workers) || workers < 1) {
    throw new ConfigurationError(`Cannot start worker threads: expected a number of at least 1, found ${workers}.`)
  }
  const pool = startThreads(options)
  const broken = watchThreads(pool, () => closing !== undefined)
  let closing: Promise<void> | undefined

  async function post(attempt: TaskAttempt, signal: AbortSignal | undefined): Promise<Answer> {
    const { task } = attempt
    signal?.throwIfAborted()
    if (closing !== undefined) throw closedError(task)
    const stop = () => void close()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([pool.run(attempt), broken])
    } catch (error) {
      if (closing === undefined) throw error
      // Only when no thread writes anything any more.
      await closing
      signal?.throwIfAborted()
      throw closedError(task)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async function run<Result>(task: Task, signal?: AbortSignal): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      let answer: Answer
      try {
        answer = await post({ task, attempt }, signal)
      } catch (error) {
        signal?.throwIfAborted()
        if (closing !== undefined || error instanceof RefoldError) throw error
        if (isUncopyable(error)) throw uncopyableError(task, error)
        if (attempt === ATTEMPTS_MAX) throw crashError(task, error)
        continue
      }
      if ('failed' in answer) throw errorOf(answer.failed)
      return answer.value as Result
    }
  }

  function close(): Promise<void> {
    closing ??= pool.destroy()
    return closing
  }

  return {
    size: workers,
    sharesMemory: true,
    run,
    runAll: (tasks, options = {}) => runInLanes(tasks, workers, run, options),
    close,
  }
}

function startThreads({ workers, modules, setup }: PoolOptions): Piscina<TaskAttempt, Answer> {
  return new Piscina<TaskAttempt, Answer>({
    filename: modules.entry,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    // A thread that is just entering Atomics.wait can miss that it is to end, and close() would never return.
    atomics: 'disabled',
    // Not the flags of this process: some of them are refused in a thread, and a test runner's do harm there.
    execArgv: ['--enable-source-maps', '--disable-warning=ExperimentalWarning'],
    workerData: {
      tasksModule: modules.tasks,
      redirect: modules.refold === ownModules.refold ? null : { from: ownModules.refold, to: modules.refold },
      setup,
      compileCache: getCompileCacheDir(),
    } satisfies ThreadSetup,
  })
}

/**
 * Rejects when the pool can't go on: a thread failed outside of any task, or no thread is left because threads end
 * while they start, which Piscina does not report to those who wait for them.
 */
function watchThreads(pool: Piscina<TaskAttempt, Answer>, isClosing: () => boolean): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  pool.on('error', (error) => {
    const message = `A worker thread failed outside of any task: ${describe(error)}.`
    reject(new RefoldError(message, {}, { cause: error }))
  })
  pool.on('workerDestroy', () => {
    // A replacement is started right after the event.
    setImmediate(() => {
      if (isClosing() || pool.threads.length > 0) return
      reject(new RefoldError('Cannot run tasks on worker threads: every thread ended while it started.'))
    })
  })
  return promise
}

function closedError(task: Task): Error {
  return new Error(`Cannot run ${describeTask(task)}: the worker threads were ended.`)
}

function crashError(task: Task, error: unknown): RefoldError {
  const message = `Cannot complete ${describeTask(task)}: its worker thread ended ${ATTEMPTS_MAX} times, the last time because of this: ${describe(error)}.`
  return new RefoldError(`${message}${adviceFor(error)}`, {}, { cause: error })
}

function adviceFor(error: unknown): string {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return ' Run it with fewer workers or less memory for the rebuild, or keep less in the state of a key.'
  }
  return /exited with code/.test(describe(error)) ? ' Code of a view must not end the process.' : ''
}

function isUncopyable(error: unknown): boolean {
  return error instanceof Error && (error.name === 'DataCloneError' || /^DataCloneError/.test(error.stack ?? ''))
}

function uncopyableError(task: Task, error: unknown): RefoldError {
  const message = `Cannot run ${describeTask(task)} on a worker thread: the task or its result can't be copied: ${describe(error)}.`
  return new RefoldError(message, {}, { cause: error })
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Errors of the platform arrive from a dying thread with nothing but their stack.
  const message = error.message === '' ? (error.stack ?? error.name).split('\n', 1)[0]! : error.message
  return message.replace(/\.$/, '')
}
