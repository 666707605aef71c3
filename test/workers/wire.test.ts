import { describe, expect, test } from 'vitest'
import { InputError, RefoldError } from '../../src/model/errors.ts'
import type { Task } from '../../src/workers/executor.ts'
import { errorOf, failureOf } from '../../src/workers/failure.ts'
import { decodeAnswer, decodeTask, encodeAnswer, encodeTask } from '../../src/workers/wire.ts'

const task = (more: object = {}): Task => ({ kind: 'map', log: 1, label: 'mapping', ...more }) as Task

test('a task comes back as it was, with its attempt', () => {
  const sent = task({
    watermark: 1_621_641_600_000_000n,
    nothing: null,
    absent: undefined,
    recorded: new Map([[3, [{ min: -1n, max: 5n, events: 2 }]]]),
    starts: Int32Array.of(0, 3, -7),
    words: new Float64Array([1.5, -0, Number.NaN]),
    moments: BigInt64Array.of(1n, -(2n ** 63n)),
    key: new TextEncoder().encode('ключ'),
    strings: [[null, { kind: 'bytes', offsets: Int32Array.of(0), data: new Uint8Array(0) }]],
  })
  const { task: found, attempt } = decodeTask(encodeTask({ task: sent, attempt: 2 }))
  expect(found).toEqual(sent)
  expect(attempt).toBe(2)
})

test('of a view, only its own part of the buffer is sent', () => {
  const words = new Int32Array(100_000).fill(7).subarray(50, 52)
  const bytes = encodeAnswer(task(), { value: words })
  expect(bytes.length).toBeLessThan(100)
  expect(decodeAnswer(bytes)).toEqual({ value: Int32Array.of(7, 7) })
})

test('a failure keeps its class and place', () => {
  const failed = failureOf(new InputError('Cannot read a.parquet.', { file: 'a.parquet', row: 3 }))
  const answer = decodeAnswer(encodeAnswer(task(), { failed }))
  const error = errorOf('failed' in answer ? answer.failed : failureOf(null))
  expect(error).toBeInstanceOf(InputError)
  expect(error).toMatchObject({ message: 'Cannot read a.parquet.', place: { file: 'a.parquet', row: 3 } })
})

describe('what is no plain data is refused with the name of the task', () => {
  const shared = new SharedArrayBuffer(8)
  test.each([
    ['shared memory', shared],
    ['a view of shared memory', new Int32Array(shared)],
    ['a view of shared memory deep within', { blocks: [new Map([['words', new Uint8Array(shared, 4)]])] }],
    ['a function', () => 1],
  ])('%s', (_, value) => {
    const error = thrownBy(() => encodeTask({ task: task({ value }), attempt: 1 }))
    expect(error.message).toMatch(
      /^Cannot send map \(log 1, label mapping\) to another process: expected plain data, found this: .+\.$/,
    )
    expect(thrownBy(() => encodeAnswer(task(), { value })).message).toMatch(
      /^Cannot send the result of map \(log 1, label mapping\) to another process: /,
    )
  })
})

test('bytes that are no task or no answer are refused', () => {
  const bytes = encodeTask({ task: task(), attempt: 1 })
  const message = /^Cannot read a (task|result) that another process sent: /
  for (const damaged of [bytes.subarray(0, bytes.length - 4), new Uint8Array(0), Uint8Array.of(1, 2, 3)]) {
    expect(thrownBy(() => decodeTask(damaged)).message).toMatch(message)
    expect(thrownBy(() => decodeAnswer(damaged)).message).toMatch(message)
  }
  expect(thrownBy(() => decodeAnswer(bytes)).message).toMatch(message)
  expect(thrownBy(() => decodeTask(encodeAnswer(task(), { value: 1 }))).message).toMatch(message)
})

function thrownBy(work: () => unknown): RefoldError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(RefoldError)
    return error as RefoldError
  }
  throw new Error('nothing was thrown')
}
