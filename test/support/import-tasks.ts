import type { Perform } from '../../src/workers/executor.ts'

/** A task that imports a module and answers with what that says its name is. */
export function prepare(url: string): Perform {
  return async () => ({ value: ((await import(url)) as { name?: string }).name })
}
