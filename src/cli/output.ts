import { once } from 'node:events'

/**
 * The two streams of the command: results go to stdout, all else to stderr. A reader that closes stdout early, as
 * `head` does, is no error: from then on results go nowhere, and `closed` lets those who make many of them stop.
 */
export class Output {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #closed = false

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout
    this.#stderr = stderr
    stdout.on('error', (error) => this.#onClosed(error))
    stderr.on('error', () => {})
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The terminal's width in characters, where results go to a terminal. */
  get width(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.columns : undefined
  }

  get stderr(): NodeJS.WriteStream {
    return this.#stderr
  }

  /** Writes a result as it is; waits where the reader is slower. */
  async result(chunk: string | Uint8Array): Promise<void> {
    if (this.#closed || this.#stdout.write(chunk)) return
    await Promise.race([once(this.#stdout, 'drain'), once(this.#stdout, 'close')]).catch(() => {})
  }

  /** Writes a line for people. */
  note(line: string): void {
    this.#stderr.write(`${line}\n`)
  }

  /** Waits until everything has left the process. */
  async flush(): Promise<void> {
    await Promise.all([this.#stdout, this.#stderr].map(flushed))
  }

  #onClosed(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') throw error
    this.#closed = true
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (stream.destroyed || !stream.writable) resolve()
  else stream.write('', () => resolve())
  return promise
}
