import type { Progress, RebuildOptions } from './model/report.ts'

/** Times the stages of a rebuild, and reports how far the running one is. */
export class Stages {
  readonly times: { stage: string; seconds: number }[] = []
  readonly #options: RebuildOptions
  readonly #started = performance.now()
  #current: Progress['stage'] = 'plan'

  constructor(options: RebuildOptions) {
    this.#options = options
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  async run<T>(stage: Progress['stage'], work: () => T | Promise<T>): Promise<T> {
    this.#options.signal?.throwIfAborted()
    this.#current = stage
    const started = performance.now()
    const result = await work()
    const seconds = (performance.now() - started) / 1000
    const before = this.times.find((time) => time.stage === stage)
    // Where a view is made of another's rows, stages run once more.
    if (before === undefined) this.times.push({ stage, seconds })
    else before.seconds += seconds
    return result
  }

  /** A counter for the running stage. */
  progress(total: number, unit: Progress['unit']): (done: number, bytes: number) => void {
    const { onProgress } = this.#options
    const stage = this.#current
    let allDone = 0
    let allBytes = 0
    onProgress?.({ stage, done: 0, total, unit, bytes: 0 })
    return (done, bytes) => {
      allDone += done
      allBytes += bytes
      onProgress?.({ stage, done: allDone, total, unit, bytes: allBytes })
    }
  }
}
