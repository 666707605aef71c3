import { setImmediate } from 'node:timers/promises'
import { newBudget, withoutSharing } from '../../src/shuffle/block-memory.ts'
import type { StartExecutor } from '../../src/start-executor.ts'
import { prepare } from '../../src/tasks.ts'
import {
  describeTask,
  type Executor,
  type Perform,
  type Prepare,
  runInLanes,
  type Task,
} from '../../src/workers/executor.ts'
import { errorOf, failureOf } from '../../src/workers/failure.ts'
import type { Answer } from '../../src/workers/messages.ts'
import { decodeAnswer, decodeTask, encodeAnswer, encodeTask } from '../../src/workers/wire.ts'

/** What becomes of attempts of tasks. */
export interface Fate {
  /**
   * Every task is performed twice, by two hosts, and only what the second answers arrives: the first attempt is over by
   * then, or goes on when the second is over already.
   */
  readonly losesAttempts?: boolean
}

/**
 * Runs tasks in the calling thread as hosts would that share nothing but files: each has what it keeps for itself, and
 * all that goes there and comes back are bytes.
 *
 * @param setups One a host.
 */
export function createSerializing<Setup>(
  prepare: Prepare<Setup>,
  setups: readonly Setup[],
  { losesAttempts = false }: Fate = {},
): Executor {
  const hosts = setups.map((setup) => new Host(prepare, setup))
  let next = 0
  let isClosed = false

  async function attempt(task: Task, number: number): Promise<Answer> {
    const host = hosts[next++ % hosts.length]!
    return decodeAnswer(await host.perform(encodeTask({ task, attempt: number })))
  }

  async function run<Result>(task: Task, signal?: AbortSignal): Promise<Result> {
    await setImmediate()
    signal?.throwIfAborted()
    if (isClosed) throw new Error(`Cannot run ${describeTask(task)}: the hosts were ended.`)
    const isLate = losesAttempts && next % 3 === 0
    if (losesAttempts && !isLate) await attempt(task, 1)
    const answer = await attempt(task, losesAttempts ? 2 : 1)
    if (isLate) await attempt(task, 1)
    if ('failed' in answer) throw errorOf(answer.failed)
    return answer.value as Result
  }

  return {
    size: hosts.length,
    sharesMemory: false,
    run,
    runAll: (tasks, options = {}) => runInLanes(tasks, hosts.length, run, options),
    close: async () => {
      isClosed = true
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

class Host<Setup> {
  readonly #prepare: () => Promise<Perform>
  #prepared: Promise<Perform> | undefined

  constructor(prepare: Prepare<Setup>, setup: Setup) {
    this.#prepare = async () => prepare(setup)
  }

  async perform(bytes: Uint8Array): Promise<Uint8Array> {
    const { task, attempt } = decodeTask(bytes)
    let answer: Answer
    try {
      this.#prepared ??= this.#prepare()
      const perform = await this.#prepared
      answer = { value: (await perform(task as never, attempt)).value }
    } catch (error) {
      answer = { failed: failureOf(error) }
    }
    return encodeAnswer(task, answer)
  }

  async close(): Promise<void> {
    const perform = await this.#prepared?.catch(() => undefined)
    this.#prepared = undefined
    perform?.close?.()
  }
}

const HOSTS = 2

/** For `rebuild`: hosts that have the memory that was asked for, each, and spill to the rebuild's folder. */
export const startHosts =
  (fate: Fate = {}): StartExecutor =>
  async ({ job, plan, budget: { limitBytes, folder, taskBytes }, files }) => {
    const setups = Array.from({ length: HOSTS }, () => ({
      ...structuredClone({ plan, budget: withoutSharing(newBudget(limitBytes, folder, taskBytes)) }),
      storage: files.description ?? files,
      definitions: job.definition.views,
    }))
    return createSerializing(prepare, setups, fate)
  }
