import { writeFileSync } from 'node:fs'
import { disk } from '../../src/storage/disk.ts'
import type { Disk } from '../../src/storage/store.ts'
import { prepare as prepareRebuild, type RebuildSetup } from '../../src/tasks.ts'
import type { Perform } from '../../src/workers/executor.ts'

/** The tasks of a rebuild, in threads of which one dies in the midst of writing a file. */

export interface DyingSetup extends Omit<RebuildSetup, 'storage'> {
  /** Begins the name of the file: the thread dies that writes the first such file. */
  readonly diesAt: string
  /** A file that is made by the thread that dies. */
  readonly marker: string
}

export function prepare({ diesAt, marker, ...setup }: DyingSetup): Promise<Perform> {
  const isFatal = (path: string) => path.slice(path.lastIndexOf('/') + 1).startsWith(diesAt) && isFirst(marker)
  const storage: Disk = {
    ...disk,
    writeNew: (path, chunks) => {
      if (!isFatal(path)) return disk.writeNew(path, chunks)
      const whole = Buffer.concat([...chunks])
      disk.writeNew(path, [whole.subarray(0, whole.length >> 1)])
      process.exit(7)
    },
    openForWriting: (path) => {
      const file = disk.openForWriting(path)
      if (!isFatal(path)) return file
      const write = (bytes: Uint8Array) => {
        file.write(bytes.subarray(0, bytes.length >> 1))
        process.exit(7)
      }
      return { ...file, write }
    },
  }
  return prepareRebuild({ ...setup, storage })
}

function isFirst(marker: string): boolean {
  try {
    writeFileSync(marker, '', { flag: 'wx' })
    return true
  } catch {
    return false
  }
}
