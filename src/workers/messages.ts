import type { Task } from './executor.ts'
import type { Failure } from './failure.ts'

/** Messages to and from what performs tasks in another thread or on another host. */

/** One try of a task. */
export interface TaskAttempt {
  readonly task: Task
  /** How often the task was tried, with this time: 1 for the first. What an attempt writes is named by it. */
  readonly attempt: number
}

/** What came of it. */
export type Answer = { readonly value: unknown } | { readonly failed: Failure }

/** What each thread is given once, when it starts. */
export interface ThreadSetup {
  /** URL of the module that exports `prepare`. */
  readonly tasksModule: string
  /** URLs that replace each other in `import`: what modules made for the calling thread name, and what is meant. */
  readonly redirect: { readonly from: string; readonly to: string } | null
  /** Argument of `prepare`; anything that can be copied to another thread. */
  readonly setup: unknown
  /** Where this process keeps compiled code; a thread does not know of itself. */
  readonly compileCache: string | undefined
}
