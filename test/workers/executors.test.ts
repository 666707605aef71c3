import { afterEach, describe, expect, test } from 'vitest'
import { ConfigurationError, InputError, RefoldError, ViewError } from '../../src/model/errors.ts'
import type { Executor } from '../../src/workers/executor.ts'
import { createInline } from '../../src/workers/inline.ts'
import { createPool } from '../../src/workers/pool.ts'
import { ownModules } from '../../src/workers/thread-modules.ts'
import { type FillTask, type NumberTask, prepare, type SampleSetup } from '../support/sample-tasks.ts'
import { createSerializing } from '../support/serializing-executor.ts'

const modules = { ...ownModules, tasks: new URL('../support/sample-tasks.ts', import.meta.url).href }
const opened: Executor[] = []

function pool(workers: number, setup: SampleSetup = { offset: 1 }): Executor {
  const executor = createPool({ workers, modules, setup })
  opened.push(executor)
  return executor
}

function inline(setup: SampleSetup = { offset: 1 }): Executor {
  return createInline<SampleSetup>(prepare, setup)
}

function hosts(setup: SampleSetup = { offset: 1 }): Executor {
  return createSerializing<SampleSetup>(prepare, [setup, setup])
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((executor) => executor.close()))
})

/** A task that results in a number. */
function number(kind: NumberTask['kind'], value?: number, flags?: Int32Array): NumberTask {
  return { kind, ...(value === undefined ? {} : { value }), ...(flags === undefined ? {} : { flags }) }
}

function sharedFlags(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8))
}

const backends = [
  ['inline', inline],
  ['a pool of 1', (setup?: SampleSetup) => pool(1, setup)],
  ['a pool of 2', (setup?: SampleSetup) => pool(2, setup)],
  ['a pool of 7', (setup?: SampleSetup) => pool(7, setup)],
  ['hosts that share only files', hosts],
] as const

describe.each(backends)('%s', (name, create) => {
  const sharesMemory = create !== hosts

  test('says whether it shares memory', () => {
    expect(create().sharesMemory).toBe(sharesMemory)
  })

  test('counts the attempts of each task from 1', async () => {
    const executor = create()
    expect(await executor.runAll([number('attempt'), number('attempt')])).toEqual([1, 1])
  })

  test('runs a task with the setup it was given', async () => {
    expect(await create({ offset: 5 }).run(number('square', 3))).toBe(14)
  })

  test('runAll() gives results in the order of the tasks, and tells each once when it is done', async () => {
    const executor = create()
    const values = Array.from({ length: 50 }, (_, value) => value)
    const done: number[] = []
    const results = await executor.runAll(
      values.map((value) => number('square', value)),
      {
        onDone: (result, index) => {
          expect(result).toBe(index * index + 1)
          done.push(index)
        },
      },
    )
    expect(results).toEqual(values.map((value) => value * value + 1))
    expect(done.sort((a, b) => a - b)).toEqual(values)
    expect(await executor.runAll([])).toEqual([])
  })

  test('prepares each worker once', async () => {
    const executor = create()
    const counts = await executor.runAll(Array.from({ length: 30 }, () => number('seen')))
    expect(counts.filter((count) => count === 1).length).toBeLessThanOrEqual(executor.size)
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(30 / executor.size)
  })

  test('hands buffers over', async () => {
    const bytes = await create().run<FillTask>({ kind: 'fill', value: 9 })
    expect(bytes).toHaveLength(1024)
    expect(bytes[1023]).toBe(9)
  })

  test('keeps shared memory shared, or refuses it by the name of its task', async () => {
    const executor = create()
    const flags = sharedFlags()
    if (sharesMemory) {
      expect(await executor.run({ kind: 'share', value: 16 })).toBeInstanceOf(SharedArrayBuffer)
      await executor.run(number('wait', 0, flags))
      expect(flags[1]).toBe(1)
    } else {
      await expect(executor.run({ kind: 'share', value: 16 })).rejects.toThrow('Cannot send the result of share (value')
      await expect(executor.run(number('wait', 0, flags))).rejects.toThrow('Cannot send wait (value 0) to another')
    }
  })

  test("Refold's errors keep their class, place, exit code, cause and stack", async () => {
    const error = await create()
      .run(number('refuse', 4))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ViewError)
    expect(error).toMatchObject({ name: 'ViewError', message: 'Cannot fold event 4.', exitCode: 1 })
    expect((error as ViewError).place).toEqual({ file: 'a', row: 4 })
    expect((error as ViewError).cause).toBeInstanceOf(InputError)
    expect((error as ViewError).stack).toContain('sample-tasks.ts')
  })

  test('other errors keep their name, message and stack', async () => {
    const error = await create()
      .run(number('throw', 4))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TypeError', message: 'event 4 is odd' })
    expect((error as Error).stack).toContain('sample-tasks.ts')
  })

  test('an error in onDone fails the run', async () => {
    const tasks = Array.from({ length: 5 }, (_, value) => number('square', value))
    const onDone = () => {
      throw new Error('the counters do not reconcile')
    }
    await expect(create().runAll(tasks, { onDone })).rejects.toThrow('the counters do not reconcile')
  })

  test('a setup that fails is told by the first task', async () => {
    const error = await create({ offset: 0, failing: true })
      .run(number('square', 1))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).place).toEqual({ file: 'setup' })
  })

  test('after close() nothing runs, and closing twice is closing once', async () => {
    const executor = create()
    await executor.run(number('square', 1))
    await Promise.all([executor.close(), executor.close()])
    await expect(executor.run(number('square', 1))).rejects.toThrow(/Cannot run square \(value 1\): .* (closed|ended)/)
    expect(name).toBeDefined()
  })
})

