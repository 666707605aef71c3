import { enableCompileCache, registerHooks } from 'node:module'
import { workerData } from 'node:worker_threads'
import type { Perform, Prepare } from './executor.ts'
import { type Failure, failureOf } from './failure.ts'
import type { Answer, TaskAttempt, ThreadSetup } from './messages.ts'

/** What runs in each thread of the pool: imports the tasks module, then performs one task after the other. */

// Awaited while the module is imported, so that a thread is ready only when everything it needs is loaded. A failure is
// kept for the first task: a thread that fails while it starts would only be started again.
const prepared: { readonly perform: Perform } | { readonly failed: Failure } = await prepareThread()

async function prepareThread(): Promise<{ perform: Perform } | { failed: Failure }> {
  try {
    const { tasksModule, redirect, setup, compileCache } = workerData as ThreadSetup
    if (compileCache !== undefined) enableCompileCache(compileCache)
    if (redirect !== null) redirectImports(redirect.from, redirect.to)
    const { prepare } = (await import(tasksModule)) as { prepare: Prepare<unknown> }
    return { perform: await prepare(setup) }
  } catch (error) {
    return { failed: failureOf(error) }
  }
}

/** A job's bundle names the Refold of the thread that made it; here it is to find the one that this thread runs. */
function redirectImports(from: string, to: string): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) => nextResolve(specifier === from ? to : specifier, context),
  })
}

// A promise that nobody waits for, in a library say, fails the task that was running and not the whole thread.
let rejectTask: ((error: unknown) => void) | undefined
process.on('unhandledRejection', (error) => {
  if (rejectTask === undefined) throw error
  rejectTask(error)
})

function nextStrayRejection(): Promise<never> {
  return new Promise((_, reject) => {
    rejectTask = reject
  })
}

export default async function perform({ task, attempt }: TaskAttempt): Promise<Answer> {
  if ('failed' in prepared) return prepared
  try {
    const { value, transfer } = await Promise.race([prepared.perform(task as never, attempt), nextStrayRejection()])
    return transfer === undefined ? { value } : await moved({ value }, transfer)
  } catch (error) {
    return { failed: failureOf(error) }
  } finally {
    rejectTask = undefined
  }
}

/** Marks an answer so that Piscina hands the buffers over; to the compiler it is still the answer. */
async function moved(answer: Answer, buffers: readonly ArrayBuffer[]): Promise<Answer> {
  const { move, transferableSymbol, valueSymbol } = await import('piscina')
  return move({ [transferableSymbol]: buffers, [valueSymbol]: answer } as never) as unknown as Answer
}
