import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node'

/**
 * Ends a run with `N passed, N failed, N skipped`, alone on a line and without colours, for readers of logs that know
 * no test runner in particular. A file that could not be loaded and an error outside any test count as failed.
 */
export class ClosingLineReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const failedBefore = count.failed
      for (const test of module.children.allTests()) {
        const state = test.result().state
        count[state === 'pending' ? 'failed' : state]++
      }
      if (!module.ok() && count.failed === failedBefore) count.failed++
    }
    this.#vitest?.logger.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}
