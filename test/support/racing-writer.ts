import { workerData } from 'node:worker_threads'
import { disk } from '../../src/storage/disk.ts'

/** A thread that tries to create each of some files at the same moment as others do, and counts those it created. */
export interface Race {
  readonly paths: readonly string[]
  readonly contents: string
  /** Threads that are ready; how many there are; files that were created. */
  readonly counters: Int32Array
}

const { paths, contents, counters } = workerData as Race
for (const [round, path] of paths.entries()) {
  Atomics.add(counters, 0, 1)
  while (Atomics.load(counters, 0) < (round + 1) * counters[1]!) {}
  if (disk.putIfAbsent(path, new TextEncoder().encode(contents))) Atomics.add(counters, 2, 1)
}