describe.each(backends.filter(([, create]) => create !== hosts))(
  '%s, where tasks share what they count,',
  (_, create) => {
    test('a failing task keeps the tasks behind it from beginning, and the executor is of use afterwards', async () => {
      const executor = create()
      const flags = sharedFlags()
      const waits = (count: number) => Array.from({ length: count }, () => number('wait', 5, flags))
      await executor.runAll(waits(3 * executor.size))
      const done: number[] = []
      const tasks = [...waits(2), number('refuse', 0), ...waits(200)]
      await expect(executor.runAll(tasks, { onDone: (_, index) => done.push(index) })).rejects.toThrow(
        'Cannot fold event 0.',
      )
      const began = Atomics.load(flags, 1) - 3 * executor.size
      expect(began).toBe(done.length)
      expect(began).toBeLessThan(100)
      expect(await executor.run(number('square', 2))).toBe(5)
    })

    test('an aborted signal rejects with its reason and nothing more begins', async () => {
      const executor = create()
      const controller = new AbortController()
      const reason = new Error('stopped by hand')
      const flags = sharedFlags()
      const tasks = Array.from({ length: 500 }, () => number('wait', 5, flags))
      const run = executor.runAll(tasks, { signal: controller.signal, onDone: () => controller.abort(reason) })
      await expect(run).rejects.toBe(reason)
      expect(Atomics.load(flags, 1)).toBeLessThan(20)
      await expect(executor.run(number('square', 1), controller.signal)).rejects.toBe(reason)
    })
  },
)

describe('the calling thread', () => {
  test('closes what tasks left open, once and after the last of them', async () => {
    const events: string[] = []
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const perform = async () => {
      begin()
      await new Promise((resolve) => setTimeout(resolve, 10))
      events.push('done')
      return { value: null }
    }
    const executor = createInline(() => Object.assign(perform, { close: () => void events.push('closed') }), null)
    const running = executor.run({ kind: 'any' })
    await begun
    await Promise.all([executor.close(), executor.close()])
    await executor.close()
    expect(events).toEqual(['done', 'closed'])
    expect(await running).toBeNull()
  })

  test('closes without complaint where it could not be prepared, or never was', async () => {
    const failing = inline({ offset: 1, failing: true })
    await expect(failing.run(number('square', 1))).rejects.toThrow(InputError)
    await failing.close()
    await inline().close()
  })
})

