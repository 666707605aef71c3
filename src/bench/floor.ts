import { Worker } from 'node:worker_threads'
import { threads } from './runner.ts'

/** A clone runs its TypeScript as it is; the published package has JavaScript. */
const threadUrl = new URL(import.meta.url.endsWith('.ts') ? './floor-thread.ts' : './floor-thread.js', import.meta.url)

export interface FloorTask {
  readonly files: readonly string[]
  readonly columns: readonly string[]
}

/**
 * Seconds that as many threads as contenders have need to read the columns and decompress their pages, decoding nothing:
 * what any tool written as Refold is would have to do at least. Starting the threads isn't counted.
 */
export async function measureFloor(
  files: readonly string[],
  columns: readonly string[],
  rounds: number,
): Promise<number[]> {
  const workers = Array.from({ length: threads }, () => new Worker(threadUrl))
  const seconds: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      // The first shows only what compiling costs.
      if (round === 0) await readAll(workers, files.slice(0, threads), columns)
      const started = performance.now()
      await readAll(workers, files, columns)
      seconds.push((performance.now() - started) / 1000)
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return seconds
}

async function readAll(
  workers: readonly Worker[],
  files: readonly string[],
  columns: readonly string[],
): Promise<void> {
  await Promise.all(
    workers.map(
      (worker, index) =>
        new Promise<void>((resolve, reject) => {
          const own = files.filter((_, file) => file % workers.length === index)
          worker.once('error', reject)
          worker.once('message', () => {
            worker.removeListener('error', reject)
            resolve()
          })
          worker.postMessage({ files: own, columns } satisfies FloorTask)
        }),
    ),
  )
}
