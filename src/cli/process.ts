import { constants } from 'node:os'
import { runCommandLine } from './command-line.ts'
import { describeFailure, ExitCode } from './failure.ts'
import { Output } from './output.ts'

/** How long a rebuild may take to stop by itself after Ctrl-C. Killing it is safe; it only leaves more to clear up. */
const stopMs = 2000

/** Runs the command line as this process: its streams, its signals, its exit code. Does not return. */
export async function runProcess(parameters: readonly string[]): Promise<never> {
  const verbose = parameters.includes('--verbose')
  const output = new Output(process.stdout, process.stderr)
  const end = async (code: number): Promise<never> => {
    await output.flush()
    process.exit(code)
  }
  const fail = (error: unknown): Promise<never> => {
    const failure = describeFailure(error, verbose)
    output.error(failure.text)
    return end(failure.exitCode)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)

  const signals = new Signals(output)
  const work = runCommandLine(parameters, {
    output,
    signal: signals.signal,
    interruptible: () => signals.take(),
  })
  try {
    return await end(await Promise.race([work, signals.stopped]))
  } catch (error) {
    return signals.exitCode === undefined ? await fail(error) : await end(signals.exitCode)
  }
}

/**
 * Turns Ctrl-C into an abort, for work that asks for it. Work that doesn't is killed by the signal as usual: it may
 * keep this thread busy for long, and a handler would never run.
 */
class Signals {
  readonly stopped: Promise<number>
  exitCode: number | undefined
  readonly #output: Output
  readonly #controller = new AbortController()
  readonly #stop: (code: number) => void
  #taken = false

  constructor(output: Output) {
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#output = output
    this.stopped = promise
    this.#stop = resolve
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  take(): AbortSignal {
    if (!this.#taken) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#onSignal(signal))
    }
    this.#taken = true
    return this.signal
  }

  #onSignal(signal: 'SIGINT' | 'SIGTERM'): void {
    const code = ExitCode.signal + constants.signals[signal]
    if (this.exitCode !== undefined) process.exit(code)
    this.exitCode = code
    this.#output.note('refold: stopping; what is published stays as it is. Once more to stop at once.')
    this.#controller.abort(new Error(`Stopped by ${signal}.`))
    setTimeout(() => this.#stop(code), stopMs)
  }
}
