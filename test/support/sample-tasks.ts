import { threadId } from 'node:worker_threads'
import { InputError, ViewError } from '../../src/model/errors.ts'
import type { Perform, Performed, Task } from '../../src/workers/executor.ts'

/** Tasks for tests of executors. */

export interface SampleSetup {
  readonly offset: number
  /** `prepare` itself fails. */
  readonly failing?: boolean
}

export async function prepare(setup: SampleSetup): Promise<Perform> {
  if (setup.failing) throw new InputError('Cannot read the setup.', { file: 'setup' })
  let seen = 0
  return (task: SampleTask, attempt) => {
    seen++
    return perform(task, setup, { seen, attempt })
  }
}

export type SampleTask =
  | NumberTask
  | FillTask
  | (Task<SharedArrayBuffer> & { readonly kind: 'share'; readonly value: number })

export interface FillTask extends Task<Uint8Array> {
  readonly kind: 'fill'
  readonly value: number
}

export interface NumberTask extends Task<number> {
  readonly kind:
    | 'attempt'
    | 'square'
    | 'thread'
    | 'seen'
    | 'refuse'
    | 'throw'
    | 'exit'
    | 'stray'
    | 'uncopyable'
    | 'wait'
    | 'spin'
  readonly value?: number
  readonly flags?: Int32Array
}

interface Counts {
  /** Tasks that this worker was given. */
  readonly seen: number
  readonly attempt: number
}

function perform(task: SampleTask, setup: SampleSetup, counts: Counts): Performed | Promise<Performed> {
  switch (task.kind) {
    case 'fill': {
      const bytes = new Uint8Array(1024).fill(task.value)
      return { value: bytes, transfer: [bytes.buffer] }
    }
    case 'share':
      return { value: new SharedArrayBuffer(task.value) }
    case 'stray':
      void Promise.reject(new RangeError('nobody waits for this'))
      return new Promise(() => {})
    case 'uncopyable':
      return { value: () => {} }
    default:
      return { value: compute(task, setup, counts) }
  }
}

function compute({ kind, value = 0, flags }: NumberTask, setup: SampleSetup, { seen, attempt }: Counts): number {
  switch (kind) {
    case 'square':
      return value * value + setup.offset
    case 'thread':
      return threadId
    case 'seen':
      return seen
    case 'attempt':
      if (attempt < value) process.exit(7)
      return attempt
    case 'refuse':
      throw new ViewError(`Cannot fold event ${value}.`, { file: 'a', row: value }, { cause: new InputError('inner') })
    case 'exit':
      // The first `value` attempts end the thread.
      if (Atomics.add(flags!, 0, 1) < value) process.exit(7)
      return Atomics.load(flags!, 0)
    case 'wait':
      Atomics.wait(flags!, 0, 0, value)
      return Atomics.add(flags!, 1, 1)
    case 'spin':
      for (;;) Atomics.add(flags!, 0, 1)
    default:
      throw new TypeError(`event ${value} is odd`)
  }
}
