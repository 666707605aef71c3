import { DefaultSerializer, deserialize } from 'node:v8'
import { RefoldError } from '../model/errors.ts'
import { describeTask, type Task } from './executor.ts'
import type { Answer, TaskAttempt } from './messages.ts'

/**
 * Tasks and answers as bytes, for executors whose workers are other hosts: V8's serialization of structured clones, which
 * knows typed arrays, maps and big integers. Numbers in typed arrays are in the byte order of the host, little-endian on
 * all that Node runs on. Both ends must run the same version of Refold. What is read back may be views of the bytes.
 */

/** @throws RefoldError where the task holds shared memory, or what is no data. */
export function encodeTask(attempt: TaskAttempt): Uint8Array {
  return encode(attempt, () => describeTask(attempt.task))
}

/** @throws RefoldError where the bytes are not those of a task. */
export function decodeTask(bytes: Uint8Array): TaskAttempt {
  const found = decode(bytes, 'a task') as Partial<TaskAttempt> | null
  if (typeof found?.task?.kind === 'string' && Number.isInteger(found.attempt)) return found as TaskAttempt
  throw new RefoldError('Cannot read a task that another process sent: expected a task and its attempt.')
}

/** @throws RefoldError where the answer holds shared memory, or what is no data. */
export function encodeAnswer(task: Task, answer: Answer): Uint8Array {
  return encode(answer, () => `the result of ${describeTask(task)}`)
}

/** @throws RefoldError where the bytes are not those of an answer. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const found = decode(bytes, 'a result') as object | null
  if (typeof found === 'object' && found !== null && ('value' in found || 'failed' in found)) return found as Answer
  throw new RefoldError('Cannot read a result that another process sent: expected a value or a failure.')
}

function encode(value: unknown, describe: () => string): Uint8Array {
  const serializer = new PlainSerializer()
  try {
    serializer.writeHeader()
    serializer.writeValue(value)
    return serializer.releaseBuffer()
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
    const message = `Cannot send ${describe()} to another process: expected plain data, found this: ${reason}.`
    throw new RefoldError(message, {}, { cause: error })
  }
}

function decode(bytes: Uint8Array, what: string): unknown {
  try {
    return deserialize(bytes)
  } catch (error) {
    const message = `Cannot read ${what} that another process sent: the ${bytes.length} bytes are damaged, or of another version of Node.`
    throw new RefoldError(message, {}, { cause: error })
  }
}

/** What V8 calls for each view of a buffer; missing from Node's types. */
interface HostObjectWriter {
  _writeHostObject(view: ArrayBufferView): void
}

const writeView = (DefaultSerializer.prototype as unknown as HostObjectWriter)._writeHostObject

/** Node's own would copy a view of shared memory, so that what one side writes there never reaches the other. */
class PlainSerializer extends DefaultSerializer implements HostObjectWriter {
  _writeHostObject(view: ArrayBufferView): void {
    if (view.buffer instanceof SharedArrayBuffer) throw sharedMemory()
    writeView.call(this, view)
  }

  _getSharedArrayBufferId(): never {
    throw sharedMemory()
  }
}

function sharedMemory(): Error {
  return new TypeError('memory that only threads of one process can share')
}