describe('threads', () => {
  test('are as many as asked for, and other ones than the caller', async () => {
    const flags = sharedFlags()
    const executor = pool(2)
    const [a, b] = await Promise.all([executor.run(number('wait', 50, flags)), executor.run(number('wait', 50, flags))])
    expect([a, b].sort()).toEqual([0, 1])
    const threads = await executor.runAll(Array.from({ length: 20 }, () => number('thread')))
    expect(new Set(threads).size).toBeLessThanOrEqual(2)
    expect(threads).not.toContain(0)
  })

  test('a task whose thread dies twice is tried a third time', async () => {
    const flags = sharedFlags()
    expect(await pool(2).run(number('exit', 2, flags))).toBe(3)
  })

  test('each attempt is told its number', async () => {
    expect(await pool(2).runAll([number('attempt', 3), number('attempt', 2), number('attempt')])).toEqual([3, 2, 1])
  })

  test('a task whose thread dies three times fails by name, and the tasks after it still run', async () => {
    const flags = sharedFlags()
    const executor = pool(1)
    const run = executor.run(number('exit', 100, flags))
    await expect(run).rejects.toThrow(
      'Cannot complete exit (value 100): its worker thread ended 3 times, the last time because of this: worker exited with code: 7. Code of a view must not end the process.',
    )
    await expect(run).rejects.toBeInstanceOf(RefoldError)
    expect(Atomics.load(flags, 0)).toBe(3)
    expect(await executor.run(number('square', 2))).toBe(5)
  })

  test('a task that throws is not tried again', async () => {
    const executor = pool(1)
    await expect(executor.run(number('throw', 1))).rejects.toThrow()
    expect(await executor.run(number('seen'))).toBe(2)
  })

  test('a rejection that nobody waits for fails the task it arose in', async () => {
    const executor = pool(1)
    await expect(executor.run(number('stray'))).rejects.toThrow('nobody waits for this')
    expect(await executor.run(number('seen'))).toBe(2)
  })

  test("a task or result that can't be copied fails at once, saying so", async () => {
    const executor = pool(1)
    await expect(executor.run({ kind: 'square', value: () => 1 } as never)).rejects.toThrow(
      /Cannot run square .*can't be copied/,
    )
    await expect(executor.run(number('uncopyable'))).rejects.toThrow(/Cannot run uncopyable .*can't be copied/)
    expect(await executor.run(number('square', 2))).toBe(5)
  })

  test('that would never end are ended by a signal', async () => {
    const flags = sharedFlags()
    const controller = new AbortController()
    const run = pool(2).runAll([number('spin', undefined, flags), number('spin', undefined, flags)] as never, {
      signal: controller.signal,
    })
    const failed = expect(run).rejects.toThrow('enough')
    while (Atomics.load(flags, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    controller.abort(new Error('enough'))
    await failed
    const count = Atomics.load(flags, 0)
    expect(count).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(Atomics.load(flags, 0)).toBe(count)
  })

  test('that would never end are ended by close(), and their tasks fail', async () => {
    const flags = sharedFlags()
    const executor = pool(2)
    const run = executor.run(number('spin', undefined, flags))
    const failed = expect(run).rejects.toThrow('Cannot run spin: the worker threads were ended.')
    while (Atomics.load(flags, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await executor.close()
    await failed
    const count = Atomics.load(flags, 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(Atomics.load(flags, 0)).toBe(count)
  })

  test('end whenever the pool is closed: while they start, just ready, or done with a task', async () => {
    for (let delay = 0; delay < 400; delay += 40) {
      const executor = pool(4)
      await new Promise((resolve) => setTimeout(resolve, delay))
      await executor.close()
    }
    for (let round = 0; round < 10; round++) {
      const executor = pool(4)
      await executor.runAll([number('square', 1), number('square', 2)])
      await executor.close()
    }
  })

  test('a number of workers below 1 is refused', () => {
    expect(() => pool(0)).toThrow(ConfigurationError)
  })
})
