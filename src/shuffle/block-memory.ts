import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'
import type { SpillFile } from '../arrow/spill-file.ts'
import type { BytesColumn } from '../model/column.ts'
import { OutputError } from '../model/errors.ts'
import type { Disk, WritableFile } from '../storage/store.ts'
import { codeOf } from '../storage/system-error.ts'

/** What all threads of a rebuild may keep of packed rows in memory, and where the rest goes. Shared by the threads. */
export interface ShuffleBudget {
  readonly limitBytes: number
  /** What one task may hold of rows that it reads back: a bucket that is larger is folded piece by piece. */
  readonly taskBytes: number
  /** One number: what is kept, in units of 4 KiB. Null where the readers of blocks can't share memory: all is spilled. */
  readonly used: Int32Array | null
  /** Folder of spill files; it is there before the first is written. */
  readonly folder: string
}

const UNIT_BYTES = 4096

/** @param taskBytes Default: the whole budget. */
export function newBudget(limitBytes: number, folder: string, taskBytes = limitBytes): ShuffleBudget {
  return { limitBytes, taskBytes, folder, used: new Int32Array(new SharedArrayBuffer(4)) }
}

/** The budget of a host whose blocks are read by others: what it packs goes to files in a folder that all of them reach. */
export function withoutSharing(budget: ShuffleBudget): ShuffleBudget {
  return { ...budget, used: null }
}

/** Words of a block: in shared memory, or where they lie in a spill file. */
export type BlockWords =
  | { readonly kind: 'memory'; readonly words: Int32Array }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly byteOffset: number
      /** CRC-32 by bucket. */
      readonly checksums: Int32Array
    }

/** Arrow takes a tenth of a second to load, in each thread, and most rebuilds spill nothing: it is loaded by the first. */
function newSpillFile(file: WritableFile): SpillFile {
  const path = import.meta.url.endsWith('.ts') ? '../arrow/spill-file.ts' : '../arrow/spill-file.js'
  const loaded = createRequire(import.meta.url)(path) as typeof import('../arrow/spill-file.ts')
  return new loaded.SpillFile(file)
}

/**
 * One thread's side of the budget. While there is room a block lies in shared memory; beyond it a block is packed into
 * memory that is used again and written to the spill file of the task's attempt: a second attempt has a file of its own.
 */
export class BlockMemory {
  readonly #budget: ShuffleBudget
  readonly #files: Disk
  readonly #name: string
  #task = ''
  #scratch = new Int32Array(0)
  #file: { path: string; spill: SpillFile } | null = null
  #discarding = false

  /** @param name Begins the names of spill files, to distinguish them from those of others. */
  constructor(budget: ShuffleBudget, files: Disk, name: string) {
    this.#budget = budget
    this.#files = files
    this.#name = name
  }

  /** Room for a block; shared memory while the budget lasts. */
  allocate(words: number): Int32Array {
    const { used, limitBytes } = this.#budget
    if (this.#discarding || used === null) return this.#scratchOf(words)
    const units = Math.ceil((words * 4) / UNIT_BYTES)
    const before = Atomics.add(used, 0, units)
    if ((before + units) * UNIT_BYTES <= limitBytes) return new Int32Array(new SharedArrayBuffer(words * 4))
    Atomics.sub(used, 0, units)
    return this.#scratchOf(words)
  }

  /**
   * Performs one attempt of a task.
   *
   * @param task Distinguishes the attempt from all others of this name: names its spill file, which ends with it.
   */
  during<T>(task: string, work: () => T): T {
    this.#task = `-${task}`
    try {
      return work()
    } finally {
      this.close()
      this.#task = ''
    }
  }

  /** Does work whose blocks are not needed: nothing is kept, nothing spilled. */
  discarding<T>(work: () => T): T {
    this.#discarding = true
    try {
      return work()
    } finally {
      this.#discarding = false
    }
  }

  /** Keeps a block that was packed into what `allocate` gave. */
  keep(words: Int32Array, starts: Int32Array): BlockWords {
    if (words.buffer instanceof SharedArrayBuffer) return { kind: 'memory', words }
    if (this.#discarding || words.length === 0) return { kind: 'memory', words: new Int32Array(0) }
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
    const checksums = new Int32Array(starts.length - 1)
    for (let bucket = 0; bucket < checksums.length; bucket++) {
      checksums[bucket] = crc32(bytes.subarray(starts[bucket]! * 4, starts[bucket + 1]! * 4))
    }
    return { kind: 'file', ...this.#append(words), checksums }
  }

  /** A copy of strings that blocks refer to; shared where blocks may be, so that handing one to a thread copies nothing. */
  keepStrings(column: BytesColumn): BytesColumn {
    const room = (bytes: number) => (this.#budget.used === null ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes))
    const offsets = new Int32Array(room(column.offsets.byteLength))
    offsets.set(column.offsets)
    const data = new Uint8Array(room(column.data.byteLength))
    data.set(column.data)
    return { ...column, offsets, data }
  }

  /** Releases the memory that is used again; ends the spill file. */
  release(): void {
    this.close()
    this.#scratch = new Int32Array(0)
  }

  /** Ends the spill file; what is in it stays readable. */
  close(): void {
    this.#file?.spill.close()
    this.#file = null
  }

  /** Ends the spill file, which is no longer read. */
  removeFile(): void {
    const path = this.#file?.path
    this.close()
    if (path !== undefined) this.#files.remove(path)
  }

  #scratchOf(words: number): Int32Array {
    if (this.#scratch.length < words) this.#scratch = new Int32Array(Math.ceil(words * 1.25))
    return this.#scratch.subarray(0, words)
  }

  #append(words: Int32Array): { path: string; byteOffset: number } {
    try {
      this.#file ??= this.#open()
      return { path: this.#file.path, byteOffset: this.#file.spill.append(words) }
    } catch (error) {
      if (!(error instanceof OutputError) || codeOf(error) !== 'ENOSPC') throw error
      throw new OutputError(
        `${error.message} What memory has no room for is spilled there: make room, name another spill folder, or allow more memory.`,
        error.place,
        { cause: error.cause },
      )
    }
  }

  #open(): { path: string; spill: SpillFile } {
    const path = `${this.#budget.folder}/${this.#name}${this.#task}.arrows`
    return { path, spill: newSpillFile(this.#files.openForWriting(path)) }
  }
}
